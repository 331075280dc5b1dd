"""A sweep in MLflow: a parent run that shows what was tried and what came of it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from experiments.config.job import JobResult
from experiments.tracking.client import import_mlflow
from experiments.tracking.sweep_table import (
    Mode,
    format_csv,
    format_markdown,
    has_objective,
    sort_results,
)
from experiments.tracking.tracker import Tracker, open_tracker

_KIND = "sweep"


def open_sweep(
    *,
    output_dir: Path,
    folder: Path,
    run_name: str,
    overrides: Sequence[str],
    tags: Mapping[str, object] | None = None,
    **connection: Any,
) -> Tracker:
    """Opens the parent run of a sweep, whose folder the jobs pass as `parent_dir`.

    Args:
        output_dir: Folder for the embedded database and its artifacts.
        folder: Of the sweep.
        run_name: Name that people read.
        overrides: The sweep as typed, such as `model=resnet18,resnet50`.
        tags: Further tags of the parent run.
        **connection: As `open_tracker` takes them.
    """
    own = {"sweep.overrides": " ".join(overrides)}
    parent = open_tracker(
        output_dir=output_dir,
        folder=folder,
        run_name=run_name,
        tags={"run.kind": _KIND, **(tags or {}), **own},
        **connection,
    )
    parent.log_text("\n".join(overrides) + "\n", "sweep/overrides.txt")
    if parent.enabled:
        # Jobs may follow in this process: not in a thread while they import TensorFlow.
        import_mlflow()
        parent.start()
    return parent


def finish_sweep(
    parent: Tracker,
    results: Sequence[JobResult],
    *,
    monitor: str,
    mode: Mode,
    stopped_by: str | None = None,
) -> str:
    """Stores the sorted results and closes the parent run.

    Its status is FINISHED when every job finished, KILLED when the sweep was stopped
    and FAILED otherwise.

    Args:
        parent: What `open_sweep` returned.
        results: Of the jobs that ran, in any order.
        monitor: Name of the objective.
        mode: Whether a larger (`max`) or smaller (`min`) objective is better.
        stopped_by: Why the sweep ended before its time; `None` when it did not.

    Returns:
        The table in Markdown, the best job first.
    """
    ranked = sort_results(results, mode)
    table = format_markdown(ranked, monitor)
    parent.log_text(table, "sweep/results.md")
    parent.log_text(format_csv(ranked, monitor), "sweep/results.csv")
    if ranked and has_objective(ranked[0]):
        best = ranked[0]
        # A step a time that the sweep is run: a later result replaces the earlier one.
        scores = {f"best_{monitor}": float(best.objective or 0.0)}
        parent.log_metrics(scores, step=parent.resumed)
        parent.set_tags({"sweep.best_run": best.name, "sweep.best_run_id": best.run_id})
    unfinished = [result for result in ranked if result.status != "FINISHED"]
    if stopped_by is not None:
        parent.finish("KILLED", stopped_by)
    elif unfinished or not ranked:
        parent.finish("FAILED", _describe_unfinished(unfinished, len(ranked)))
    else:
        parent.finish("FINISHED")
    return table


def _describe_unfinished(unfinished: Sequence[JobResult], total: int) -> str:
    names = ", ".join(result.name for result in unfinished)
    return f"{len(unfinished)} of {total} jobs did not finish: {names}".rstrip(": ")
