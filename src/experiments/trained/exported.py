"""Whether exported files say of images what the trained model says."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import numpy.typing as npt

from experiments.counts import count_of, format_share
from experiments.data.labelled import Labelled
from experiments.errors import ExperimentError
from experiments.evaluation.classes import match_classes
from experiments.export.formats import SERVE_ENCODED, choose_threshold
from experiments.export.parity import Parity, compare_with_model
from experiments.progress import show_progress
from experiments.trained.batches import read_batches
from experiments.trained.images import Chosen
from experiments.trained.several_labels import match_several
from experiments.trained.trained import Trained

if TYPE_CHECKING:
    from experiments.export.runtimes import Ask, Loaded

Images = npt.NDArray[np.uint8]


def check_files(
    trained: Trained, chosen: Chosen, loaded: "list[Loaded]", options: dict[str, Any]
) -> dict[str, Parity]:
    """Asks each file about all images.

    Args:
        trained: The model.
        chosen: The images.
        loaded: The files.
        options: Of `task=export`: `output`, `tolerance` and `agreement`.

    Returns:
        The parity of each form, by its name.

    Raises:
        ExperimentError: One says something else than the model.
    """
    parities = compare_with_model(
        ask_trained(trained, options["output"]),
        loaded,
        _following(_read_images(trained, chosen.labelled), len(chosen.labelled.images)),
        find_truth(trained, chosen.labelled),
        threshold=choose_threshold(options["output"]),
    )
    for one in loaded:
        parity = parities[one.form.name]
        if one.form.is_exact and parity.largest_difference > options["tolerance"]:
            _refuse(one.form.name, parity.largest_difference, options)
        if parity.agreement < options["agreement"]:
            raise ExperimentError(
                f"{one.form.name} gives another label for "
                f"{format_share(1 - parity.agreement, 1)} of the images, more than "
                f"task.agreement={options['agreement']:g} allows. Nothing was kept."
            )
    return parities


def check_encoded(
    trained: Trained, path: Path, images: Images, options: dict[str, Any]
) -> None:
    """Asks a SavedModel about files of some images, which it reads itself.

    Args:
        trained: The model.
        path: Of the SavedModel.
        images: uint8 `(N, H, W, C)` of the model's size.
        options: As for `check_files`.

    Raises:
        ExperimentError: It says something else than the model of what is read of them.
    """
    from experiments.export.encoded import compare_encoded

    difference = compare_encoded(
        ask_trained(trained, options["output"]),
        path,
        options["output"],
        images,
        crop_ratio=trained.crop_ratio,
        background=trained.background,
    )
    if difference > options["tolerance"]:
        _refuse(f"saved_model's {SERVE_ENCODED}", difference, options)


def _refuse(name: str, difference: float, options: dict[str, Any]) -> NoReturn:
    raise ExperimentError(
        f"{name} says something else than the model: its outputs differ by up to "
        f"{difference:.2g}, more than task.tolerance={options['tolerance']:g}. "
        "Nothing was kept."
    )


def ask_trained(trained: Trained, output: str) -> "Ask":
    """Returns what asks the model itself, its softmax or sigmoids by SciPy."""
    from scipy.special import expit, softmax

    def ask(images: Images) -> Any:
        given = np.asarray(trained.model.predict_on_batch(images), np.float64)
        if trained.has_several_labels:
            return expit(given) if output == "probabilities" else given
        needs = trained.kind == "logits" and output == "probabilities"
        return softmax(given, axis=1) if needs else given

    return ask


def _read_images(trained: Trained, labelled: Labelled) -> Iterator[Images]:
    from experiments.data.pipeline.damage import naming_damaged_files

    with naming_damaged_files(labelled.images):
        for images, _ in read_batches(trained, labelled).as_numpy_iterator():
            yield images


def _following(batches: Iterator[Images], total: int) -> Iterator[Images]:
    done = 0
    with show_progress() as show:
        for images in batches:
            show(f"{done:,} of {count_of(total, 'image')} checked")
            yield images
            done += len(images)


def find_truth(trained: Trained, labelled: Labelled) -> npt.NDArray[np.int64]:
    """Returns the class of each image in the model's order, -1 where it has none.

    Of several labels they are 0 and 1 for each class, `(N, classes)`.
    """
    if trained.has_several_labels:
        return match_several(labelled, trained.class_names)[0].astype(np.int64)
    labels = labelled.images.labels.astype(np.int64)
    return match_classes(labels, labelled.class_names, trained.class_names).truth
