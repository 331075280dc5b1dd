"""Compares runs: which are better, by how much, and on which images."""

from dataclasses import replace

from experiments import job_files
from experiments.comparison.advice import list_advice
from experiments.comparison.compared import compare_members
from experiments.comparison.finding import find_members
from experiments.comparison.page import build_comparison_page
from experiments.comparison.ranking import choose_objective
from experiments.comparison.reach import reach_images
from experiments.comparison.screen import show_comparison
from experiments.errors import ConfigError, Problem
from experiments.files import replace_bytes
from experiments.jobs.job import Job, JobResult


def compare(job: Job) -> JobResult:
    """Compares the runs that `run_id` lists, or those of a sweep or search.

    Args:
        job: Its `run.run_id` names them.

    Returns:
        A result that counts runs, rows and differences that are shown.

    Raises:
        ConfigError: Fewer than two are named, or `task.pair` names no two rows.
        TrackingError: There is no such run, or several.
    """
    run, options = job.run, job.run.task.arguments()
    place = run.destination()
    members, title = find_members(run.run_id, place, run.trainer.objective)
    compared = compare_members(
        members,
        objective=choose_objective(members) or run.trainer.objective,
        title=title,
        data=options["data"],
        pair=options["pair"],
    )
    if options["pair"] is not None and compared.refusal is not None:
        raise ConfigError([Problem("task.pair", compared.refusal)])
    compared = replace(
        compared,
        draw=reach_images(
            compared, allowed_targets=run.allowed_targets, output_dir=run.output_dir
        ),
        commands=list_advice(compared, run.output_dir),
    )
    page = job.output_dir / job_files.COMPARISON
    replace_bytes(page, build_comparison_page(compared).encode())
    show_comparison(compared, page)
    shown = sum(told.is_shown for told in compared.verdicts.told)
    metrics = {
        "runs": len(members),
        "rows": len(compared.groups),
        "shown": shown,
    }
    return JobResult(
        name=job.name,
        status="FINISHED",
        metrics={name: float(count) for name, count in metrics.items()},
        overrides=job.overrides,
        output_dir=str(job.output_dir),
    )
