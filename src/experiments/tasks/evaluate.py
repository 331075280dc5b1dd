"""Scores a trained model: on its run's own test images, or on others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from experiments.errors import ConfigError, Problem
from experiments.evaluation.reporting.report_files import MISTAKES, PAGE
from experiments.evaluation.reporting.screen import describe_on_screen
from experiments.evaluation.several_labels.report import describe_several
from experiments.jobs.job import Job, JobResult
from experiments.jobs.showing import display
from experiments.tracking.addition import Added
from experiments.trained.adding import add_to_run, holding
from experiments.trained.evaluated import evaluate_images, find_temperature
from experiments.trained.evaluation_files import (
    build_report,
    describe_evaluation,
    describe_images,
    name_evaluation,
    place_of_evaluations,
    write_evaluation,
)
from experiments.trained.finding import find_trained
from experiments.trained.images import Chosen, ask_for_images, choose_images
from experiments.trained.several_labels import (
    evaluate_several,
    write_several_evaluation,
)
from experiments.trained.trained import Trained, open_trained


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
            place = place_of_evaluations(found.folder or job.output_dir)
            folder = place / name_evaluation(chosen, place)
            measure = _measure_several if trained.has_several_labels else _measure
            told = measure(trained, chosen, folder, batch_size)
        addition = describe_evaluation(
            chosen, metrics=told.metrics, images=told.images, files=told.files
        )
        added = add_to_run(found, addition, job.run.destination())
    _show(job, chosen, told, folder=folder, added=added)
    return JobResult(
        name=job.name,
        status="FINISHED",
        metrics=dict(told.metrics),
        overrides=job.overrides,
        output_dir=str(job.output_dir),
    )


@dataclass(frozen=True, kw_only=True)
class _Told:
    """What there is to tell of a model, of one label an image or of several.

    Attributes:
        title: What was evaluated on what.
        images: Their number.
        metrics: The scores.
        lines: For the screen.
        errors: What stands in `errors.csv`, in words.
        files: All that were written.
    """

    title: str
    images: int
    metrics: Mapping[str, float]
    lines: Sequence[str]
    errors: str
    files: Sequence[Path]


def _measure(
    trained: Trained, chosen: Chosen, folder: Path, batch_size: int | None
) -> _Told:
    evaluated = evaluate_images(trained, chosen, batch_size=batch_size)
    temperature = find_temperature(trained, chosen, batch_size=batch_size)
    report = build_report(trained, chosen, evaluated, temperature=temperature)
    images = report.scores.images
    return _Told(
        title=report.title,
        images=images,
        metrics=report.scores.overall,
        lines=list(describe_on_screen(report)),
        errors=f"{len(report.mistakes):,} of {images:,}",
        files=write_evaluation(folder, report, evaluated),
    )


def _measure_several(
    trained: Trained, chosen: Chosen, folder: Path, batch_size: int | None
) -> _Told:
    report = evaluate_several(trained, chosen, batch_size=batch_size)
    answers = report.predictions.truth.size
    return _Told(
        title=report.title,
        images=len(report.predictions),
        metrics=report.scores,
        lines=list(describe_several(report)),
        errors=f"{len(report.mistakes):,} of {answers:,} answers",
        files=write_several_evaluation(folder, report),
    )


def _name_model(job: Job) -> str:
    if isinstance(job.run.run_id, str):
        return job.run.run_id
    hint = "Such as run_id=last, an id that task=list shows, or a .keras file."
    raise ConfigError([Problem("run_id", "must say which model is evaluated.", hint)])


def _show(
    job: Job, chosen: Chosen, told: _Told, *, folder: Path, added: Added | None
) -> None:
    print()
    display.show_rows(
        {
            "model": told.title.partition(", evaluated on ")[0],
            "data": f"{describe_images(chosen)}: {told.images:,} images",
        }
    )
    print()
    for line in told.lines:
        print(line)
    print()
    rows = {
        "report": display.short_path(folder / PAGE),
        "errors": f"{display.short_path(folder / MISTAKES)} ({told.errors})",
    }
    if added is not None and added.run_url is not None:
        rows["MLflow run"] = added.run_url
        rows["to open it"] = display.describe_ui(job.run)
    display.show_rows(rows)
    if added is not None:
        display.show_unsent(added, job.run.output_dir, job.run.tracking.uri)
