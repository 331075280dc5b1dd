"""Says what a trained model takes files for: a table, a page and a few lines."""

import time
from collections.abc import Iterable, Iterator

from experiments import job_files
from experiments.command.printed import typed_folder
from experiments.counts import agree, count_of, format_seconds
from experiments.data.files.asked.inputs import (
    list_inputs,
    name_input,
    read_standard_input,
)
from experiments.data.readiness.check import check_data
from experiments.errors import DataError, Preempted, make_printable
from experiments.evaluation.reporting.gallery_page import Gallery
from experiments.files import replace_bytes
from experiments.interruption import StopRequest
from experiments.jobs.job import Job, JobResult
from experiments.jobs.showing.answer_display import (
    describe_counts,
    describe_speed,
    show_one,
    show_some,
)
from experiments.jobs.showing.display import short_path
from experiments.progress import show_progress
from experiments.trained.answer_files import SHOWN, Summary, keep_answers, name_table
from experiments.trained.answers import Answers, answer_files
from experiments.trained.finding import find_trained
from experiments.trained.trained import Trained, open_trained

_REFUSED = 5  # unreadable files that are named on the screen
_KEPT = "stopping: what was predicted is kept"


def predict(job: Job) -> JobResult:
    """Asks a trained model about files and leaves its answers in the job's folder.

    Args:
        job: Its `run.run_id` names the model and its `run.input` the files.

    Returns:
        A result that counts them; FAILED when none could be read.

    Raises:
        ExperimentError: There is no such model, or no file.
        Preempted: Somebody has asked to stop; what was answered by then is kept.
    """
    run, options = job.run, job.run.task.arguments()
    check_data([run])  # on a machine of a cluster
    job.stop.plan = "stopping: nothing was predicted yet"
    with open_trained(find_trained(str(run.run_id), run), run) as trained:
        job.stop.plan = _KEPT
        _show_model(trained)
        ranked = min(options["top"], len(trained.class_names))
        facts = {"model": trained.name, "run_id": trained.run_id}
        summary = keep_answers(
            _ask(job, trained, batch_size=options["batch_size"]),
            job.output_dir,
            form=options["format"],
            ranked=ranked,
            gallery=Gallery(options["gallery"]),
            facts={**facts, "state_sha256": trained.state_sha256},
            each=trained.class_names if trained.has_several_labels else None,
        )
    with job.stop.listening(ends=False):
        _keep_page(job, trained, summary)
        _show_answers(summary, ranked=ranked)
        _show_end(job, summary)
    if job.stop.reason is not None:
        were = agree(summary.predicted, "was", "were")
        advice = f"{count_of(summary.predicted, 'image')} {were} predicted by then."
        raise Preempted(job.stop.reason, advice=advice)
    return _describe_result(job, summary)


def _show_model(trained: Trained) -> None:
    height, width, channels = trained.image_shape
    classes = count_of(len(trained.class_names), "class", "classes")
    name = make_printable(trained.name)
    print(f"{name}: {classes}, images of {height} x {width} x {channels}")


def _ask(job: Job, trained: Trained, *, batch_size: int) -> Iterator[Answers]:
    """Yields what a model says of each batch of files, until somebody asks to stop.

    Raises:
        DataError: There is no file.
    """
    folder = typed_folder()
    lines = read_standard_input()  # nothing is read unless `-` was typed
    answers = answer_files(
        trained,
        list_inputs(job.run.inputs(), lines, folder=folder),
        batch_size=batch_size,
        name=lambda path: name_input(path, folder),
    )
    count, is_empty = 0, True
    with show_progress() as show:
        started = time.monotonic()
        for one in _until_stopped(answers, job.stop):
            yield one
            count += len(one.predictions)
            speed = describe_speed(count / (time.monotonic() - started))
            show(f"{count_of(count, 'image')} predicted, {speed}")
            is_empty = False
    if is_empty and job.stop.reason is None:
        raise DataError(
            "input names no file: the pipe or list was empty. Such as: "
            "ls photos/*.jpg | ... input=-"
        )


def _until_stopped(answers: Iterable[Answers], stop: StopRequest) -> Iterator[Answers]:
    """Yields answers, none of which is left half used when somebody asks to stop."""
    following = iter(answers)
    while True:
        try:
            one = next(following, None)
        except Preempted:  # while a name was awaited, or an image read
            return
        if one is None:
            return
        with stop.listening(ends=False):
            yield one
        if stop.reason is not None:
            return


def _keep_page(job: Job, trained: Trained, summary: Summary) -> None:
    path = job.output_dir / job_files.GALLERY
    if not (summary.predicted and job.run.task.arguments()["gallery"]):
        path.unlink(missing_ok=True)
        return
    places = [f"run {trained.run_id}"] if trained.run_id else []
    places += [] if trained.folder is None else [short_path(trained.folder)]
    model = f"Model: {', '.join([trained.name, *places])}."
    unreadable = [(one.file, one.reason) for one in summary.unreadable]
    title = f"What {trained.name} says of {count_of(summary.predicted, 'image')}"
    page = summary.gallery.build_page(title, model, summary.counts, unreadable)
    replace_bytes(path, page.encode())


def _show_answers(summary: Summary, *, ranked: int) -> None:
    if summary.predicted == 1:
        show_one(next(p for p in summary.first if len(p)), ranked=ranked)
    elif summary.predicted:
        show_some(summary.first, most=SHOWN)
        if summary.predicted > SHOWN:
            print(f" ... and {summary.predicted - SHOWN:,} more")
    if summary.refused:
        print(f"\n{count_of(summary.refused, 'file')} could not be read:")
        for one in summary.unreadable[:_REFUSED]:
            print(f"  {one.file} {one.reason}")
        if summary.refused > _REFUSED:
            print(f"  ... and {summary.refused - _REFUSED:,} more")


def _show_end(job: Job, summary: Summary) -> None:
    """Prints how many files were predicted, as what, and where the answers are."""
    count, seconds = summary.predicted, summary.seconds
    rows = {"images": f"{count:,} in {format_seconds(seconds)}"}
    if count > 1:
        rows["images"] += f", {describe_speed(count / seconds)} with the start"
        rows["labels"] = describe_counts(summary.counts)
    written = {
        "predictions": name_table(job.run.task.arguments()["format"]),
        "unreadable": job_files.UNREADABLE,
        "gallery": job_files.GALLERY,
    }
    for what, name in written.items():
        if (job.output_dir / name).is_file():
            rows[what] = short_path(job.output_dir / name)
    print()
    for what, text in rows.items():
        print(f"{what:13}{text}")


def _describe_result(job: Job, summary: Summary) -> JobResult:
    failed = not summary.predicted
    if failed:
        print("Nothing was predicted: none of the files is an image.")
    return JobResult(
        name=job.name,
        status="FAILED" if failed else "FINISHED",
        metrics={
            "images": float(summary.predicted),
            "unreadable": float(summary.refused),
            "seconds": summary.seconds,
        },
        overrides=job.overrides,
        output_dir=str(job.output_dir),
        reason="no file could be read" if failed else None,
        exit_code=int(failed),
    )
