"""Scores a trained model: on its run's own test images, or on others."""

from collections.abc import Sequence
from pathlib import Path

from experiments.errors import ConfigError, Problem
from experiments.evaluation.reporting.report import Report
from experiments.evaluation.reporting.report_files import MISTAKES, PAGE
from experiments.evaluation.reporting.screen import describe_on_screen
from experiments.jobs import display
from experiments.jobs.job import Job, JobResult
from experiments.tracking.addition import Added, Addition
from experiments.tracking.spool.inputs import DatasetInput
from experiments.trained.adding import add_to_run, holding
from experiments.trained.evaluated import evaluate_images, find_temperature
from experiments.trained.evaluation_files import (
    build_report,
    describe_images,
    name_evaluation,
    place_of_evaluations,
    write_evaluation,
)
from experiments.trained.finding import find_trained
from experiments.trained.images import Chosen, ask_for_images, choose_images
from experiments.trained.trained import open_trained


def evaluate(job: Job) -> JobResult:
    """Scores a model on images and writes what there is to tell of it.

    Args:
        job: Its `run.run_id` names the model; what is typed of the data set counts in
            place of that of its run.

    Returns:
        The scores.

    Raises:
        ExperimentError: There is no such model, or nothing to score it on.
    """
    options = job.run.task.arguments()
    batch_size = options["batch_size"]
    found = find_trained(_name_model(job), job.run)
    request = ask_for_images(job, found, options["split"])
    with holding(found.folder, later="Evaluate it"):
        with open_trained(found, job.run) as trained:
            chosen = choose_images(request, trained)
            evaluated = evaluate_images(trained, chosen, batch_size=batch_size)
            temperature = find_temperature(trained, chosen, batch_size=batch_size)
            report = build_report(trained, chosen, evaluated, temperature=temperature)
            place = place_of_evaluations(found.folder or job.output_dir)
            folder = place / name_evaluation(chosen, place)
            files = write_evaluation(folder, report, evaluated)
        addition = _describe_addition(chosen, report, files)
        added = add_to_run(found, addition, job.run.destination())
    _show(job, chosen, report, folder=folder, added=added)
    return JobResult(
        name=job.name,
        status="FINISHED",
        metrics=report.scores.overall,
        overrides=job.overrides,
        output_dir=str(job.output_dir),
    )


def _name_model(job: Job) -> str:
    if isinstance(job.run.run_id, str):
        return job.run.run_id
    hint = "Such as run_id=last, an id that task=list shows, or a .keras file."
    raise ConfigError([Problem("run_id", "must say which model is evaluated.", hint)])


def _describe_addition(
    chosen: Chosen, report: Report, files: Sequence[Path]
) -> Addition:
    """Returns what the run gets: the scores under the name of the data."""
    labelled = chosen.labelled
    images = float(report.scores.images)
    data = DatasetInput(
        name=labelled.name,
        digest=labelled.content,
        context="evaluation",
        folder=chosen.folder,
        code=chosen.config.dataset._target_,
        profile={"images": len(labelled.images), "split": labelled.split or "all"},
    )
    return Addition(
        name=files[0].parent.name,
        metrics={**report.scores.overall, "images": images},
        files=files,
        dataset=data,
    )


def _show(
    job: Job, chosen: Chosen, report: Report, *, folder: Path, added: Added | None
) -> None:
    scores = report.scores
    print()
    display.show_rows(
        {
            "model": report.title.partition(", evaluated on ")[0],
            "data": f"{describe_images(chosen)}: {scores.images:,} images",
        }
    )
    print()
    for line in describe_on_screen(report):
        print(line)
    print()
    rows = {
        "report": display.short_path(folder / PAGE),
        "errors": f"{display.short_path(folder / MISTAKES)} "
        f"({len(report.mistakes):,} of {scores.images:,})",
    }
    if added is not None and added.run_url is not None:
        rows["MLflow run"] = added.run_url
        rows["to open it"] = display.describe_ui(job.run)
    display.show_rows(rows)
    if added is not None:
        display.show_unsent(added, job.run.output_dir, job.run.tracking.uri)
