"""A trained model as a folder that MLflow registers, loads and serves."""

import base64
import io
import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from experiments.files import drafting
from experiments.serving.names import COLUMN, SETTINGS
from experiments.serving.vendored import write_code
from experiments.tracking.store.models.keras_model import save_keras_model
from experiments.tracking.store.models.python_model import Description, add_python_model

# Of an image that somebody sends; a training believes its files more.
MAX_PIXELS = 50_000_000
MAX_BYTES = 2**25
MAX_IMAGES = 1024
# Read images, beside Keras and its backend.
_READERS = ("tensorflow", "numpy", "pillow", "simplejpeg")


class Trained(Protocol):
    """What is needed of `experiments.trained.trained.Trained`."""

    @property
    def name(self) -> str:
        """Of its run or its file."""

    @property
    def config(self) -> Any:
        """The recorded config; `None` without a run."""

    @property
    def model(self) -> Any:
        """A Keras model of uint8 images."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """One a class."""

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """`(H, W, C)`."""

    @property
    def kind(self) -> str:
        """What it gives: `logits`, `probabilities` or `several_labels`."""

    @property
    def state_sha256(self) -> str:
        """Hash of its weights."""

    @property
    def crop_ratio(self) -> float:
        """Share of a file's shorter side that the central window has."""

    @property
    def background(self) -> tuple[int, int, int]:
        """Behind what is transparent in a file."""


def write_package(
    folder: Path,
    trained: Trained,
    *,
    example: NDArray[np.uint8],
    metadata: Mapping[str, Any],
) -> None:
    """Writes an MLflow model; the folder appears when it is whole.

    It has two forms. `keras` is the network as MLflow's Keras loads it, and this
    project by `run_id=models:/...`. `python_function` answers what `mlflow models
    serve` takes: files in base64, or arrays. It needs nothing of this project.

    Args:
        folder: To make.
        trained: The model, with its framework set up.
        example: Images as it takes them, uint8 `(B, H, W, C)`; the first one is kept as
            the example of a request.
        metadata: Facts kept inside the model; `class_names` is added.
    """
    names = list(trained.class_names)
    with drafting(folder, shared=True) as draft:
        save_keras_model(
            trained.model,
            draft,
            example=example,
            metadata={**metadata, "class_names": names},
        )
        limits = choose_limits(trained)
        settings = {
            "name": trained.name,
            "state_sha256": trained.state_sha256,
            "backend": _backend(),
            "class_names": names,
            "image_shape": list(trained.image_shape),
            "kind": trained.kind,
            "crop_ratio": trained.crop_ratio,
            "background": list(trained.background),
            "limits": limits,
        }
        text = json.dumps(settings, indent=2, ensure_ascii=False)
        (draft / "data" / SETTINGS).write_text(f"{text}\n", "utf-8")
        add_python_model(
            draft,
            Description(
                loader=write_code(draft / "code"),
                data="data",
                code="code",
                limits=limits,
                column=COLUMN,
                example=encode_png(example[0]),
                requirements=[f"{name}=={version(name)}" for name in _READERS],
                has_several_labels=trained.kind == "several_labels",
            ),
        )


def choose_limits(trained: Trained) -> dict[str, int]:
    """Returns what is refused unless `task.max_pixels` and the like say otherwise."""
    dataset = None if trained.config is None else trained.config.dataset
    allowed = int(getattr(dataset, "max_pixels", MAX_PIXELS))
    return {
        "max_pixels": min(allowed, MAX_PIXELS),
        "max_bytes": MAX_BYTES,
        "max_images": MAX_IMAGES,
    }


def encode_png(pixels: NDArray[np.uint8]) -> str:
    """Returns the bytes of a PNG in base64.

    Args:
        pixels: uint8 `(H, W, C)`, one channel or three.
    """
    image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    file = io.BytesIO()
    image.save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode("ascii")


def _backend() -> str:
    import keras

    return str(keras.backend.backend())
