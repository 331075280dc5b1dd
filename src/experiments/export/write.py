"""Writes a network in a form, by Keras' own `export`."""

import logging
import shutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from experiments.counts import format_bytes
from experiments.disk_space import is_full
from experiments.errors import ExperimentError
from experiments.export.encoded import Decode
from experiments.export.formats import ENCODED, INPUT, OPSET, SERVE_ENCODED, Format
from experiments.export.network import without_scaling

_NO_SPACE = "No space left on device"  # as TensorFlow tells it
_LONGEST = 300  # letters of another library's reason


def write_format(
    network: Any,
    form: Format,
    path: Path,
    *,
    calibration: Callable[[], Iterator[npt.NDArray[np.uint8]]] | None = None,
    decode: Decode | None = None,
) -> None:
    """Writes a network.

    Args:
        network: What `build_exported` returned.
        form: Which form.
        path: Where to, a folder for a SavedModel.
        calibration: Yields images `(1, H, W, C)`, of which the ranges of integers are
            learnt; needed by forms of integers.
        decode: Reads files in a SavedModel, of which it then has a second signature.

    Raises:
        ExperimentError: Its converter does not take the network.
    """
    options: dict[str, Any] = {"format": form.keras, "verbose": False}
    export = network.export
    if form.keras == "tf_saved_model" and decode is not None:
        export, options = _export_both, {"network": network, "decode": decode}
    elif form.keras == "onnx":
        options |= {"opset_version": OPSET}
    elif form.keras == "litert":
        # Nothing that would need TensorFlow beside the run time.
        options["target_spec"] = {"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS]}
    if not form.is_exact:
        if calibration is None:
            raise ValueError("Integers need images to learn their ranges of.")
        options["optimizations"] = [tf.lite.Optimize.DEFAULT]
        options["representative_dataset"] = lambda: (
            {INPUT: images} for images in calibration()
        )
    try:
        with _undisturbed():
            export(str(path), **options)
    except Exception as error:  # converters raise whatever they like
        _refuse_full_disk(error, path)
        reason = " ".join(str(error).split())[:_LONGEST]
        raise ExperimentError(
            f"{form.name} cannot hold this model: {type(error).__name__}: {reason}"
        ) from error


def _refuse_full_disk(error: Exception, path: Path) -> None:
    """Raises where a disk is full, in TensorFlow's words or the system's."""
    if not (isinstance(error, OSError) and is_full(error)) and _NO_SPACE not in str(
        error
    ):
        return
    free = format_bytes(shutil.disk_usage(path.parent).free)
    raise ExperimentError(
        f"The disk is full: {path.name} does not fit into the {free} that are free "
        "where it goes. Nothing was kept. task=clean says what can go; output_dir=... "
        "is another place."
    ) from error


def _export_both(path: str, *, network: Any, decode: Decode) -> None:
    """Writes a SavedModel that takes pixels, and files too."""
    sized = without_scaling(network)

    def serve_encoded(encoded: Any) -> Any:
        return sized(decode(encoded))

    archive = keras.export.ExportArchive()
    pixels = tf.TensorSpec(network.input_shape, tf.uint8, name=INPUT)
    archive.track_and_add_endpoint("serve", network, [pixels])
    files = tf.TensorSpec((None,), tf.string, name=ENCODED)
    archive.add_endpoint(SERVE_ENCODED, serve_encoded, [files])
    archive.write_out(path, verbose=False)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Keeps what converters say of themselves off the screen."""
    loggers = [logging.getLogger(name) for name in ("tf2onnx", "absl", "tensorflow")]
    former = [logger.disabled for logger in loggers]
    for logger in loggers:
        logger.disabled = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, disabled in zip(loggers, former, strict=True):
            logger.disabled = disabled
