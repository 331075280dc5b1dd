"""Shows what differs between runs: settings, results, code, packages, data."""

import csv
import json
import math
import sys
from collections.abc import Iterator, Sequence
from string import ascii_uppercase

from rich.table import Table
from rich.text import Text

from experiments.comparison.settings import ABSENT, gather_names, list_differences
from experiments.config.reading.leaves import list_leaves
from experiments.counts import join_words
from experiments.errors import ConfigError, Problem, make_printable
from experiments.jobs.job import Job, JobResult
from experiments.jobs.made_from.origin import list_changes
from experiments.jobs.runs.folder_record import read_folder_run
from experiments.jobs.runs.run_names import FoundRun, find_named
from experiments.screen import open_console
from experiments.tracking.recorded import RecordedRun, read_run
from experiments.tracking.store.runs.run_names import Wanted

_Row = tuple[str, str, tuple[str, ...]]  # kind, name, a value a run

# Where a run was and how it is called, which its heading says.
_PLACE = ("output_dir", "name", "run_id", "from_search")
_PARTS = ("code", "packages", "data")  # of an origin


def diff(job: Job) -> JobResult:
    """Prints what differs between the runs that `run_id` lists.

    Args:
        job: Its `run.run_id` names two or more runs.

    Returns:
        A result that counts the differences.

    Raises:
        ConfigError: Fewer than two are named.
        TrackingError: There is no such run, or several.
    """
    names = job.run.run_id
    if not isinstance(names, list):
        hint = "Such as 'run_id=[last,best]': task=list shows what can be named."
        reason = f"must list two runs or more. Received: {names}."
        raise ConfigError([Problem("run_id", reason, hint)])
    options = job.run.task.arguments()
    wanted = Wanted(objective=job.run.trainer.objective)
    found = [find_named(name, job.run.destination(), wanted) for name in names]
    runs = [_read(each, job) for each in found]
    rows = [*_compare_configs(runs), *_compare_metrics(runs, options["tolerance"])]
    if options["format"] == "table":
        _show_runs(found, runs)
        _show_rows(rows, len(runs))
        _show_origins(runs)
    else:
        rows += _compare_origins(runs)
        (_write_csv if options["format"] == "csv" else _write_json)(rows, runs)
    return JobResult(
        name=job.name,
        status="FINISHED",
        metrics={"differences": float(len(rows))},
        overrides=job.overrides,
        output_dir=str(job.output_dir),
    )


def _read(found: FoundRun, job: Job) -> RecordedRun:
    """Reads a run from its folder, else from MLflow."""
    place = job.run.destination()
    if found.folder is not None:
        return read_folder_run(found.folder, place.output_dir)
    return read_run(found.word, place)


def _compare_configs(runs: Sequence[RecordedRun]) -> Iterator[_Row]:
    """Yields the settings that are not the same in all runs."""
    configs = [
        {key: _write(value) for key, value in list_leaves(run.config)} for run in runs
    ]
    for key, values in list_differences(configs):
        if key.partition(".")[0] not in _PLACE:
            yield "setting", key, values


def _write(value: object) -> str:
    """Returns a setting as it is typed: null, true, [1, 2]."""
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _compare_metrics(runs: Sequence[RecordedRun], tolerance: float) -> Iterator[_Row]:
    for name in gather_names([run.metrics for run in runs]):
        values = [run.metrics.get(name) for run in runs]
        if not all(_is_equal(values[0], value, tolerance) for value in values[1:]):
            yield "metric", name, tuple(map(_format_metric, values))


def _is_equal(one: float | None, other: float | None, tolerance: float) -> bool:
    if one is None or other is None:
        return one is other
    if math.isnan(one) or math.isnan(other):
        return math.isnan(one) and math.isnan(other)
    return math.isclose(one, other, rel_tol=tolerance, abs_tol=tolerance)


def _format_metric(value: float | None) -> str:
    return ABSENT if value is None else f"{value:.6g}"


def _compare_origins(runs: Sequence[RecordedRun]) -> Iterator[_Row]:
    """Yields what code, packages and data changed from the first run to another."""
    for number, run in enumerate(runs[1:], start=1):
        for change in list_changes(runs[0].origin, run.origin):
            values = [change if i == number else ABSENT for i in range(len(runs))]
            yield "origin", f"since {runs[0].name}", tuple(values)


def _show_runs(found: Sequence[FoundRun], runs: Sequence[RecordedRun]) -> None:
    """Says which runs the columns are."""
    for letter, each, run in zip(ascii_uppercase, found, runs, strict=False):
        told = str(each) if each.listed else f"{run.name} ({run.run_id})"
        print(f"{letter}: {make_printable(told)}")


def _show_rows(rows: Sequence[_Row], count: int) -> None:
    """Prints a table, broken within cells where the screen is narrow."""
    for kind in ("setting", "metric"):
        chosen = [row for row in rows if row[0] == kind]
        if not chosen:
            print(f"\nNo {kind} differs.")
            continue
        difference = ["B - A"] if kind == "metric" and count == 2 else []
        table = Table(kind, *ascii_uppercase[:count], *difference, box=None)
        for column in table.columns:
            column.overflow = "fold"  # whole: what is cut off may be what differs
        for _, name, values in chosen:
            cells = [name, *values, *(_subtract(values) if difference else ())]
            table.add_row(*(Text(make_printable(cell)) for cell in cells))
        print()
        open_console(whole=True).print(table)


def _subtract(values: Sequence[str]) -> list[str]:
    if ABSENT in values:
        return [ABSENT]
    return [f"{float(values[1]) - float(values[0]):+.3g}"]


def _show_origins(runs: Sequence[RecordedRun]) -> None:
    """Says what changed in code, packages and data, as far as both runs know it."""
    print()
    for letter, run in zip(ascii_uppercase[1:], runs[1:], strict=False):
        unknown = [p for p in _PARTS if not (p in runs[0].origin and p in run.origin)]
        changes = list_changes(runs[0].origin, run.origin)
        same = [part for part in _PARTS if part not in unknown]
        if changes:
            print(make_printable(f"From A to {letter} changed: {'; '.join(changes)}."))
        elif same:
            print(f"A and {letter} have the same {join_words(same)}.")
        if unknown:
            print(f"What {join_words(unknown)} A or {letter} had is not recorded.")


def _write_csv(rows: Sequence[_Row], runs: Sequence[RecordedRun]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["kind", "name", *(run.run_id for run in runs)])
    writer.writerows([kind, name, *values] for kind, name, values in rows)


def _write_json(rows: Sequence[_Row], runs: Sequence[RecordedRun]) -> None:
    ids = [run.run_id for run in runs]
    content = [
        {"kind": kind, "name": name, "values": dict(zip(ids, values, strict=True))}
        for kind, name, values in rows
    ]
    print(json.dumps(content, indent=2))
