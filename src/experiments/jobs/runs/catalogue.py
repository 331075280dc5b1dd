"""The runs of an output folder: what each is, how it stands, and its disk.

Only files are read, and what they say is material: no framework, no tracker.
"""

import os
import re
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from experiments import job_files
from experiments.config.checks.unused import name_task
from experiments.config.kinds.metric_names import (
    BEST,
    name_as_today,
    name_best,
    name_of_epoch,
)
from experiments.config.kinds.objective import EPOCH_METRICS, EPOCH_METRICS_SEVERAL
from experiments.config.schema.task import TASKS
from experiments.errors import ExperimentError, make_printable
from experiments.jobs.folder import is_held
from experiments.jobs.job import JobResult
from experiments.records import RecordError, read_bytes
from experiments.tracking.spool.journal import (
    Entry,
    find_end,
    read_entries,
    read_opening,
)
from experiments.tracking.spool.seen import name_tags
from experiments.tracking.spool.spool import Spool
from experiments.tracking.store.runs.run_names import Kind

State = Literal[
    "finished", "paused", "to_continue", "running", "failed", "killed", "unreadable"
]

_METRICS = dict.fromkeys((*EPOCH_METRICS, *EPOCH_METRICS_SEVERAL))
# By `run.kind`; what is trained has none. A trial holds the runs of several seeds.
_KINDS: dict[str, Kind] = {"sweep": "sweep", "search": "search", "trial": "trial"}
_ENDS: dict[str, State] = {"FINISHED": "finished", "FAILED": "failed"}
_NOT_ENTERED = {job_files.ARTIFACTS, job_files.CHECKPOINTS, job_files.SEARCH, ".hydra"}
_CHOICES = Path(".hydra", "hydra.yaml")  # without a tracker there is no other
_CHOICE = re.compile(r"^      (\w+): ([^\s'\"]+)$", re.MULTILINE)
_YAML_BYTES = 2**20
# What such a task leaves is no result, and its folder that of a command.
_COMMANDS = {
    name_task(target)
    for target, task in TASKS.items()
    if not getattr(task, "keeps_result", True)
}


@dataclass(frozen=True, kw_only=True)
class ListedRun:
    """A run, a sweep or a search, as its folder tells.

    Attributes:
        folder: Where it is, absolute.
        kind: What it is.
        name: As people read it.
        state: How it stands.
        run_ids: MLflow's ids that it has had, the latest first.
        experiment: Of MLflow, where it was to be recorded; `None` with `tracking=off`.
        tags: Of its record, and `choice.model` and the like without one.
        metrics: Final ones, by name.
        monitor: The metric that its best epoch was chosen by.
        begun: When it was started first, seconds since 1970.
        changed: When it was last written to, likewise.
        reason: Why it is unreadable or did not finish.
    """

    folder: Path
    kind: Kind
    name: str
    state: State
    run_ids: tuple[str, ...] = ()
    experiment: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    monitor: str | None = None
    begun: float = 0.0
    changed: float = 0.0
    reason: str | None = None

    @property
    def state_in_words(self) -> str:
        """How it stands, for people."""
        return self.state.replace("_", " ")

    @property
    def run_id(self) -> str | None:
        """Its latest id in MLflow."""
        return next(iter(self.run_ids), None)

    @property
    def score(self) -> float | None:
        """The monitored value of the best epoch."""
        if self.monitor is None:
            return None
        return self.metrics.get(name_best(self.monitor))

    def choice(self, group: str) -> str | None:
        """Returns the option that was chosen of a group, such as `model`."""
        return self.tags.get(f"choice.{group}")


def list_runs(output_dir: Path) -> list[ListedRun]:
    """Returns all runs, sweeps and searches below a folder, the latest first."""
    found = [
        run
        for folder in find_job_folders(output_dir)
        if (run := read_run(folder, output_dir)) is not None
    ]
    return sorted(found, key=lambda run: (-run.begun, str(run.folder)))


def find_job_folders(output_dir: Path) -> Iterator[Path]:
    """Yields the folders in which a job, a sweep or a search was started.

    Links are not followed: what lies elsewhere is somebody else's.
    """
    marks = {job_files.LOCK, job_files.RESULT, job_files.TRACKING}
    for path, folders, files in os.walk(output_dir):
        if Path(path) != output_dir and marks & {*folders, *files}:
            yield Path(path)
        left_out = _NOT_ENTERED | {job_files.TRACKING}
        folders[:] = sorted(name for name in folders if name not in left_out)


def read_run(folder: Path, output_dir: Path) -> ListedRun | None:
    """Reads what a folder says of its run; `None` for one that has none.

    Args:
        folder: Of the job, the sweep or the search.
        output_dir: Of all of them.
    """
    times = _read_times(folder)
    try:
        spool = Spool(folder, output_dir)
        # A journal that is whole begins with what the run is; the rest may be long.
        opening = read_opening(spool.journal) if spool.journal.exists() else None
        run = (
            _read_untracked(folder)
            if opening is None
            else _read_tracked(folder, spool, opening)
        )
    except (ExperimentError, OSError) as error:
        reason = make_printable(str(error))
        return ListedRun(
            folder=folder,
            kind="run",
            name=folder.name,
            state="unreadable",
            reason=reason,
            begun=times[0],
            changed=times[1],
        )
    if run is None:
        return None
    return replace(run, begun=run.begun or times[0], changed=times[1])


def is_running(folder: Path) -> bool:
    """Tells whether a process works in a folder; a link in it is not followed."""
    names = (job_files.HOLDER, job_files.LOCK)
    return all(is_plain_file(folder / name) for name in names) and is_held(folder)


def is_plain_file(path: Path) -> bool:
    """Tells whether something is an ordinary file, and no link to one."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def measure(folder: Path) -> int:
    """Returns the bytes of a run's files; those of jobs in it are theirs.

    Links count as what they are, not as what they lead to.
    """
    jobs = {job_files.LOCK, job_files.RESULT}
    total = 0
    for path, folders, files in os.walk(folder):
        if Path(path) != folder and jobs & set(files):
            folders[:] = []
            continue
        for name in files:
            with suppress(OSError):  # gone by now
                total += Path(path, name).lstat().st_size
    return total


def measure_store(output_dir: Path) -> int:
    """Returns the bytes of the embedded database and of the files in its care."""
    beside = f"{job_files.DATABASE}*"  # and what SQLite keeps
    files = [path for path in output_dir.glob(beside) if is_plain_file(path)]
    artifacts = output_dir / job_files.ARTIFACTS
    for place, _, names in os.walk(artifacts):
        files += [Path(place, name) for name in names]
    total = 0
    for path in files:
        with suppress(OSError):
            total += path.lstat().st_size
    return total


def _read_tracked(folder: Path, spool: Spool, opening: Entry) -> ListedRun:
    tags = name_tags(opening.content["tags"], opening.format)
    result = JobResult.load(folder)
    run = ListedRun(
        folder=folder,
        kind=_KINDS.get(tags.get("run.kind", ""), "run"),
        name=make_printable(opening.content["name"]),
        state=_find_state(folder, result),
        run_ids=tuple(spool.list_run_ids()),
        experiment=opening.content["target"]["experiment"],
        tags={key: make_printable(value) for key, value in tags.items()},
        begun=opening.time / 1000,
        **_describe_result(result),
    )
    return run if run.kind == "run" else _read_parent(run, spool)


def _read_parent(run: ListedRun, spool: Spool) -> ListedRun:
    """Returns a sweep or search, which leaves no result but its journal."""
    entries = read_entries(spool.journal)
    state: State = run.state
    if state != "running":
        end = find_end(entries)
        status = "" if end is None else str(end.content["status"])
        state = _ENDS.get(status, "to_continue")
    recorded = {
        make_printable(name): value
        for entry in entries
        if entry.kind == "metrics"
        for name, value in entry.content["values"].items()
    }
    metrics = name_as_today(recorded)
    best = [name_of_epoch(name) for name in metrics if name.startswith(BEST)]
    return replace(run, state=state, metrics=metrics, monitor=next(iter(best), None))


def _read_untracked(folder: Path) -> ListedRun | None:
    """Returns a job without a tracker, by what it and Hydra have left."""
    choices = _read_choices(folder / _CHOICES)
    result = JobResult.load(folder)
    if choices.get("task") in _COMMANDS or not (choices or result):
        return None
    return ListedRun(
        folder=folder,
        kind="run",
        name=folder.name if result is None else result.name,
        state=_find_state(folder, result),
        tags={f"choice.{group}": option for group, option in choices.items()},
        **_describe_result(result),
    )


def _read_choices(path: Path) -> dict[str, str]:
    """Returns group -> option, which Hydra lists; to read all of its YAML is slow."""
    try:
        text = read_bytes(path, limit=_YAML_BYTES).decode(errors="replace")
    except (FileNotFoundError, RecordError):
        return {}
    listed = text.partition("\n    choices:\n")[2]
    return dict(_CHOICE.findall(listed))


def _describe_result(result: JobResult | None) -> dict[str, Any]:
    if result is None:
        return {}
    metrics, value = result.metrics, result.objective
    names = [name_of_epoch(name) for name in metrics if name.startswith(BEST)]
    # Equal to others by chance at most: those of the validation come first.
    known = {name: place for place, name in enumerate(_METRICS)}
    names.sort(key=lambda name: known.get(name, len(known)))
    equal = [name for name in names if metrics[name_best(name)] == value]
    return {
        "metrics": metrics,
        "monitor": next(iter(equal), None) if value is not None else None,
        "reason": result.reason,
    }


def _read_times(folder: Path) -> tuple[float, float]:
    """Returns when a folder was made and last written to, as its files tell."""
    names = (
        job_files.LOCK,
        job_files.RESULT,
        Path(job_files.TRACKING, job_files.JOURNAL),
    )
    times = [folder.lstat().st_mtime]
    for name in names:
        with suppress(OSError):
            times.append((folder / name).lstat().st_mtime)
    return min(times), max(times)


def _find_state(folder: Path, result: JobResult | None) -> State:
    if is_running(folder):
        return "running"
    if result is not None and result.status == "FINISHED":
        return "paused" if result.end == "paused" else "finished"
    if result is not None and result.status == "FAILED":
        return "failed"
    goes_on = is_plain_file(folder / job_files.CHECKPOINTS / job_files.MANIFEST)
    return "to_continue" if goes_on else "killed"
