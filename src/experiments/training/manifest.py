"""Which saved states of a run are valid, and how a file becomes one of them."""

import dataclasses
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from experiments.errors import ExperimentError

MANIFEST = "manifest.json"


@dataclass(frozen=True, kw_only=True)
class Record:
    """One saved state.

    Attributes:
        epoch: Completed epochs, counted from 1.
        file: Name of the weights' file beside the manifest.
        sha256: Hash of that file.
        metrics: The epoch's metrics.
    """

    epoch: int
    file: str
    sha256: str
    metrics: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """Which files count; whatever it does not name is left over from a crash.

    Attributes:
        monitor: Metric that decided which epoch is best.
        mode: Whether a larger or a smaller value is better.
        best: State with the best value; `None` while there was no finite one.
        last: State to continue from.
    """

    monitor: str
    mode: Literal["max", "min"]
    best: Record | None = None
    last: Record | None = None


def read_manifest(folder: Path) -> Manifest:
    """Reads which states `folder` holds.

    Raises:
        ExperimentError: Nothing was committed there.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise ExperimentError(f"{path} does not exist: no state was saved there.")
    content = json.loads(path.read_text())
    for role in ("best", "last"):
        if content[role] is not None:
            content[role] = Record(**content[role])
    return Manifest(**content)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Replaces the manifest of `folder`: from here on its states are the valid ones."""
    temporary = folder / f"unfinished-{MANIFEST}"
    temporary.write_text(json.dumps(dataclasses.asdict(manifest), indent=2))
    commit_file(temporary, folder / MANIFEST)


def commit_file(temporary: Path, path: Path) -> None:
    """Gives a finished file its name such that a power cut leaves all or nothing."""
    _flush(temporary)
    temporary.replace(path)
    _flush(path.parent)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def hash_file(path: Path) -> str:
    """Returns the SHA-256 of a file, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
