"""A trained model as MLflow loads it: images in any form in, labels and shares out.

A model that is served takes this module along, see `experiments.serving.vendored`.
"""

import json
import logging
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from experiments.serving.images import ImageReader, Limits, list_cells
from experiments.serving.names import MODEL, SETTINGS
from experiments.serving.refused import RefusedError

# So many are computed at once; the memory of a larger request does not grow with it.
_BATCH = 32
_THRESHOLD = 0.5
_LOGGER = logging.getLogger(__name__)


class ServedModel:
    """Answers requests, several at a time.

    Args:
        model: Of Keras, from uint8 `(B, H, W, C)` to `(B, classes)`.
        reader: Makes images of what a request brings.
        class_names: One a class.
        kind: What the model gives: `logits` or `probabilities` of one class an image,
            or `several_labels`, logits of a question for each class.
    """

    def __init__(
        self,
        model: Any,
        reader: ImageReader,
        *,
        class_names: list[str],
        kind: str,
    ) -> None:
        self.model = model
        self.class_names = class_names
        self._ask = _choose_call(model)
        self._reader = reader
        self.has_several_labels = kind == "several_labels"
        self._kind = kind
        # As many large photographs are unpacked at once as there are cores for them.
        self._places = threading.BoundedSemaphore(os.cpu_count() or 1)

    def predict(
        self, model_input: Any, params: Mapping[str, Any] | None = None
    ) -> list[dict[str, Any]]:
        """Returns label, probability and all probabilities, one mapping an image.

        Of several labels those that are likelier there than not stand in `labels`.

        Args:
            model_input: See `list_cells`.
            params: None are known.

        Raises:
            RefusedError: One of the images is none, or there are too many.
        """
        del params
        cells = list_cells(model_input, most=self._reader.limits.max_images)
        answers: list[dict[str, Any]] = []
        for start in range(0, len(cells), _BATCH):
            with self._places:
                images = self._read(cells, start)
                rows = self.ask_for_shares(images)
            answers.extend(self._describe(row) for row in rows)
        return answers

    def get_raw_model(self) -> "ServedModel":
        """Returns itself, past what MLflow puts around it."""
        return self

    def ask_for_shares(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        """Returns the probabilities of each class, `(B, classes)`.

        Args:
            images: uint8 `(B, H, W, C)`.
        """
        outputs = np.asarray(self._ask(images), np.float64)
        if self._kind == "logits":
            outputs = np.exp(outputs - outputs.max(axis=1, keepdims=True))
            outputs /= outputs.sum(axis=1, keepdims=True)
        elif self.has_several_labels:
            outputs = (1 + np.tanh(outputs / 2)) / 2  # the sigmoid, of any number
        if not np.isfinite(outputs).all():
            raise ValueError("The model gave an output that is no number.")
        return outputs

    def read(self, cell: Any) -> npt.NDArray[np.uint8]:
        """Returns an image as the model sees it, uint8 `(H, W, C)`; see `ImageReader`.

        Raises:
            RefusedError: It is none.
        """
        return self._reader.read(cell)

    def _read(self, cells: list[Any], start: int) -> npt.NDArray[np.uint8]:
        images = []
        for number, cell in enumerate(cells[start : start + _BATCH], start + 1):
            try:
                images.append(self._reader.read(cell))
            except RefusedError as error:
                several = f"Image {number} of {len(cells)}"
                which = several if len(cells) > 1 else "This"
                raise RefusedError(f"{which} {error.message}.") from None
        return np.stack(images)

    def _describe(self, row: npt.NDArray[np.float64]) -> dict[str, Any]:
        best = int(row.argmax())
        names = self.class_names
        if self.has_several_labels:
            shares = dict(zip(names, row.tolist(), strict=True))
            there = [name for name, share in shares.items() if share > _THRESHOLD]
            return {"labels": there, "probabilities": shares}
        return {
            "label": names[best],
            "probability": float(row[best]),
            "probabilities": dict(zip(names, row.tolist(), strict=True)),
        }


def _load_pyfunc(
    path: str, model_config: Mapping[str, Any] | None = None
) -> ServedModel:
    """Loads a model in Keras' safe mode, which runs no code of the file.

    Args:
        path: Folder with the model and its settings.
        model_config: The limits, as MLflow hands them over.
    """
    settings = json.loads(Path(path, SETTINGS).read_text("utf-8"))
    os.environ.setdefault("KERAS_BACKEND", settings["backend"])
    import keras

    model = keras.saving.load_model(Path(path, MODEL), compile=False, safe_mode=True)
    limits = {**settings["limits"], **(model_config or {})}
    shape = tuple(settings["image_shape"])
    reader = ImageReader(
        image_shape=shape,
        crop_ratio=settings["crop_ratio"],
        background=tuple(settings["background"]),
        limits=Limits(**{name: int(limits[name]) for name in settings["limits"]}),
    )
    served = ServedModel(
        model,
        reader,
        class_names=settings["class_names"],
        kind=settings["kind"],
    )
    served.ask_for_shares(
        np.zeros((1, *shape), np.uint8)
    )  # compiled before it is asked
    return served


def _choose_call(model: Any) -> Callable[[npt.NDArray[np.uint8]], Any]:
    """Returns what asks a model without being compiled anew for each batch's size."""
    import keras

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        shape = (None, *model.input_shape[1:])
        call = tf.function(
            lambda images: keras.tree.flatten(model(images, training=False))[0],
            input_signature=[tf.TensorSpec(shape, tf.uint8)],
        )
        return lambda images: call(tf.constant(images)).numpy()

    def ask(images: npt.NDArray[np.uint8]) -> Any:
        size = 1 << (len(images) - 1).bit_length()  # a few sizes, the rest is filled
        padded = np.zeros((size, *images.shape[1:]), np.uint8)
        padded[: len(images)] = images
        return model.predict_on_batch(padded)[: len(images)]

    return ask
