"""A sweep: one parent run, and a table of its jobs at the end."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from experiments import job_files
from experiments.command.plan import Plan
from experiments.command.sweeping.job_words import select_overrides
from experiments.config.kinds.metric_names import name_best
from experiments.config.kinds.objective import Objective
from experiments.jobs.folder import is_held, list_job_folders
from experiments.jobs.job import JobResult
from experiments.jobs.runs.recorded_job import FOLDS_OF_SEARCH
from experiments.jobs.showing import display
from experiments.jobs.stored import show_changed_images
from experiments.sweeps import parent_run
from experiments.sweeps.comparison_page import leave_comparison
from experiments.sweeps.description import list_swept
from experiments.sweeps.out_of_fold import (
    describe_folds,
    keep_out_of_fold,
    show_out_of_fold,
)
from experiments.tracking.comparison import Comparison
from experiments.tracking.tracker import Tracker

_LARGEST_COMPARISON = 100  # runs in one link; browsers cut longer addresses


def open_sweep(plan: Plan) -> Tracker:
    """Starts the parent run of a sweep; says if a search saw other images before."""
    run = plan.run
    if plan.search is not None:
        # Its trials are not asked for again, as the jobs of other sweeps are.
        show_changed_images(list_job_folders(plan.folder), run)
    return parent_run.open_sweep(
        destination=run.destination(),
        drain_seconds=run.tracking.drain_seconds,
        folder=plan.folder,
        run_name=run.name or _name_sweep(plan),
        overrides=plan.overrides,
        tags={**run.tags, **_describe_search(plan)},
        swept=list_swept(plan),
    )


def _name_sweep(plan: Plan) -> str:
    """Returns what is varied, as it was typed: the rest is the same for all jobs."""
    swept = select_overrides(plan.overrides, plan.swept_keys)
    return " ".join(swept or plan.overrides) or "sweep"


def close_sweep(parent: Tracker, plan: Plan, *, stopped_by: str | None = None) -> int:
    """Gathers the jobs' results, closes the parent run and prints the table.

    Args:
        parent: What `open_sweep` returned.
        plan: The checked command line.
        stopped_by: Why the sweep ended before its time.

    Returns:
        Exit code: 0 when every job finished, else 1.
    """
    results = gather_results(plan, is_stopped=stopped_by is not None)
    objective = plan.run.trainer.objective
    page = compare_runs(parent, plan, objective)
    folds = keep_out_of_fold(parent, plan, results)
    table = parent_run.finish_sweep(
        parent,
        results,
        objective=objective,
        swept_keys=plan.swept_keys,
        stopped_by=stopped_by,
        folds=[describe_folds(told) for told in folds],
    )
    run_ids = [result.run_id for result in results if result.run_id is not None]
    show_runs(parent, plan, table, run_ids, page=page)
    show_out_of_fold(folds)
    display.show_unsent(parent, plan.run.output_dir, plan.run.tracking.uri)
    return int(any(result.status != "FINISHED" for result in results))


def compare_runs(parent: Tracker, plan: Plan, objective: Objective) -> Path | None:
    """Leaves the page that compares the runs of a sweep or search; returns its path.

    Args:
        parent: Their parent run, not closed yet.
        plan: The checked command line.
        objective: What they are ranked by.
    """
    return leave_comparison(
        parent,
        plan.folder,
        output_dir=Path(plan.run.output_dir).absolute(),
        objective=objective,
        title=plan.run.name or _name_sweep(plan),
        allowed_targets=plan.run.allowed_targets,
    )


def show_runs(
    parent: Tracker,
    plan: Plan,
    table: str,
    run_ids: Sequence[str],
    *,
    page: Path | None,
) -> None:
    """Prints a table of runs and where they can be compared.

    Args:
        parent: Their parent run.
        plan: The checked command line.
        table: In Markdown, the best first.
        run_ids: Of those that have one.
        page: What `compare_runs` returned.
    """
    compared = run_ids[:_LARGEST_COMPARISON]
    display.show_sweep(
        table,
        plan.folder,
        page=page,
        run_url=parent.run_url,
        compare_url=parent.compare_url(compared, _compare(plan)) if compared else None,
    )


def _compare(plan: Plan) -> Comparison:
    """Returns what the runs of a sweep or a search differ in."""
    if plan.search is None:
        return Comparison(keys=plan.swept_keys, objective=plan.run.trainer.objective)
    search, parameters = plan.search.config, plan.search.space.parameters
    objective = search.objective
    is_repeated = search.repeats > 1 or plan.search.folds is not None
    if is_repeated:  # what is below the search has the mean of its jobs alone
        objective = replace(objective, name=name_best(objective.name))
    return Comparison(
        keys=[p.key for p in parameters if p.when is None],
        conditional=[p.key for p in parameters if p.when is not None],
        objective=objective,
    )


def _describe_search(plan: Plan) -> dict[str, object]:
    """Returns tags of the parent run that say how a space is searched."""
    if plan.search is None:
        return {}
    search = plan.search.config
    objective = f"{search.objective.name} ({search.objective.direction})"
    return {
        "run.kind": "search",
        "search.oracle": search.oracle,
        "search.objective": objective,
        "search.seed": search.seed,
        "search.space": " ".join(plan.search.space.keys),
        **({} if plan.search.folds is None else {FOLDS_OF_SEARCH: plan.search.folds}),
    }


def gather_results(plan: Plan, *, is_stopped: bool = False) -> list[JobResult]:
    """Reads the results of a sweep's jobs in their order.

    A job without one died before it could say why; it counts as failed.

    Args:
        plan: The checked command line.
        is_stopped: Whether the sweep ended before its time: nothing failed in a job
            that it did not come to.
    """
    planned = [plan.folder / name for name in plan.job_folders]
    folders = planned or list_job_folders(plan.folder)
    jobs = plan.jobs or [()] * len(folders)
    keys = plan.swept_keys
    return [
        _read_result(*pair, keys, is_stopped=is_stopped)
        for pair in zip(folders, jobs, strict=True)
    ]


def _read_result(
    folder: Path, overrides: Sequence[str], keys: Sequence[str], *, is_stopped: bool
) -> JobResult:
    held = is_held(folder)
    result = None if held else JobResult.load(folder)
    if result is not None:
        return result
    started = (folder / job_files.LOCK).exists()  # Hydra makes the folder before
    reason = "ended without a result" if started else "was not started"
    return JobResult(
        name=" ".join(select_overrides(overrides, keys)) or folder.name,
        status="KILLED" if is_stopped and not (held or started) else "FAILED",
        overrides=tuple(overrides),
        output_dir=str(folder),
        reason="is being run by another process" if held else reason,
    )
