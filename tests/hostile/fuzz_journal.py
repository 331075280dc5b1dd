"""Fuzzes the readers of a run's and of a search's journal.

python tests/hostile/fuzz_journal.py -max_total_time=600
"""

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.hostile.fuzzing import fuzz

with atheris.instrument_imports(include=["experiments"]):
    from experiments.errors import ExperimentError
    from experiments.search import trial_journal
    from experiments.tracking import journal

_PLACE = Path(tempfile.mkdtemp(prefix="fuzz-journal-")) / "search"
_PLACE.mkdir()
_PATH = _PLACE / trial_journal.JOURNAL_FILE
_OUTCOME = {"status": "FINISHED", "value": 0.5, "metrics": {"val_loss": 0.5}}
_LINES = (
    ("session", {"name": "a", "experiment": "b", "tags": {"x": "1"}, "uri": "sqlite"}),
    ("metrics", {"step": 1, "values": {"val_loss": 0.5}}),
    ("params", {"seed": 0, "lr": 1e-3}),
    ("artifact", {"file": "artifacts/1/config.yaml", "path": "config.yaml"}),
    ("asked", {"number": 0, "values": {"seed": 1}, "epochs": None, "parent": None}),
    ("asked", {"number": 1, "values": {}, "overrides": ["seed=1"], "epochs": 2}),
    ("told", {"number": 0, "outcome": _OUTCOME}),
    ("told", {"number": 7, "outcome": {"folders": ["../../x", "/etc"]}}),
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
    lines = [
        json.dumps({"kind": kind, "time": 1, "content": content}).encode()
        for kind, content in _LINES
    ]
    yield b"\n".join(lines) + b"\n"
    yield b"\n".join(lines)
    yield from (line + b"\n" for line in lines)


if __name__ == "__main__":
    fuzz(read, good(), allowed=(ExperimentError,), megabytes=2048)
