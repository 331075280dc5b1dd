"""The form of `origin.json`: what a run was made from."""

from typing import Literal, NotRequired, TypedDict

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


class Origin(TypedDict, total=False):
    """Hashes and versions of all that a result depends on beside its config."""

    code: dict[str, str]
    packages: dict[str, str]
    data: dict[str, str]
    files: Files
