"""One state of a training in one file, whose name tells whether it is whole.

The name ends in the first digits of the file's SHA-256.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from experiments.training.manifest import commit_file
from experiments.training.state import Position, TrainingState
from experiments.training.tensor_file import iterate_bytes, parse_bytes, read_metadata

SUFFIX = ".safetensors"
_FACTS = "facts"
_DIGITS = 16


class NotFiniteError(ValueError):
    """A weight is NaN or infinite: a state that is not worth continuing from."""


def write_state(folder: Path, state: TrainingState) -> tuple[str, str]:
    """Writes a state; it is whole or absent at every moment.

    Returns:
        The file's name and its SHA-256.

    Raises:
        NotFiniteError: A weight is not finite.
        OSError: The disk refuses; nothing is left behind.
    """
    _check_finite(state.arrays)
    position = state.position
    stem = f"epoch-{position.epoch:04d}-step-{position.step:06d}"
    temporary = folder / f"unfinished-{stem}{SUFFIX}"
    try:
        sha256 = _write_and_hash(temporary, state)
        name = f"{stem}-{sha256[:_DIGITS]}{SUFFIX}"
        commit_file(temporary, folder / name)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return name, sha256


def read_state(path: Path) -> TrainingState:
    """Reads a state.

    Raises:
        ValueError: The file is damaged: its content has another hash.
        OSError: It is absent or cannot be read.
    """
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if not path.stem.endswith(f"-{found[:_DIGITS]}"):
        raise ValueError("its content does not have the hash that its name states")
    arrays, metadata = parse_bytes(content)
    facts = json.loads(metadata[_FACTS])
    return TrainingState(
        arrays=arrays, **{**facts, "position": Position(**facts["position"])}
    )


def read_facts(path: Path) -> dict[str, Any]:
    """Reads what a state says about itself, without its arrays."""
    return json.loads(read_metadata(path)[_FACTS])


def hash_if_whole(path: Path) -> str | None:
    """Returns the SHA-256 of a state's file; `None` when it is damaged or gone."""
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None
    return found if path.stem.endswith(f"-{found[:_DIGITS]}") else None


def _write_and_hash(path: Path, state: TrainingState) -> str:
    """Hashes what it writes: reading it again would take longer than writing it."""
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for part in iterate_bytes(state.arrays, {_FACTS: _pack_facts(state)}):
            digest.update(part)
            file.write(part)
    return digest.hexdigest()


def _pack_facts(state: TrainingState) -> str:
    facts = {
        "position": asdict(state.position),
        "history": [dict(epoch) for epoch in state.history],
        "memory": state.memory,
        "finished": state.finished,
    }
    return json.dumps(facts)


def _check_finite(arrays: Mapping[str, Any]) -> None:
    for name, array in arrays.items():
        # An optimizer's scalar may be infinite, such as a best value so far.
        judged = name.startswith("model/") or (
            name.startswith("optimizer/") and array.ndim > 0
        )
        if judged and not np.isfinite(array).all():
            raise NotFiniteError(f"{name} is not finite")
