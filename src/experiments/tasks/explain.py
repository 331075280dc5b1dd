"""Shows where in images a trained model sees what speaks for a class."""

import itertools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from experiments.command.printed import typed_folder
from experiments.counts import count_of, format_share
from experiments.data.files.asked.inputs import (
    list_inputs,
    name_input,
    read_standard_input,
)
from experiments.data.readiness.check import check_data
from experiments.errors import DataError, make_printable
from experiments.jobs.job import Job, JobResult
from experiments.jobs.showing.display import short_path
from experiments.trained.finding import Found, find_trained
from experiments.trained.reading import read_for
from experiments.trained.trained import Trained, open_trained

if TYPE_CHECKING:
    from experiments.data.files.asked.reading import ReadImage
    from experiments.evaluation.explaining.explanation import Explanation

_PRINTED = 10  # images
_METHODS = {"cam": "class activation maps", "grad_cam": "Grad-CAM"}


def explain(job: Job) -> JobResult:
    """Writes a heat map for each image that `input` names, and a page of them all.

    Args:
        job: Its `run.run_id` names a trained model.

    Returns:
        A result that counts the images.

    Raises:
        ConfigError: The model knows no such class.
        DataError: No image is named that can be read.
        ExperimentError: There is no such model, or it has no maps.
    """
    options, run = job.run.task.arguments(), job.run
    check_data([run])  # on a machine of a cluster
    found = find_trained(str(run.run_id), run)
    _check_class(found, options["class_name"])
    paths, is_cut = _choose(job, options["most"])
    with open_trained(found, run) as trained:
        images = _read(trained, paths)
        explanations = _explain(trained, images, options)
    notes = [*_list_notes(images), *_tell_cut(options["most"], is_cut)]
    _write(job, trained.name, explanations, notes)
    unread = len(images) - len(explanations)
    return JobResult(
        name=job.name,
        status="FINISHED",
        metrics={"images": float(len(explanations)), "unreadable": float(unread)},
        overrides=job.overrides,
        output_dir=str(job.output_dir),
    )


def _check_class(found: Found, class_name: str | None) -> None:
    """Looks for a class where names are recorded, before anything heavy is imported."""
    from experiments.evaluation.explaining.explanation import find_class

    known = None if found.record is None else found.record.images
    if class_name is not None and known is not None:
        find_class(class_name, known.class_names)


def _choose(job: Job, most: int) -> tuple[list[str], bool]:
    """Returns the first files that are meant, and whether there are more."""
    lines = read_standard_input()  # nothing is read unless `-` was typed
    files = list_inputs(job.run.inputs(), lines, folder=typed_folder())
    paths = list(itertools.islice(files, most + 1))
    if not paths:
        raise DataError("input names no file: the pipe or list was empty.")
    return paths[:most], len(paths) > most


def _read(trained: Trained, paths: Sequence[str]) -> list["ReadImage"]:
    images = list(read_for(trained, paths))
    if all(image.pixels is None for image in images):
        told = " ".join(_list_notes(images))
        raise DataError(f"input names no image that can be read. {told}")
    return images


def _explain(
    trained: Trained, images: Sequence["ReadImage"], options: dict[str, Any]
) -> list["Explanation"]:
    import numpy as np

    from experiments.evaluation.explaining.explanation import explain_images

    readable = [image for image in images if image.pixels is not None]
    return explain_images(
        trained.model,
        np.stack([image.pixels for image in readable if image.pixels is not None]),
        trained.class_names,
        names=[name_input(image.path, typed_folder()) for image in readable],
        class_name=options["class_name"],
        method=options["method"],
        has_several=trained.has_several_labels,
    )


def _list_notes(images: Sequence["ReadImage"]) -> Iterator[str]:
    """Yields a sentence for each file that could not be read."""
    for image in images:
        if image.fault is not None:
            yield f"{name_input(image.path, typed_folder())} {image.fault}."


def _tell_cut(most: int, is_cut: bool) -> Iterator[str]:
    if is_cut:
        yield (
            f"input names more than {count_of(most, 'image')}: these are the first "
            "ones. task.most=200 takes up to 200."
        )


def _write(
    job: Job, model: str, explanations: Sequence["Explanation"], notes: Sequence[str]
) -> None:
    """Writes page and pictures, and prints where they are and what the model says."""
    from experiments.evaluation.explaining.explanation_files import write_explanations

    title = f"Where {model} looks"
    page, pictures = write_explanations(
        job.output_dir, explanations, title=title, notes=notes
    )
    for one, path in list(zip(explanations, pictures, strict=True))[:_PRINTED]:
        said = ", ".join(
            f"{name} ({format_share(share, 1)})" for name, share in one.likeliest
        )
        print(make_printable(f"{one.name}: {said}"))
        print(make_printable(f"    {short_path(path)}"))
    if len(explanations) > _PRINTED:
        print(f"... and {count_of(len(explanations) - _PRINTED, 'more image')}")
    for note in notes:
        print(make_printable(note))
    shown = _METHODS[explanations[0].method]
    print(f"On one page, by {shown}: {short_path(page)}")
