"""What jobs of before took, by their own records."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from experiments import job_files
from experiments.config.schema.run import RunConfig
from experiments.errors import ExperimentError
from experiments.records import read_record
from experiments.tracking.recorded import read_config
from experiments.tracking.spool.flatten import flatten_config
from experiments.tracking.spool.journal import (
    PARAMS,
    PLANNED,
    SESSION,
    Entry,
    read_entries,
)
from experiments.tracking.spool.process import HOST
from experiments.tracking.spool.spool import Spool
from experiments.tracking.spool.tag_names import name_as_today

_MOST = 300  # of the newest journals: each takes some milliseconds
# What of a config decides on the time of a step and of an epoch.
_GROUPS = ("model", "dataset", "augment", "trainer")
_IGNORED = frozenset(
    {
        "dataset.fold",
        "dataset.fraction_seed",
        "dataset.seed",
        "dataset.split_seed",
        "trainer.epochs",
        "trainer.until_epoch",
        "trainer.label_smoothing",
        "trainer.max_minutes",
        "trainer.max_rollbacks",
        "trainer.max_steps",
        "trainer.monitor",
        "trainer.monitor_mode",
        "trainer.on_nan",
        "trainer.progress",
        "trainer.reference_batch_size",
        "trainer.rollback_factor",
    }
)
# Without these nothing is known to be alike.
_NEEDED = ("model._target_", "dataset._target_", "trainer.batch_size")
_DEVICE = "device"


@dataclass(frozen=True, kw_only=True)
class Past:
    """What one job took.

    Attributes:
        values: Its config, flat texts.
        host: The machine that it ran on last.
        device: `cpu`, or what else computed; `None` when it is not said.
        epoch_seconds: From one epoch's end to the next one's.
        train_seconds: What of that the steps of the training took.
        other_seconds: All before the first epoch and after the last one.
        bytes: Of its folder and of its files in the embedded store.
    """

    values: Mapping[str, str]
    host: str
    device: str | None
    epoch_seconds: float
    train_seconds: float
    other_seconds: float
    bytes: int


def list_past(output_dir: Path) -> list[Past]:
    """Returns what jobs below an output folder took, the newest first.

    Those whose records cannot be read are left out, and all beyond some hundreds.
    """
    patterns = ("runs/*", "sweeps/*/*")
    journal = f"{job_files.TRACKING}/{job_files.JOURNAL}"
    paths = [p for pattern in patterns for p in output_dir.glob(f"{pattern}/{journal}")]
    newest = sorted(paths, key=lambda path: path.stat().st_mtime, reverse=True)
    found = (_read(path.parents[1], output_dir) for path in newest[:_MOST])
    return [past for past in found if past is not None]


def describe_run(run: RunConfig) -> dict[str, str]:
    """Returns what of a config decides on its time, as a record would have it."""
    plain = {name: _as_plain(getattr(run, name)) for name in _GROUPS}
    plain["optimizer"] = {"_target_": run.optimizer._target_}
    found = flatten_config({**plain, "backend": run.backend})
    return {key: text for key, text in found.items() if key not in _IGNORED}


def is_alike(run: Mapping[str, str], past: Past) -> bool:
    """Tells whether a job of before did what a job would do.

    Args:
        run: See `describe_run`.
        past: The job of before; a key that it lacks is taken to be the same.
    """
    if not all(name in past.values for name in _NEEDED):
        return False
    return all(_is_same(text, past.values.get(key, text)) for key, text in run.items())


def _as_plain(node: Any) -> Any:
    """Returns a component as it stands in a config."""
    if not is_dataclass(node):
        return node
    plain = {f.name: _as_plain(getattr(node, f.name)) for f in fields(node)}
    return {**plain, **plain.pop("extra", {})}


def _is_same(one: str, other: str) -> bool:
    try:
        return one == other or float(one) == float(other)
    except ValueError:
        return False


def _read(folder: Path, output_dir: Path) -> Past | None:
    try:
        path = folder / job_files.TRACKING / job_files.JOURNAL
        entries = read_entries(path)
        size = measure_size(folder) + _measure_stored(folder, output_dir)
        values = _read_values(folder)
    except (ExperimentError, OSError):
        return None
    return _summarise(entries, size, values)


def _read_values(folder: Path) -> dict[str, str]:
    """Returns the config of a job; its parameters leave out what a choice implies."""
    try:
        return flatten_config(read_config(Spool(folder).artifacts))
    except FileNotFoundError:
        return {}


def _summarise(
    entries: Sequence[Entry], size: int, config: Mapping[str, str]
) -> Past | None:
    """Returns what a journal says; nothing of a job that ended no epoch."""
    values = dict(config)
    tags: dict[str, str] = {}
    for entry in entries:
        if entry.kind in (PLANNED, PARAMS):
            values |= entry.content["values"]
        elif entry.kind == SESSION:
            tags |= name_as_today(entry.content["tags"])
        elif entry.kind == "tags":
            tags |= entry.content["values"]
    sessions = list(_divide(entries))
    ends = [[e.time for e in session if _ends_epoch(e)] for session in sessions]
    count = sum(map(len, ends))
    if not count:
        return None
    ended = filter(_ends_epoch, entries)
    trained = [float(entry.content["values"]["epoch_seconds"]) for entry in ended]
    spans = [later - one for session in ends for one, later in pairwise(session)]
    total = sum(session[-1].time - session[0].time for session in sessions)
    epoch = statistics.median(spans) if spans else _first_span(sessions)
    return Past(
        values=values,
        host=tags.get(HOST, ""),
        device=tags.get(_DEVICE),
        epoch_seconds=epoch / 1000,
        train_seconds=statistics.median(trained[1:] or trained),
        other_seconds=max(0.0, total - epoch * count) / 1000,
        bytes=size,
    )


def _divide(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    """Yields the entries of each process that worked on a job."""
    session: list[Entry] = []
    for entry in entries:
        if entry.kind == SESSION and session:
            yield session
            session = []
        session.append(entry)
    if session:
        yield session


def _ends_epoch(entry: Entry) -> bool:
    return entry.kind == "metrics" and "epoch_seconds" in entry.content["values"]


def _first_span(sessions: Sequence[Sequence[Entry]]) -> float:
    """Returns how long the only epoch took, compilation included."""
    spans = (
        later.time - one.time
        for session in sessions
        for one, later in pairwise(session)
        if _ends_epoch(later)
    )
    return next(spans, 0.0)


def measure_size(folder: Path) -> int:
    """Returns the bytes of the files below a folder, links not followed."""
    files = (path for path in folder.rglob("*") if not path.is_symlink())
    return sum(path.stat().st_size for path in files if path.is_file())


def _measure_stored(folder: Path, output_dir: Path) -> int:
    """Returns the bytes of a run's files in the embedded store."""
    try:
        run_id = read_record(folder / job_files.RESULT, dict[str, Any]).get("run_id")
    except FileNotFoundError:
        return 0
    if not isinstance(run_id, str) or not run_id.isalnum():
        return 0
    places = (output_dir / job_files.ARTIFACTS).glob(f"*/{run_id}")
    return sum(map(measure_size, places))
