"""A network that is served, with what `Trained` tells of it."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from experiments.serving.package import write_package

IMAGE_SHAPE = (8, 8, 3)


@pytest.fixture(scope="package")
def trained() -> Any:
    """A model of random weights; its window and background are unusual ones."""
    import keras

    keras.utils.set_random_seed(0)
    images = keras.Input(IMAGE_SHAPE, dtype="uint8")
    outputs = keras.layers.Rescaling(1 / 50)(images)
    outputs = keras.layers.Conv2D(4, 3)(outputs)
    outputs = keras.layers.GlobalAveragePooling2D()(outputs)
    outputs = keras.layers.Dense(3)(outputs)
    return SimpleNamespace(
        name="a-run",
        config=None,
        model=keras.Model(images, outputs),
        class_names=("Apfel", "Birne", "Kürbis"),
        image_shape=IMAGE_SHAPE,
        kind="logits",
        state_sha256="5eed",
        crop_ratio=0.75,
        background=(9, 80, 200),
    )


@pytest.fixture(scope="package")
def example() -> npt.NDArray[np.uint8]:
    """Two images as the model takes them."""
    generator = np.random.default_rng(0)
    return generator.integers(0, 256, (2, *IMAGE_SHAPE), dtype=np.uint8)


@pytest.fixture(scope="package")
def package(
    tmp_path_factory: pytest.TempPathFactory,
    trained: Any,
    example: npt.NDArray[np.uint8],
) -> Path:
    """The model as a folder of MLflow."""
    folder = tmp_path_factory.mktemp("package") / "model"
    write_package(folder, trained, example=example, metadata={"dataset": "obst"})
    return folder
