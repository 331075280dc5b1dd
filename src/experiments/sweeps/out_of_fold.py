"""The out-of-fold predictions of a sweep: one table for each setting that it tried."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from experiments import job_files
from experiments.command.plan import Plan
from experiments.command.sweeping.folds import FOLD
from experiments.config.identity import name_sweep_folder
from experiments.counts import count_of
from experiments.errors import ExperimentError
from experiments.jobs.job import JobResult
from experiments.jobs.showing.display import short_path
from experiments.sweeps.seeds import Group, group_results
from experiments.sweeps.table import read_override
from experiments.tracking.tracker import Tracker

if TYPE_CHECKING:
    from experiments.evaluation.predictions import Predictions

_METRIC = "out_of_fold/"


@dataclass(frozen=True, kw_only=True)
class Told:
    """What there is to tell of a setting's folds.

    Attributes:
        setting: What tells it from others; empty for the only one.
        accuracy: Share of all images whose class was found; `None` without a table.
        images: How many.
        path: The table.
        problem: Why there is none.
    """

    setting: str
    accuracy: float | None = None
    images: int = 0
    path: Path | None = None
    problem: str = ""


def keep_out_of_fold(
    parent: Tracker, plan: Plan, results: Sequence[JobResult]
) -> list[Told]:
    """Keeps what the jobs of a sweep over folds said of the images of their folds.

    It is `predictions/out_of_fold.parquet` in the sweep's folder and among its run's
    files; where there are several settings, or seeds, in a folder each below it.

    Args:
        parent: The sweep's run.
        plan: The checked command line.
        results: Of its jobs.

    Returns:
        One a setting; none of a sweep that is not over folds.
    """
    if FOLD not in plan.swept_keys:
        return []
    others = [key for key in plan.swept_keys if key != FOLD]
    groups = group_results(results, others)
    return [
        _keep(parent, plan, group, others if groups[1:] else []) for group in groups
    ]


def describe_folds(told: Told) -> str:
    """Returns a sentence for the page of the sweep's run."""
    of = f" of {told.setting}" if told.setting else ""
    if told.accuracy is None:
        return f"Out-of-fold predictions{of} are not complete: {told.problem}."
    return (
        f"Each image scored by the job{of} that had not seen it: accuracy "
        f"{told.accuracy:.4f} over {count_of(told.images, 'image')}."
    )


def show_out_of_fold(told: Sequence[Told]) -> None:
    """Prints what came of all folds together, and where the table is."""
    for one in told:
        title = f"out of fold  {one.setting}: " if one.setting else "out of fold  "
        if one.accuracy is None or one.path is None:
            print(f"{title}there is no table of all folds: {one.problem}")
            continue
        scored = f"accuracy {one.accuracy:.4f} over {count_of(one.images, 'image')}"
        print(f"{title}{scored}: {short_path(one.path)}")


def _keep(parent: Tracker, plan: Plan, group: Group, keys: Sequence[str]) -> Told:
    setting = " ".join(f"{key}={read_override(group.results[0], key)}" for key in keys)
    try:
        pooled = _pool(group)
    except (ExperimentError, OSError) as error:
        return Told(setting=setting, problem=str(error))
    from experiments.evaluation.scores import score
    from experiments.evaluation.table import write_predictions

    place = Path(job_files.PREDICTIONS)
    if keys:
        place /= name_sweep_folder(setting, [setting])
    path = plan.folder / place / job_files.OUT_OF_FOLD
    path.parent.mkdir(parents=True, exist_ok=True)
    write_predictions(path, pooled)
    parent.log_file(path, place.as_posix())
    scores = score(pooled).overall
    if not keys:
        named = {f"{_METRIC}{name}": value for name, value in scores.items()}
        parent.log_metrics(named, step=parent.resumed)
    return Told(
        setting=setting, accuracy=scores["accuracy"], images=len(pooled), path=path
    )


def _pool(group: Group) -> "Predictions":
    """Puts the tables of a setting's folds together.

    Raises:
        ExperimentError: One is missing, damaged or of other images.
        OSError: It cannot be read.
    """
    from experiments.evaluation.out_of_fold import pool_folds
    from experiments.evaluation.table import read_predictions

    tables = {}
    for result in group.results:
        fold = read_override(result, FOLD)
        if result.status != "FINISHED":
            raise ExperimentError(f"fold {fold} did not finish")
        path = Path(result.output_dir, job_files.name_predictions("test"))
        if not path.is_file():
            raise ExperimentError(f"fold {fold} has left no predictions")
        table = read_predictions(path)
        facts = {**table.facts, "run_id": result.run_id}
        tables[int(fold)] = replace(table, facts=facts)
    return pool_folds(tables)
