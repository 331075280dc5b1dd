"""Adds to a Keras model of MLflow what answers images over HTTP."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.tracking.store.mlflow_import import import_mlflow, importing

_EXAMPLE = "input_example.json"
_REQUEST = "serving_input_example.json"


@dataclass(frozen=True, kw_only=True)
class Description:
    """What answers, and how it is asked.

    Attributes:
        loader: Dotted name of the module with `_load_pyfunc`.
        data: Folder that is given to it, within the model's.
        code: Folder that belongs on Python's path, likewise.
        limits: What is given to it beside, and may be changed by who serves the model.
        column: Of a request, with the images.
        example: Of its content.
        requirements: Packages that are needed beside those of the Keras model.
        has_several_labels: Whether an answer has any number of labels, and not one.
    """

    loader: str
    data: str
    code: str
    limits: Mapping[str, Any]
    column: str
    example: Any
    requirements: Sequence[str]
    has_several_labels: bool = False


def add_python_model(folder: Path, description: Description) -> None:
    """Changes a folder that `save_keras_model` has written: its `python_function`.

    Args:
        folder: Of the model.
        description: What answers.
    """
    import_mlflow()
    with importing():
        import mlflow.pyfunc
        from mlflow.models import Model

    model = Model.load(str(folder))
    files = model.flavors[mlflow.pyfunc.FLAVOR_NAME]["env"]
    mlflow.pyfunc.add_to_model(
        model,
        loader_module=description.loader,
        data=description.data,
        code=description.code,
        conda_env=files["conda"],
        python_env=files["virtualenv"],
        model_config=dict(description.limits),
    )
    model.signature = _signature(description)
    request = {"columns": [description.column], "data": [[description.example]]}
    (folder / _EXAMPLE).write_text(json.dumps(request), "utf-8")
    (folder / _REQUEST).write_text(json.dumps({"dataframe_split": request}), "utf-8")
    model.saved_input_example_info = {
        "artifact_path": _EXAMPLE,
        "serving_input_path": _REQUEST,
        "type": "dataframe",
        "pandas_orient": "split",
    }
    model.save(str(folder / "MLmodel"))
    _add_requirements(folder, files["conda"], description.requirements)


def _signature(description: Description) -> Any:
    """Returns a column of any type: base64 text is as welcome as an array.

    It is not required, so that what has none reaches the model, whose refusal is
    shorter than MLflow's, which repeats all that was sent.
    """
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema
    from mlflow.types.schema import AnyType, Array, Map

    found = [
        ColSpec(DataType.string, "label"),
        ColSpec(DataType.double, "probability"),
    ]
    if description.has_several_labels:
        found = [ColSpec(Array(DataType.string), "labels")]
    return ModelSignature(
        inputs=Schema([ColSpec(AnyType(), description.column, required=False)]),
        outputs=Schema([*found, ColSpec(Map(DataType.double), "probabilities")]),
    )


def _add_requirements(folder: Path, conda: str, wanted: Sequence[str]) -> None:
    """Adds packages to the lists from which MLflow makes an environment."""
    import yaml

    listed = folder / "requirements.txt"
    lines = listed.read_text("utf-8").splitlines()
    lines += [line for line in wanted if line not in lines]
    listed.write_text("\n".join(lines), "utf-8")
    environment = yaml.safe_load((folder / conda).read_text("utf-8"))
    pip = next(part for part in environment["dependencies"] if isinstance(part, dict))
    pip["pip"] = lines
    text = yaml.safe_dump(environment, default_flow_style=False)
    (folder / conda).write_text(text, "utf-8")
