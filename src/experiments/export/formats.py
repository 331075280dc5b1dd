"""The forms in which a model can leave, and what runs each."""

from collections.abc import Mapping
from dataclasses import dataclass

from experiments.evaluation.predictions import THRESHOLD

INPUT = "image"
ENCODED = "encoded"  # of the signature that takes files
SERVE_ENCODED = "serve_encoded"
# What ONNX Runtime has known since 2022.
OPSET = 18


@dataclass(frozen=True, kw_only=True)
class Format:
    """A form of a model.

    Attributes:
        name: As `task.formats` takes it.
        file: Of the bundle, a folder for a SavedModel.
        runtime: What runs it, in words.
        keras: What `keras.Model.export` calls it.
        is_exact: Whether it computes in the same numbers as the model.
    """

    name: str
    file: str
    runtime: str
    keras: str
    is_exact: bool = True


_ALL = (
    Format(
        name="saved_model",
        file="saved_model",
        runtime="TensorFlow",
        keras="tf_saved_model",
    ),
    Format(name="onnx", file="model.onnx", runtime="ONNX Runtime", keras="onnx"),
    Format(name="litert", file="model.tflite", runtime="LiteRT", keras="litert"),
    Format(
        name="litert_int8",
        file="model_int8.tflite",
        runtime="LiteRT",
        keras="litert",
        is_exact=False,
    ),
)
FORMATS: Mapping[str, Format] = {one.name: one for one in _ALL}


def choose_threshold(output: str) -> float:
    """Returns what an output is above where one of several labels is there.

    Args:
        output: What a file gives: `probabilities` or `logits`.
    """
    return THRESHOLD if output == "probabilities" else 0.0
