"""The form of `origin.json`: what a run was made from."""

from typing import Any, Literal, NotRequired, TypedDict

from experiments.config.formats.history import name_target
from experiments.shapes import Count


class Folder(TypedDict):
    """The images of one class when they were read."""

    files: Count
    stats: str
    content: str | None


class Files(TypedDict):
    """A data set's folder when it was read, see `data.inventory`."""

    target: str
    path: str
    splits: dict[str, str]
    by_name: bool
    verify: Literal["full", "header", "off"]
    folders: dict[str, Folder]
    archive: NotRequired[bool]


class BeginningWith(TypedDict):
    """The weights that a network began with."""

    name: str
    sha256: str


class Prepared(TypedDict):
    """How a model prepares its images, where not as its data set tells."""

    mean: list[float]
    std: list[float]


def upgrade_origin(content: Any, since: int) -> Any:
    """Returns an origin of an earlier format with the name that its data set has now.

    Args:
        content: Plain data, which may be damaged.
        since: Its format.
    """
    files = content.get("files") if isinstance(content, dict) else None
    target = files.get("target") if isinstance(files, dict) else None
    if not isinstance(files, dict) or not isinstance(target, str):
        return content
    return {**content, "files": {**files, "target": name_target(target, since)}}


class Origin(TypedDict, total=False):
    """Hashes and versions of all that a result depends on beside its config."""

    code: dict[str, str]
    packages: dict[str, str]
    data: dict[str, str]
    files: Files
    weights: BeginningWith
    prepared: Prepared
