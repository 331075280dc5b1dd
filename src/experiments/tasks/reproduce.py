"""Runs a tracked run again from its own record and compares the results."""

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.table import Table

from experiments.command.config_folders.permission import KEY
from experiments.command.plan import Plan
from experiments.command.printed import (
    describe_command,
    describe_output,
    describe_tracking,
    move_overrides,
    typed_folder,
)
from experiments.config.kinds.paths import list_paths
from experiments.config.validation import validate
from experiments.counts import agree, count_of
from experiments.errors import ConfigError, Problem, TrackingError
from experiments.jobs.job import Job, JobResult
from experiments.jobs.made_from import origin
from experiments.jobs.runs.recorded_job import as_recorded, read_recorded
from experiments.jobs.runs.repetition import in_its_experiment, name_again
from experiments.jobs.runs.run_names import settle_names
from experiments.jobs.showing.display import short_path
from experiments.screen import open_console
from experiments.tasks.train import train
from experiments.tracking.recorded import (
    RecordedRun,
    read_folder,
    read_overrides,
    read_run,
    read_tags,
)

_Row = tuple[str, float, float]


def reproduce(job: Job) -> JobResult:
    """Trains by the config of the run `run_id` and compares with its record.

    Args:
        job: Its `run.run_id` names the run.

    Returns:
        The new result; FAILED when a metric differs by more than `task.tolerance`.

    Raises:
        ExperimentError: There is no such run, or its config is no longer valid.
    """
    if not isinstance(job.run.run_id, str):
        hint = "Type run_id=last, or one that task=list shows."
        problem = Problem("run_id", "is missing.", hint)
        raise ConfigError([problem])
    recorded = read_recorded(job, job.run.run_id, typed_in=typed_folder())
    job = in_its_experiment(job, recorded)
    tolerance = job.run.task.arguments()["tolerance"]
    tags = {"reproduces": recorded.run_id}
    name = name_again(recorded.name)
    result = train(as_recorded(job, recorded, name=name, tags=tags))
    _show_changes(recorded, origin.read_origin(job.output_dir) or {})
    _show_folder(recorded, job)
    rows = list(_compare(recorded.metrics, result.metrics))
    differing = [name for name, old, new in rows if not _equal(old, new, tolerance)]
    _show_metrics(rows)
    if not differing:
        metrics = count_of(len(rows), "metric")
        are = agree(len(rows), "is", "are")
        print(f"Reproduced within {tolerance:g}: {metrics} {are} equal.")
        return result
    reason = (
        f"differs by more than task.tolerance={tolerance:g}: {', '.join(differing)}"
    )
    print(f"Not reproduced: {reason}.")
    return dataclasses.replace(result, status="FAILED", reason=reason, exit_code=1)


def suggest_command(plan: Plan, typed: Sequence[str]) -> str:
    """Returns the command that does what `typed` cannot do to a reproduced run.

    Args:
        plan: Its `run_id` names the run; the run that this one repeats counts instead.
        typed: Overrides that the record would have hidden.

    Raises:
        TrackingError: There is no such run.
        ConfigError: Its config is no longer valid.
    """
    run = plan.run
    place = run.destination()
    settled = settle_names(plan).get("run_id")  # `last` and the like
    name = str(run.run_id if settled is None else settled.words)
    tags = read_tags(name, place, typed_in=typed_folder())
    known = {tags.run_id}
    while (original := tags.values.get("reproduces")) and original not in known:
        tags = read_tags(original, place)
        known.add(tags.run_id)
    run_id = tags.run_id
    # A record does not say what may be run; whoever types the command does.
    recorded = [
        word
        for word in read_overrides(run_id, place)
        if not word.lstrip("+~").startswith((KEY, "hydra."))
    ]
    paths = dict(list_paths(validate(read_run(run_id, place).config)))
    recorded = move_overrides(recorded, paths)
    words = describe_output(run.output_dir)
    words += describe_tracking(run.tracking, plan.overrides)
    return describe_command(*plan.flags, *recorded, *words, *typed)


def _compare(old: Mapping[str, float], new: Mapping[str, float]) -> Iterator[_Row]:
    for name in sorted(old.keys() & new.keys()):
        yield name, old[name], new[name]


def _equal(old: float, new: float, tolerance: float) -> bool:
    return math.isclose(old, new, rel_tol=tolerance, abs_tol=tolerance)


def _show_changes(recorded: RecordedRun, now: Mapping[str, Any]) -> None:
    changes = origin.list_changes(recorded.origin, now)
    print()
    print(
        f"Changed since: {'; '.join(changes)}."
        if changes
        else "Code, packages and data are those of the recorded run."
    )
    for key, values in recorded.changed.items():
        print(f"The recorded run changed while it ran: {key} {values}.")


def _show_folder(recorded: RecordedRun, job: Job) -> None:
    """Says where the recorded run's files are, or why nobody can say."""
    try:
        place = job.run.destination()
        folder = recorded.folder or read_folder(recorded.run_id, place)
    except TrackingError as error:  # the result counts without it
        print(error)
    else:
        print(f"The files of the recorded run: {short_path(folder)}")


def _show_metrics(rows: list[_Row]) -> None:
    table = Table("metric", "recorded", "now", "difference", box=None)
    for name, old, new in rows:
        table.add_row(name, f"{old:.6g}", f"{new:.6g}", f"{new - old:+.3g}")
    open_console(whole=True).print(table)
