from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from experiments.training.loop.fit import compile_model
from experiments.training.losses import build_loss
from experiments.training.metrics import build_metrics


@pytest.fixture
def dense_model() -> Callable[..., Any]:
    """Builds a fresh classifier of 4 features, compiled if an optimizer is given."""

    def build(
        optimizer: Any = None, *, num_classes: int = 3, **compilation: Any
    ) -> Any:
        keras.utils.set_random_seed(0)
        model = keras.Sequential(
            [
                keras.Input((4,)),
                keras.layers.Dense(8, activation="relu"),
                keras.layers.BatchNormalization(),
                keras.layers.Dense(num_classes),
            ]
        )
        if optimizer is not None:
            compile_model(
                model,
                optimizer=optimizer,
                loss=build_loss(
                    from_logits=True, label_smoothing=0.0, num_classes=num_classes
                ),
                metrics=build_metrics(num_classes),
                **{"jit": False, **compilation},
            )
        return model

    return build


@pytest.fixture
def batches() -> Callable[[int], Any]:
    """Builds a `tf.data` dataset of so many learnable batches of 8."""
    import tensorflow as tf

    def build(count: int) -> Any:
        generator = np.random.default_rng(0)
        x = generator.normal(size=(8 * count, 4)).astype("float32")
        y = np.argmax(x[:, :3], axis=1).astype("int32")
        return tf.data.Dataset.from_tensor_slices((x, y)).batch(8)

    return build


@pytest.fixture
def output_dir(tmp_path: Path) -> Path:
    return tmp_path / "run"
