"""What each kind of entry of a journal holds, and what of it is believed."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, NotRequired, TypedDict

from experiments.shapes import Count, RelativePath, Rule, ShapeError, conform

_JOB_ID = re.compile(r"[\w-]{1,64}", re.ASCII)
_MODEL_NAME_LENGTH = 120
_NAME = re.compile(r"[\w.-]{1,200}")

# Both stand between quotes in what MLflow is asked.
_JobId = Annotated[
    str, Rule(lambda text: bool(_JOB_ID.fullmatch(text)), "letters, digits, `-`, `_`")
]
_ModelName = Annotated[
    str,
    Rule(lambda text: bool(_NAME.fullmatch(text)), "letters, digits, `-`, `_`, `.`"),
]


SYSTEM = "system/"
"""How metrics of the machine begin: MLflow's pages show them on a tab of their own.

Their steps are no epochs."""

EVALUATION = "evaluation/"
"""How metrics and files begin that an evaluation adds to a run which has ended.

What follows is the name of the data. Their step is always 0, so that what MLflow takes
for the last value is that of the last evaluation."""

EXPORT = "export/"
"""How files begin that an export adds to the run whose model left."""

Status = Literal["FINISHED", "FAILED", "KILLED"]
"""How a process has left its run, in MLflow's words."""


class _Target(TypedDict):
    uri: str | None
    experiment: str


class _Session(TypedDict):
    job_id: _JobId
    resumed: Count
    name: str
    tags: dict[str, str]
    parent: NotRequired[str | None]
    target: _Target


class _Values(TypedDict):
    values: dict[str, str]


class _Note(TypedDict):
    text: str
    part: NotRequired[str]  # heading of what it replaces; without it, everything


class _Metrics(TypedDict):
    step: int
    values: dict[str, float]
    model: NotRequired[Count]  # number of the entry of the model that has them too


class _Input(TypedDict):
    name: str
    digest: str
    context: str
    source_type: str
    source: str
    profile: str


class _Inputs(TypedDict):
    datasets: list[_Input]


class _Artifact(TypedDict):
    path: RelativePath  # in MLflow
    file: str


class _Model(TypedDict):
    name: _ModelName
    step: int
    folder: str


class _End(TypedDict):
    status: Status
    reason: str | None


_CONTENTS: Mapping[str, Any] = {
    "session": _Session,
    "params": _Values,
    "planned": _Values,
    "tags": _Values,
    "note": _Note,
    "inputs": _Inputs,
    "metrics": _Metrics,
    "artifact": _Artifact,
    "model": _Model,
    "end": _End,
}


def name_model(run_name: str) -> str:
    """Returns what a run's model is called: like the run, in signs MLflow takes."""
    name = re.sub(r"[^\w-]+", "-", run_name).strip("-")
    return name[:_MODEL_NAME_LENGTH] or "model"


def check_content(kind: str, content: object) -> dict[str, Any]:
    """Returns the content of an entry; that of an unknown kind must be a mapping.

    Raises:
        ShapeError: It is not what this kind holds.
    """
    checked = conform(content, _CONTENTS.get(kind, dict[str, Any]))
    if not isinstance(checked, dict):
        raise ShapeError("it must be a mapping")
    return checked
