"""A Keras model as an MLflow model: quickly, and readable without this project."""

import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from experiments.tracking.client import Connection, attempt, import_mlflow


def log_keras_model(
    connection: Connection,
    run_id: str,
    *,
    model: Any,
    example: Any,
    name: str,
    metadata: dict[str, Any],
    step: int,
) -> str:
    """Stores a model, links it to its run and returns its URI.

    Args:
        connection: The open store.
        run_id: The run that trained it.
        model: A built `keras.Model` of one input and one output.
        example: Array of its input, shape (B, ...).
        name: Name of the model in MLflow.
        metadata: Facts kept inside the model.
        step: Epoch that the weights come from.

    Returns:
        `models:/<id>`, which `mlflow.keras.load_model` takes.

    Raises:
        TrackingError: If the store refuses; the model is then marked FAILED.
    """
    client = connection.client
    created = attempt(
        lambda: client.create_logged_model(
            connection.experiment_id, name=name, source_run_id=run_id
        ),
        "store the model",
    )
    try:
        _fill(connection, run_id, created, model, example, metadata, step)
    except BaseException:
        # Also for Ctrl-C: a model left PENDING would look as if it were on its way.
        client.finalize_logged_model(created.model_id, "FAILED")
        raise
    finalize = client.finalize_logged_model
    attempt(lambda: finalize(created.model_id, "READY"), "store the model")
    return f"models:/{created.model_id}"


def _fill(
    connection: Connection,
    run_id: str,
    created: Any,
    model: Any,
    example: Any,
    metadata: dict[str, Any],
    step: int,
) -> None:
    import_mlflow()
    import keras
    import mlflow.keras
    from mlflow.entities import LoggedModelOutput
    from mlflow.models import Model

    client, model_id = connection.client, created.model_id
    record = Model(
        artifact_path=created.artifact_location,
        model_uuid=model_id,
        run_id=run_id,
        model_id=model_id,
    )
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "model"))
        # Without requirements of ours MLflow imports everything in a new process to
        # infer them (13 s); with an input example it fails for Keras 3.
        mlflow.keras.save_model(
            # The same layers without the optimizer's state, which doubles the file,
            # and the loss and schedule, which only this project can load.
            keras.Model(model.inputs, model.outputs, name=model.name),
            path,
            mlflow_model=record,
            signature=_signature(model, example),
            pip_requirements=_requirements(),
            metadata=metadata or None,
        )
        store = client.log_model_artifacts
        attempt(lambda: store(model_id, path), "store the model")
    link = [LoggedModelOutput(model_id, step)]
    attempt(lambda: client.log_outputs(run_id, link), "link the model to its run")


def _signature(model: Any, example: Any) -> Any:
    """Returns the types and shapes of input and output, any number of images."""
    import keras
    import numpy as np
    from mlflow.models import ModelSignature
    from mlflow.types import Schema, TensorSpec

    spec = keras.KerasTensor((None, *example.shape[1:]), str(example.dtype))
    output = model.compute_output_spec(spec)
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
