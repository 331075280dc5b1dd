"""A Keras model as an MLflow model folder: quickly, readable without this project."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from experiments.files import drafting
from experiments.tracking.store.mlflow_import import import_mlflow, importing


def save_keras_model(
    model: Any, folder: Path, *, example: Any, metadata: Mapping[str, Any]
) -> None:
    """Writes a model; the folder appears when it is whole.

    Args:
        model: A built `keras.Model` of one input and one output.
        folder: To make.
        example: Array of its input, shape (B, ...).
        metadata: Facts kept inside the model.
    """
    import_mlflow()
    with importing():
        import mlflow.keras
    import keras

    # Without requirements of ours MLflow imports everything in a new process to
    # infer them (13 s); with an input example it fails for Keras 3.
    with drafting(folder, shared=True) as draft, _requirements_trusted():
        mlflow.keras.save_model(
            # The same layers without the optimizer's state, which doubles the
            # file, and the schedule, which only this project can load.
            keras.Model(model.inputs, model.outputs, name=model.name),
            str(draft),
            signature=_signature(model, example),
            pip_requirements=_requirements(),
            metadata=dict(metadata) or None,
        )


def _signature(model: Any, example: Any) -> Any:
    """Returns the types and shapes of input and output, any number of images."""
    import keras
    import numpy as np
    from mlflow.models import ModelSignature
    from mlflow.types import Schema, TensorSpec

    spec = keras.KerasTensor((None, *example.shape[1:]), str(example.dtype))
    # A model that was saved here and read again has a list of one output.
    (output,) = keras.tree.flatten(model.compute_output_spec(spec))
    shape = tuple(-1 if size is None else size for size in output.shape)
    # bfloat16 is no NumPy type; such outputs arrive as float32 in NumPy.
    dtype = "float32" if output.dtype == "bfloat16" else output.dtype
    return ModelSignature(
        inputs=Schema([TensorSpec(example.dtype, (-1, *example.shape[1:]))]),
        outputs=Schema([TensorSpec(np.dtype(dtype), (-1, *shape[1:]))]),
    )


def _requirements() -> list[str]:
    """Returns what loading takes; MLflow adds itself."""
    import keras

    return [f"{name}=={version(name)}" for name in ("keras", keras.backend.backend())]


@contextmanager
def _requirements_trusted() -> Iterator[None]:
    """Keeps MLflow from comparing the requirements with what is installed.

    They were read there a moment ago, and to compare them it lists every file of every
    installed package, which takes a second.
    """
    from mlflow.utils import environment

    compare = environment.warn_dependency_requirement_mismatches
    environment.warn_dependency_requirement_mismatches = lambda _: None
    try:
        yield
    finally:
        environment.warn_dependency_requirement_mismatches = compare
