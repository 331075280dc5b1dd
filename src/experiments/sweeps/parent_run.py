"""A sweep in MLflow: a parent run that shows what was tried and what came of it."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from experiments.config.kinds.destination import Destination
from experiments.config.kinds.metric_names import name_best
from experiments.config.kinds.objective import Objective
from experiments.counts import count_of
from experiments.jobs.job import JobResult
from experiments.sweeps.description import describe_jobs
from experiments.sweeps.seeds import are_repeated, format_groups, group_seeds
from experiments.sweeps.table import (
    best_result,
    format_csv,
    format_markdown,
    read_value,
    sort_results,
)
from experiments.tracking.store.mlflow_import import import_mlflow
from experiments.tracking.tracker import Tracker, open_tracker

_KIND = "sweep"
_PICTURE = "sweep/results.png"


def open_sweep(
    *,
    destination: Destination,
    drain_seconds: float,
    folder: Path,
    run_name: str,
    overrides: Sequence[str],
    tags: Mapping[str, object] | None = None,
    swept: Mapping[str, str] | None = None,
) -> Tracker:
    """Opens the parent run of a sweep, whose folder the jobs pass as `parent_dir`.

    Args:
        destination: Where records go.
        drain_seconds: As `open_tracker` takes it.
        folder: Of the sweep.
        run_name: Name that people read.
        overrides: The sweep as typed, such as `model=resnet18,resnet50`.
        tags: Further tags of the parent run.
        swept: Key -> its values, the parameters of the parent run.
    """
    own = {"sweep.overrides": " ".join(overrides)}
    parent = open_tracker(
        destination=destination,
        drain_seconds=drain_seconds,
        folder=folder,
        run_name=run_name,
        tags={"run.kind": _KIND, **(tags or {}), **own},
    )
    parent.log_params(swept or {})
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
    objective: Objective,
    swept_keys: Sequence[str] = (),
    stopped_by: str | None = None,
    folds: Sequence[str] = (),
) -> str:
    """Stores the sorted results and closes the parent run.

    Its status is FINISHED when every job finished, KILLED when the sweep was stopped
    and FAILED otherwise.

    Args:
        parent: What `open_sweep` returned.
        results: Of the jobs that ran, in any order.
        objective: What is compared.
        swept_keys: What differs between the jobs; empty when nobody knows.
        stopped_by: Why the sweep ended before its time; `None` when it did not.
        folds: What came of all folds together, a sentence a setting.

    Returns:
        The table in Markdown, the best job first, or the best mean over seeds or folds.
    """
    ranked = sort_results(results, objective)
    if are_repeated(swept_keys):
        groups = group_seeds(results, swept_keys, objective)
        table = format_groups(groups, objective, swept_keys)
    else:
        table = format_markdown(ranked, objective, swept_keys)
    parent.log_text(table, "sweep/results.md")
    parent.log_text(format_csv(ranked, objective), "sweep/results.csv")
    pictures = _log_picture(parent, ranked, objective)
    told = describe_jobs(ranked, objective, table, pictures, folds=folds)
    parent.describe(told)
    best = best_result(results, objective)
    if best is not None:
        result, value = best
        # A step a time that the sweep is run: a later result replaces the earlier one.
        parent.log_metrics({name_best(objective.name): value}, step=parent.resumed)
        tags = {"sweep.best_run": result.name, "sweep.best_run_id": result.run_id}
        parent.set_tags(tags)
    unfinished = [result for result in ranked if result.status != "FINISHED"]
    if stopped_by is not None:
        parent.finish("KILLED", stopped_by)
    elif unfinished or not ranked:
        parent.finish("FAILED", _describe_unfinished(unfinished, len(ranked)))
    else:
        parent.finish("FINISHED")
    return table


def _log_picture(
    parent: Tracker, ranked: Sequence[JobResult], objective: Objective
) -> dict[str, str]:
    """Records a picture of the scores, and returns what there is; one says nothing."""
    values = [read_value(result, objective) for result in ranked]
    scored = [
        (result.name, value)
        for result, value in zip(ranked, values, strict=True)
        if value is not None and math.isfinite(value)
    ]
    if not parent.enabled or len(scored) < 2:
        return {}
    from experiments.pictures.results import draw_results

    names, scores = zip(*scored, strict=True)
    parent.log_figure(draw_results(names, scores, metric=objective.name), _PICTURE)
    return {_PICTURE: f"{objective.name} of each job"}


def _describe_unfinished(unfinished: Sequence[JobResult], total: int) -> str:
    names = ", ".join(result.name for result in unfinished)
    jobs = count_of(total, "job")
    return f"{len(unfinished)} of {jobs} did not finish: {names}".rstrip(": ")
