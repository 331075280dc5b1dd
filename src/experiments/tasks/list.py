"""Shows the runs of an output folder; imports no framework and no tracker."""

import csv
import json
import math
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from shutil import get_terminal_size
from typing import Any

from rich.cells import cell_len, set_cell_size

from experiments.config.kinds.objective import find_direction
from experiments.config.schema.run import RunConfig
from experiments.counts import count_of, format_size
from experiments.jobs.job import Job, JobResult
from experiments.jobs.runs.catalogue import ListedRun, list_runs, measure, measure_store
from experiments.jobs.showing.display import short_path
from experiments.tracking.store.databases.schema import list_run_ids
from experiments.tracking.store.links import locate

_HEAD = ("id", "state", "best", "size", "age", "run")
_COLUMNS = (
    *("run_id", "kind", "state", "name", "monitor", "best", "bytes"),
    *("begun", "changed", "experiment", "model", "dataset", "reason", "folder"),
)
_RIGHT = (2, 3, 4)  # columns of numbers
_NARROWEST = 12  # of a name
_ID = 8  # characters, enough for `run_id=`
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def list(job: Job) -> JobResult:  # noqa: A001 - a task has the name of its module
    """Prints the runs, sweeps and searches below `output_dir`.

    Args:
        job: Says the folder and, in its task, which of them and in which order.

    Returns:
        A result that counts them.
    """
    run, options = job.run, job.run.task.arguments()
    output_dir = run.destination().output_dir
    everything = list_runs(output_dir)
    sizes = {each.folder: measure(each.folder) for each in everything}
    found = [each for each in everything if _is_chosen(each, options)]
    chosen = _sort(found, options["sort"], sizes)[: options["limit"]]
    if options["format"] == "table":
        _show(chosen, sizes)
        _show_end(run, chosen, everything, sizes)
    else:
        rows = [_describe(each, sizes[each.folder]) for each in chosen]
        (_write_csv if options["format"] == "csv" else _write_json)(rows)
    return JobResult(
        name=job.name,
        status="FINISHED",
        metrics={"runs": float(len(chosen))},
        overrides=job.overrides,
        output_dir=str(job.output_dir),
    )


def _is_chosen(run: ListedRun, options: dict[str, Any]) -> bool:
    found = {
        "kind": run.kind,
        "state": run.state,
        "model": run.choice("model"),
        "dataset": run.choice("dataset"),
        "experiment": run.experiment,
    }
    wanted = {key: options[key] for key in found if options[key] is not None}
    text = (options["text"] or "").casefold()
    names = (run.name.casefold(), str(run.folder).casefold())
    return (
        run.kind != "trial"  # its seeds are runs of their own
        and all(found[key] == value for key, value in wanted.items())
        and any(text in name for name in names)
    )


def _sort(
    runs: Sequence[ListedRun], by: str, sizes: Mapping[Path, int]
) -> Sequence[ListedRun]:
    keys = {
        "age": lambda run: -run.begun,
        "score": lambda run: -_score(run),
        "size": lambda run: -sizes[run.folder],
        "name": lambda run: run.name.casefold(),
    }
    return sorted(runs, key=keys[by])


def _score(run: ListedRun) -> float:
    """Returns the monitored value turned such that larger is better."""
    if run.score is None or not math.isfinite(run.score):
        return -math.inf
    return -run.score if find_direction(run.monitor or "") == "min" else run.score


def _show(runs: Sequence[ListedRun], sizes: Mapping[Path, int]) -> None:
    """Prints a table; on a terminal names are cut to its width, in a pipe never."""
    now = time.time()
    rows = [_HEAD, *(_list_cells(run, sizes[run.folder], now) for run in runs)]
    widths = [max(cell_len(row[i]) for row in rows) for i in range(len(_HEAD) - 1)]
    width = _find_width()
    left = None if width is None else max(_NARROWEST, width - sum(widths) - 2 * 5)
    for row in rows:
        cells = [_fit(row[i], i, width) for i, width in enumerate(widths)]
        print("  ".join([*cells, _cut(row[-1], left)]).rstrip())


def _fit(cell: str, column: int, width: int) -> str:
    """Returns a cell as wide as its column, numbers to the right."""
    if column not in _RIGHT:
        return set_cell_size(cell, width)
    return " " * (width - cell_len(cell)) + cell


def _list_cells(run: ListedRun, size: int, now: float) -> tuple[str, ...]:
    kind = "" if run.kind == "run" else f"{run.kind} "
    # One without an id is named by its folder.
    name = run.name if run.run_id else short_path(run.folder)
    return (
        (run.run_id or "-")[:_ID],
        run.state_in_words,
        "-" if run.score is None else f"{run.score:.4f}",
        format_size(size),
        format_age(now - run.begun),
        f"{kind}{name}",
    )


def _find_width() -> int | None:
    """Returns the columns of the terminal; `None` where there is none."""
    return get_terminal_size().columns if sys.stdout.isatty() else None


def _cut(text: str, width: int | None) -> str:
    if width is None or cell_len(text) <= width:
        return text
    return f"{set_cell_size(text, width - 1).rstrip()}…"


def format_age(seconds: float) -> str:
    """Returns how long ago something was in its largest unit: 40 s, 3 h, 12 d."""
    for length, unit in _UNITS:
        if seconds >= length:
            return f"{seconds // length:.0f} {unit}"
    return "now"


def _show_end(
    run: RunConfig,
    shown: Sequence[ListedRun],
    everything: Sequence[ListedRun],
    sizes: Mapping[Path, int],
) -> None:
    """Says what the columns mean, how much there is, and what is not listed."""
    place = run.destination()
    if not everything:
        folder = short_path(place.output_dir)
        print(f"There is no run in {folder}. output_dir says where to look.")
        return
    monitors = sorted({each.monitor for each in shown if each.monitor})
    if monitors:
        print(f"\nbest: {' or '.join(monitors)} of the best epoch")
    total = format_size(sum(sizes.values()))
    listed = sum(each.kind != "trial" for each in everything)
    what = count_of(len(shown), "run") if shown else "No run"
    of = f" of {listed:,}" if listed != len(shown) else ""
    stored = format_size(measure_store(place.output_dir))
    print(
        f"{what}{of} in {short_path(place.output_dir)}, {total} in all; MLflow's "
        f"database and files beside them take {stored}."
    )
    if not place.enabled:
        return
    location = locate(place)
    if location.database is None:
        print(f"Runs that only {location.uri} has are not listed.")
        return
    known = {run_id for each in everything for run_id in each.run_ids}
    if only := list_run_ids(location.database) - known:
        verb = "has" if len(only) == 1 else "have"
        print(f"{count_of(len(only), 'run')} in MLflow {verb} no folder here.")


def _describe(run: ListedRun, size: int) -> dict[str, Any]:
    """Returns all that is known of a run, as plain data."""
    values = (
        run.run_id,
        run.kind,
        run.state,
        run.name,
        run.monitor,
        run.score,
        size,
        _format_time(run.begun),
        _format_time(run.changed),
        run.experiment,
        run.choice("model"),
        run.choice("dataset"),
        run.reason,
        str(run.folder),
    )
    return dict(zip(_COLUMNS, values, strict=True))


def _format_time(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _write_csv(rows: Sequence[dict[str, Any]]) -> None:
    writer = csv.DictWriter(sys.stdout, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


def _write_json(rows: Sequence[dict[str, Any]]) -> None:
    # A value that is no number is none in JSON.
    print(json.dumps([_without_nan(row) for row in rows], indent=2))


def _without_nan(row: dict[str, Any]) -> dict[str, Any]:
    return {
        key: None if isinstance(value, float) and not math.isfinite(value) else value
        for key, value in row.items()
    }
