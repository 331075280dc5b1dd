"""A sweep: one parent run, and a table of its jobs at the end."""

from pathlib import Path

from experiments.config.job import JobResult
from experiments.config.preflight import Plan
from experiments.tasks import report
from experiments.tracking import sweep
from experiments.tracking.tracker import Tracker

_LARGEST_COMPARISON = 100  # runs in one link; browsers cut longer addresses


def open_sweep(plan: Plan) -> Tracker:
    """Starts the parent run of a sweep."""
    run = plan.run
    return sweep.open_sweep(
        **run.tracking.connection(),
        output_dir=Path(run.output_dir).absolute(),
        run_name=run.name or " ".join(plan.overrides) or "sweep",
        overrides=plan.overrides,
        tags=run.tags,
    )


def close_sweep(parent: Tracker, plan: Plan, *, stopped_by: str | None = None) -> int:
    """Gathers the jobs' results, closes the parent run and prints the table.

    Args:
        parent: What `open_sweep` returned.
        plan: The checked command line.
        stopped_by: Why the sweep ended before its time.

    Returns:
        Exit code: 0 when every job finished, else 1.
    """
    results = gather_results(plan)
    trainer = plan.run.trainer
    table = sweep.finish_sweep(
        parent,
        results,
        monitor=trainer.monitor,
        mode=trainer.monitor_mode,
        stopped_by=stopped_by,
    )
    run_ids = [result.run_id for result in results if result.run_id is not None]
    report.show_sweep(
        table,
        plan.folder,
        run_url=parent.run_url,
        compare_url=parent.compare_url(run_ids[:_LARGEST_COMPARISON]),
    )
    return int(any(result.status != "FINISHED" for result in results))


def gather_results(plan: Plan) -> list[JobResult]:
    """Reads the results of a sweep's jobs in their order.

    A job without one died before it could say why; it counts as failed.
    """
    folders = [path for path in plan.folder.glob("*/") if path.name.isdigit()]
    numbers = {int(path.name) for path in folders} | set(range(len(plan.jobs)))
    results = []
    for number in sorted(numbers):
        folder = plan.folder / str(number)
        results.append(JobResult.load(folder) or _lost(number, folder, plan))
    return results


def _lost(number: int, folder: Path, plan: Plan) -> JobResult:
    overrides = plan.jobs[number] if number < len(plan.jobs) else ()
    started = folder.is_dir()
    return JobResult(
        name=" ".join(overrides) or f"job {number}",
        status="FAILED",
        overrides=overrides,
        output_dir=str(folder),
        reason="ended without a result" if started else "was not started",
    )
