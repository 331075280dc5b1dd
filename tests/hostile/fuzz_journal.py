"""Fuzzes the readers of a run's and of a search's journal.

python tests/hostile/fuzz_journal.py -max_total_time=600
"""

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.hostile.fuzzing import fuzz, instrumented

with instrumented():
    from experiments import job_files
    from experiments.errors import ExperimentError
    from experiments.search.trials import journal as trial_journal
    from experiments.tracking.spool import journal

_PLACE = Path(tempfile.mkdtemp(prefix="fuzz-journal-")) / "search"
_PLACE.mkdir()
_PATH = _PLACE / job_files.TRIALS
_OUTCOME = {"end": "complete", "objective": 0.5, "folders": ["../a-1"], "epochs": 1}
_TARGET = {"uri": None, "experiment": "a", "ui_url": "http://h", "server_timeout": 3}
_SESSION = {"job_id": "1", "resumed": 0, "name": "a", "tags": {}, "parent": None}
_ASKED = {"number": 0, "values": {"seed": 1}, "epochs": None, "parent": None}
_TRACKING = (
    ("session", {**_SESSION, "target": _TARGET}),
    ("metrics", {"step": 1, "values": {"val_loss": 0.5}}),
    ("params", {"values": {"seed": "0"}}),
    ("tags", {"values": {"a": "b"}}),
    ("artifact", {"file": "artifacts/1/config.yaml", "path": "config.yaml"}),
    ("model", {"name": "model", "step": 1, "folder": "models/model-1"}),
    ("end", {"status": "FINISHED", "reason": None}),
)
_TRIALS = (
    ("asked", {**_ASKED, "overrides": ["seed=1"]}),
    ("told", {"number": 0, "outcome": _OUTCOME}),
    ("asked", {**_ASKED, "number": 1, "parent": 0, "epochs": 3, "overrides": []}),
    ("told", {"number": 1, "outcome": {"end": "failed", "failure": "oom"}}),
    ("told", {"number": 7, "outcome": {"end": "x", "folders": ["../../x", "/etc"]}}),
)


def read(data: bytes) -> None:
    """Reads a journal as both kinds, and opens it for more, which must keep what is."""
    _PATH.write_bytes(data)
    entries = journal.read_entries(_PATH)
    if len(entries) != data.count(b"\n"):
        raise AssertionError("a line lost its place")
    again = journal.Journal(_PATH)
    again.append("metrics", {"step": 1})
    again.close()
    if len(journal.read_entries(_PATH)) != len(entries) + 1:
        raise AssertionError("an entry is lost")
    for reading in (
        lambda: journal.find_opening(entries),
        lambda: trial_journal.read_trials(_PLACE),
    ):
        try:
            reading()
        except ExperimentError:
            continue


def good() -> Iterator[bytes]:
    """Yields journals with every kind of entry, whole and torn."""
    for entries in (_TRACKING, _TRIALS):
        lines = [
            json.dumps({"kind": kind, "time": 1, "content": content}).encode()
            for kind, content in entries
        ]
        for count in range(1, len(lines) + 1):
            yield b"\n".join(lines[:count]) + b"\n"
        yield b"\n".join(lines)


if __name__ == "__main__":
    fuzz(read, good(), allowed=(ExperimentError,), megabytes=2048)
