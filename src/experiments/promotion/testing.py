"""What a candidate and the champion say of the same test images, each asked once."""

import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from experiments import job_files
from experiments.config.schema.run import RunConfig
from experiments.counts import count_of, name_some
from experiments.errors import DataError, ExperimentError
from experiments.evaluation.predictions import Predictions
from experiments.evaluation.table import read_predictions
from experiments.evaluation.uncertainty.pairs import align
from experiments.promotion.decision import Champion
from experiments.promotion.registering import TEST_CONTENT
from experiments.records import NewerRecordError, RecordError
from experiments.tracking.registry import Version
from experiments.trained.evaluated import Evaluated, evaluate_images
from experiments.trained.evaluation_files import describe_images, name_evaluation
from experiments.trained.finding import find_trained
from experiments.trained.images import Chosen
from experiments.trained.trained import Trained, open_beside

FILES = "evaluation"  # of a version, beside its model


@dataclass(frozen=True, kw_only=True)
class Tested:
    """A candidate on its test images.

    Attributes:
        evaluated: What it says of them.
        content: Hash of the images and their classes.
        place: Folder of the evaluation; its name is that in metrics.
        images: In words: `digits, test`.
    """

    evaluated: Evaluated
    content: str
    place: Path
    images: str

    @property
    def predictions(self) -> Predictions:
        """What it says of each image."""
        return self.evaluated.predictions

    @property
    def accuracy(self) -> float:
        """Share of the images that it gets right."""
        return float((self.predictions.predicted == self.predictions.truth).mean())


def check_test_images(chosen: Chosen) -> None:
    """Raises where the images are none that a model may be judged by.

    Raises:
        DataError: They are those of its training, or of the choice of its best epoch.
    """
    split, name = chosen.labelled.split, chosen.labelled.name
    if chosen.dataset is not None and split != "test":
        raise DataError(
            f"{name} has no test split, and by its {split} split the best epoch was "
            "chosen: that shows nothing. Train with dataset.test_fraction=0.15, or "
            "name other images, such as dataset=folder dataset.path=test_photos."
        )


def ask_candidate(
    trained: Trained, chosen: Chosen, place: Path, *, batch_size: int | None
) -> Tested:
    """Returns what a candidate says of its test images; it is asked once in its life.

    Args:
        trained: The candidate.
        chosen: Its test images.
        place: Where its evaluations are.
        batch_size: As `evaluate_images` takes it.

    Raises:
        DataError: It does not know all of their classes, or an image is damaged.
    """
    folder = place / name_evaluation(chosen, place)
    evaluated = evaluate_images(trained, chosen, batch_size=batch_size, kept_in=folder)
    if unknown := evaluated.matching.unknown:
        images = count_of(sum(unknown.values()), "image")
        raise DataError(
            f"The model does not know the classes of {images} of "
            f"{describe_images(chosen)}: {name_some(list(unknown))}. A champion is "
            "chosen by images of its own classes."
        )
    return Tested(
        evaluated=evaluated,
        content=chosen.labelled.content,
        place=folder,
        images=describe_images(chosen),
    )


def ask_champion(
    name: str,
    version: Version,
    candidate: Predictions,
    chosen: Chosen,
    run: RunConfig,
    *,
    batch_size: int | None,
) -> Champion:
    """Returns what the champion says of a candidate's test images.

    What it said of the same images when it was registered is read. Where those were
    others, or are gone, it is asked here, in the process and on the images of the
    candidate, in its own size.

    Args:
        name: Of the registered model.
        version: The champion.
        candidate: What the candidate says.
        chosen: The images, with the framework set up.
        run: Of the command.
        batch_size: As `evaluate_images` takes it.
    """
    number, doubt = version.number, ""
    try:
        found = find_trained(f"models:/{name}/{number}", run)
        with tempfile.TemporaryDirectory() as folder:
            trained = open_beside(found, run, Path(folder))
            told = _read_told(Path(folder), candidate)
        if told is None and set(trained.class_names) == set(candidate.class_names):
            evaluated = evaluate_images(trained, chosen, batch_size=batch_size)
            told = evaluated.predictions
            if chosen.dataset is not None and not _was_tested_on(version, chosen):
                doubt = (
                    f"Whether version {number} was trained on some of these images is "
                    "not known: it was tested on others."
                )
    except ExperimentError as error:
        return Champion(
            number=number, problem=f"Version {number} cannot be asked. {error}"
        )
    return Champion(
        number=number,
        weights=trained.state_sha256,
        class_names=trained.class_names,
        predictions=told,
        doubt=doubt,
    )


def _was_tested_on(version: Version, chosen: Chosen) -> bool:
    """Tells whether images are those that a version was tested on."""
    return version.tags.get(TEST_CONTENT) == chosen.labelled.content


def _read_told(folder: Path, candidate: Predictions) -> Predictions | None:
    """Returns what a version said of the same images when it was registered."""
    with suppress(FileNotFoundError, RecordError, NewerRecordError, DataError):
        table = read_predictions(folder / FILES / job_files.TABLE)
        return align(candidate, table)
    return None
