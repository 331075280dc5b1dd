"""One state of a training in one file, whose name tells whether it is whole.

The name ends in the first digits of the file's SHA-256.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from experiments import job_files
from experiments.files import commit_file, open_new
from experiments.records import open_file, parse_record, stamp
from experiments.training.checkpoints.state import Position, TrainingState
from experiments.training.checkpoints.state_name import DIGITS
from experiments.training.checkpoints.tensor_file import (
    iterate_bytes,
    parse_bytes,
    read_metadata,
)

_FACTS = "facts"


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a state says about itself, see `TrainingState`."""

    position: Position
    history: tuple[dict[str, float], ...]
    memory: dict[str, Any]
    finished: bool


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
    temporary = folder / f"unfinished-{stem}{job_files.STATE_SUFFIX}"
    try:
        sha256 = _write_and_hash(temporary, state)
        name = f"{stem}-{sha256[:DIGITS]}{job_files.STATE_SUFFIX}"
        commit_file(temporary, folder / name, durable=True)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return name, sha256


def read_state(path: Path) -> TrainingState:
    """Reads a state.

    Raises:
        ValueError: The file is damaged: its content has another hash, or is no state.
        NewerRecordError: A later release wrote it.
        OSError: It is absent or cannot be read.
    """
    with open_file(path) as file:
        facts = _parse_facts(
            read_metadata(file), path
        )  # also: its size is what it says
        _check_memory(os.fstat(file.fileno()).st_size)
        file.seek(0)
        content = file.read()
    found = hashlib.sha256(content).hexdigest()
    if not path.stem.endswith(f"-{found[:DIGITS]}"):
        raise ValueError("its content does not have the hash that its name states")
    arrays, _ = parse_bytes(content)
    return TrainingState(
        arrays=arrays,
        position=facts.position,
        history=facts.history,
        memory=facts.memory,
        finished=facts.finished,
    )


def read_facts(path: Path) -> Facts:
    """Reads what a state says about itself, without its arrays.

    Raises:
        ValueError: It is no state.
        OSError: It is absent or cannot be read.
    """
    with open_file(path) as file:
        return _parse_facts(read_metadata(file), path)


def hash_if_whole(path: Path) -> str | None:
    """Returns the SHA-256 of a state's file; `None` when it is damaged or gone."""
    try:
        with open_file(path) as file:
            read_metadata(file)  # a file of terabytes that holds nothing is not hashed
            file.seek(0)
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError):
        return None
    return found if path.stem.endswith(f"-{found[:DIGITS]}") else None


def _parse_facts(metadata: Mapping[str, str], path: Path) -> Facts:
    text = metadata.get(_FACTS, "")
    facts: Facts = parse_record(text.encode(), Facts, place=path)
    return facts


def _check_memory(size: int) -> None:
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if size > memory:
        raise ValueError(
            f"it has {size / 1e9:,.1f} GB, and this machine {memory / 1e9:,.1f} GB of "
            "memory"
        )


def _write_and_hash(path: Path, state: TrainingState) -> str:
    """Hashes what it writes: reading it again would take longer than writing it."""
    digest = hashlib.sha256()
    with open_new(path) as file:
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
    return json.dumps(stamp(facts))


def _check_finite(arrays: Mapping[str, Any]) -> None:
    for name, array in arrays.items():
        # An optimizer's scalar may be infinite, such as a best value so far.
        judged = name.startswith("model/") or (
            name.startswith("optimizer/") and array.ndim > 0
        )
        if judged and not np.isfinite(array).all():
            raise NotFiniteError(f"{name} is not finite")
