"""Loads an exported file by the run time it is meant for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from experiments.errors import ExperimentError
from experiments.export.formats import ENCODED, INPUT, SERVE_ENCODED, Format

Ask = Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.float32]]

_LONGEST = 300  # letters of another library's reason


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """An exported model, ready to be asked.

    Attributes:
        form: Which form.
        ask: Takes uint8 `(B, H, W, C)`, gives float32 `(B, classes)`.
    """

    form: Format
    ask: Ask


def load_exported(form: Format, path: Path, output: str) -> Loaded:
    """Loads what `write_format` wrote.

    Args:
        form: Which form.
        path: Where it is.
        output: Name of the result.

    Raises:
        ExperimentError: It does not load, or takes or gives something else.
    """
    try:
        inputs, outputs, ask = _LOADERS[form.keras](path, output)
    except Exception as error:  # run times raise whatever they like
        reason = " ".join(str(error).split())[:_LONGEST]
        raise ExperimentError(f"{form.runtime} does not load it: {reason}") from error
    if (inputs, outputs) != ([INPUT], [output]):
        raise ExperimentError(
            f"{form.name} must take {INPUT} and give {output}. Received: it takes "
            f"{', '.join(inputs)} and gives {', '.join(outputs)}."
        )
    return Loaded(form=form, ask=ask)


def _load_saved_model(path: Path, output: str) -> tuple[list[str], list[str], Ask]:
    import tensorflow as tf

    loaded = tf.saved_model.load(str(path))
    signature = loaded.signatures["serving_default"]

    def ask(images: npt.NDArray[np.uint8]) -> Any:
        with tf.device("/CPU:0"):
            # The signature lives as long as what it was loaded from.
            return loaded.signatures["serving_default"](image=tf.constant(images))[
                output
            ].numpy()

    takes = signature.structured_input_signature[1]
    return sorted(takes), sorted(signature.structured_outputs), ask


def load_encoded(path: Path, output: str) -> Callable[[Sequence[bytes]], Any]:
    """Returns what asks a SavedModel about files, float32 `(B, classes)`.

    Args:
        path: Of the SavedModel.
        output: Name of the result.
    """
    import tensorflow as tf

    loaded = tf.saved_model.load(str(path))

    def ask(files: Sequence[bytes]) -> Any:
        with tf.device("/CPU:0"):
            given = {ENCODED: tf.constant(list(files))}
            return loaded.signatures[SERVE_ENCODED](**given)[output].numpy()

    return ask


def _load_onnx(path: Path, output: str) -> tuple[list[str], list[str], Ask]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        str(path), options, providers=["CPUExecutionProvider"]
    )

    def ask(images: npt.NDArray[np.uint8]) -> Any:
        return session.run([output], {INPUT: images})[0]

    takes, gives = session.get_inputs(), session.get_outputs()
    return [one.name for one in takes], [one.name for one in gives], ask


def _load_litert(path: Path, output: str) -> tuple[list[str], list[str], Ask]:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path))
    interpreter.allocate_tensors()
    runner = interpreter.get_signature_runner()

    def ask(images: npt.NDArray[np.uint8]) -> Any:
        return runner(**{INPUT: images})[output]

    takes, gives = runner.get_input_details(), runner.get_output_details()
    return sorted(takes), sorted(gives), ask


_LOADERS = {
    "tf_saved_model": _load_saved_model,
    "onnx": _load_onnx,
    "litert": _load_litert,
}
