"""Fuzzes the readers of a run's saved states: the manifest and the states themselves.

python tests/hostile/fuzz_checkpoint.py -max_total_time=600
"""

import hashlib
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.hostile.fuzzing import fuzz, instrumented

with instrumented():
    from experiments import job_files
    from experiments.config.kinds.objective import Objective
    from experiments.errors import ExperimentError
    from experiments.training.checkpoints import (
        manifest,
        recovery,
        state_file,
        store,
        tensor_file,
    )

_PLACE = Path(tempfile.mkdtemp(prefix="fuzz-checkpoint-"))
_OBJECTIVE = Objective("val_loss", "min")


def read(data: bytes) -> None:
    """Reads a manifest, a state, or both; the first byte says which."""
    folder = _PLACE / "checkpoints"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    kind, content = (data[0] % 3, data[1:]) if data else (0, b"")
    if kind == 0:
        (folder / job_files.MANIFEST).write_bytes(content)
        _refusing(lambda: manifest.read_manifest(folder), ValueError)
    else:
        # Whoever writes a hostile state names it by its true hash.
        digest = hashlib.sha256(content).hexdigest()
        path = folder / f"epoch-0001-step-000000-{digest[:16]}.safetensors"
        path.write_bytes(content)
        _refusing(lambda: state_file.read_state(path), ValueError, OSError)
    if kind == 2:
        record = manifest.Record(
            epoch=1, step=0, file=path.name, sha256=digest, value=1
        )
        whole = manifest.Manifest(
            monitor="val_loss", mode="min", best=record, last=(record,)
        )
        manifest.write_manifest(folder, whole)
    _refusing(lambda: recovery.recover_manifest(folder, _OBJECTIVE), ExperimentError)
    _refusing(lambda: store.load_last(folder), ExperimentError)
    _refusing(lambda: store.load_best(folder), ExperimentError)


def _refusing(reading: object, *allowed: type[Exception]) -> None:
    try:
        reading()  # type: ignore[operator]
    except allowed:
        return


def good() -> Iterator[bytes]:
    """Yields a whole manifest and whole states."""
    facts = {
        "position": {"epoch": 1, "step": 0},
        "history": [{"val_loss": 0.5}],
        "memory": {"early_stopping": {"wait": 0}},
        "finished": False,
    }
    arrays = {
        "model/0/kernel": np.eye(3, dtype=np.float32),
        "optimizer/0": np.zeros(()),
    }
    parts = tensor_file.iterate_bytes(arrays, {"facts": json.dumps(facts)})
    state = b"".join(bytes(part) for part in parts)
    yield b"\1" + state
    yield b"\2" + state
    record = {
        "epoch": 1,
        "step": 0,
        "file": "a.safetensors",
        "sha256": "0",
        "value": 0.5,
    }
    content = {"monitor": "val_loss", "mode": "min", "best": record, "last": [record]}
    yield b"\0" + json.dumps(content).encode()


if __name__ == "__main__":
    import logging

    logging.disable()
    try:
        fuzz(read, good(), megabytes=4096)
    finally:
        shutil.rmtree(_PLACE)
