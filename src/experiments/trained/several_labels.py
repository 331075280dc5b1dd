"""A trained model of several labels an image on labelled images."""

from pathlib import Path

import numpy as np

from experiments import job_files
from experiments.counts import name_some
from experiments.data.label_arrays import Labels, has_several
from experiments.data.labelled import Labelled
from experiments.data.samples import digest_samples, name_samples
from experiments.errors import DataError
from experiments.evaluation.several_labels.predictions import SeveralPredictions
from experiments.evaluation.several_labels.report import (
    SeveralReport,
    write_several_report,
)
from experiments.evaluation.several_labels.table import write_several
from experiments.trained.batches import read_batches
from experiments.trained.evaluation_files import describe_images
from experiments.trained.images import Chosen
from experiments.trained.trained import Trained


def evaluate_several(
    trained: Trained, chosen: Chosen, *, batch_size: int | None
) -> SeveralReport:
    """Returns what there is to tell of a model on the chosen images.

    Args:
        trained: The model.
        chosen: The images.
        batch_size: At a time; `None` for that of the training.

    Raises:
        DataError: The images have one label each, or none that the model knows.
    """
    from experiments.data.images.show import show_images
    from experiments.data.pipeline.damage import naming_damaged_files

    labelled, images = chosen.labelled, chosen.labelled.images
    truth, notes = match_several(labelled, trained.class_names)
    batches = read_batches(trained, labelled, batch_size=batch_size)
    with naming_damaged_files(images):
        outputs = trained.model.predict(batches, verbose=0)
    facts: dict[str, object] = {
        "run": trained.name,
        "state_sha256": trained.state_sha256,
        "dataset": labelled.name,
        "data_content": labelled.content,
        "folder": chosen.folder,
    }
    predictions = SeveralPredictions(
        samples=name_samples(images),
        digests=digest_samples(images),
        truth=truth,
        outputs=np.asarray(outputs, np.float64),
        split=labelled.split or "all",
        class_names=trained.class_names,
        facts=facts,
    )
    return SeveralReport(
        predictions=predictions,
        title=f"{trained.name}, evaluated on {describe_images(chosen)}",
        draw=lambda rows: show_images(images, rows, trained.image_shape),
        notes=[*chosen.notes, *notes],
    )


def write_several_evaluation(folder: Path, report: SeveralReport) -> list[Path]:
    """Writes predictions, scores and the page; returns all of the files."""
    folder.mkdir(parents=True, exist_ok=True)
    write_several(folder / job_files.TABLE, report.predictions)
    return [folder / job_files.TABLE, *write_several_report(folder, report)]


def match_several(
    labelled: Labelled, class_names: tuple[str, ...]
) -> tuple[Labels, list[str]]:
    """Returns the labels of images by a model's classes, matched by their names.

    A class of the model that the data do not name is in no image.

    Args:
        labelled: The images.
        class_names: Of the model.

    Returns:
        uint8 `(N, classes)`, and what a reader has to know, a sentence or none.

    Raises:
        DataError: The images have one label each, or none that the model knows.
    """
    labels, names = labelled.images.labels, labelled.class_names
    if not has_several(labels):
        raise DataError(
            f"The model answers for several labels an image, and {labelled.name} has "
            "one each. Type dataset.label_delimiter or dataset.label_columns."
        )
    numbers = {name: number for number, name in enumerate(class_names)}
    truth = np.zeros((len(labels), len(class_names)), np.uint8)
    unknown = []
    for column, name in enumerate(names):
        if name in numbers:
            truth[:, numbers[name]] = labels[:, column]
        else:
            unknown.append(name)
    if len(unknown) == len(names):
        raise DataError(
            "The model knows none of the classes of these images. It knows "
            f"{name_some(class_names)}; theirs are {name_some(names)}."
        )
    if not unknown:
        return truth, []
    return truth, [
        f"In no score, for the model does not know it: {name_some(unknown)}."
    ]
