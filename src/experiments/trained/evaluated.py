"""What a trained model says of labelled images: kept from before, or asked now."""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from experiments import job_files
from experiments.data.labelled import Labelled, take_split
from experiments.data.samples import digest_samples
from experiments.evaluation.calibration import fit_temperature
from experiments.evaluation.classes import Matching, match_classes
from experiments.evaluation.collect import collect_of_images, describe_data
from experiments.evaluation.predictions import Predictions
from experiments.evaluation.table import read_predictions, write_predictions
from experiments.records import NewerRecordError, RecordError
from experiments.trained.batches import read_batches
from experiments.trained.images import Chosen
from experiments.trained.trained import Trained

_LENGTH = 80  # of a name
_ALL = "all"  # the split of images that no split folders divide
_MODEL, _DATA, _DIVISION = "state_sha256", "data_content", "data_split"


@dataclass(frozen=True, kw_only=True)
class Evaluated:
    """Predictions over labelled images.

    Attributes:
        predictions: Of all of them, those of unknown classes without a label.
        matching: Which of their classes the model knows.
        kept: Whether the training's own table was read, and the model not asked.
    """

    predictions: Predictions
    matching: Matching
    kept: bool


def evaluate_images(
    trained: Trained,
    chosen: Chosen,
    *,
    batch_size: int | None,
    kept_in: Path | None = None,
) -> Evaluated:
    """Returns what the model says of the chosen images.

    Args:
        trained: The model.
        chosen: The images.
        batch_size: At a time; `None` for that of the training.
        kept_in: Folder of an earlier evaluation, whose table is read where it is of
            the same weights and images.

    Raises:
        DataError: The model knows none of their classes, or an image is damaged.
    """
    labelled = chosen.labelled
    matching = match_classes(
        labelled.images.labels.astype(np.int64),
        labelled.class_names,
        trained.class_names,
    )
    facts = _describe(trained, chosen)
    split = labelled.split or _ALL
    if chosen.dataset is not None and trained.folder is not None:
        path = trained.folder / job_files.name_predictions(split)
        kept = _find_kept(path, trained, facts)
        if kept is not None and _covers(kept, labelled):
            return Evaluated(predictions=kept, matching=matching, kept=True)
    if kept_in is not None:
        kept = _find_kept(kept_in / job_files.TABLE, trained, facts)
        if kept is not None and _covers(kept, labelled):
            return Evaluated(predictions=kept, matching=matching, kept=False)
    predictions = _ask(trained, labelled, matching, facts=facts, batch_size=batch_size)
    return Evaluated(predictions=predictions, matching=matching, kept=False)


def find_temperature(
    trained: Trained, chosen: Chosen, *, batch_size: int | None
) -> float | None:
    """Returns the temperature of the run's own validation split.

    What the model says of that is read where it was kept. It is asked only where the
    run's own data set is at hand, and the answer is kept for the next time.

    Args:
        trained: The model.
        chosen: The images that are evaluated.
        batch_size: As `evaluate_images` takes it.

    Returns:
        `None` where nothing is kept, and other images are evaluated; where that split
        itself is, of which a fitted number would tell too well.
    """
    if chosen.dataset is not None and chosen.labelled.split == "validation":
        return None
    for table in _list_validation_tables(trained):
        if table.facts.get(_MODEL) == trained.state_sha256 and _is_of_own(table):
            return fit_temperature(table)
    if chosen.dataset is None:
        return None
    labelled = take_split(chosen.dataset, "validation")
    own = Chosen(
        labelled=labelled,
        dataset=chosen.dataset,
        folder=chosen.folder,
        config=chosen.config,
    )
    found = evaluate_images(trained, own, batch_size=batch_size).predictions
    if trained.folder is not None:
        place = trained.folder / job_files.EVALUATION / name_images(labelled)
        place.mkdir(parents=True, exist_ok=True)
        write_predictions(place / job_files.TABLE, found)
    return fit_temperature(found)


def name_images(labelled: Labelled) -> str:
    """Returns the name of images in files and metrics: `my_photos-test`."""
    words = f"{labelled.name}-{labelled.split}" if labelled.split else labelled.name
    return re.sub(r"[^\w.-]+", "_", words).strip("._")[:_LENGTH] or "images"


def _ask(
    trained: Trained,
    labelled: Labelled,
    matching: Matching,
    *,
    facts: dict[str, object],
    batch_size: int | None,
) -> Predictions:
    from experiments.data.pipeline.damage import naming_damaged_files

    images = labelled.images
    batches = read_batches(trained, labelled, batch_size=batch_size)
    with naming_damaged_files(images):
        return collect_of_images(
            trained.model,
            images,
            batches,
            kind=trained.kind,
            truth=matching.truth,
            split=labelled.split or _ALL,
            class_names=trained.class_names,
            facts=facts,
        )


def _describe(trained: Trained, chosen: Chosen) -> dict[str, object]:
    """Returns what predictions are made of: names and fingerprints."""
    facts: dict[str, object] = {"run": trained.name, _MODEL: trained.state_sha256}
    if trained.run_id is not None:
        facts["run_id"] = trained.run_id
    if chosen.folder is not None:
        facts["folder"] = chosen.folder
    if chosen.dataset is not None:
        return {**facts, **describe_data(chosen.dataset)}
    labelled = chosen.labelled
    data = {"dataset": labelled.name, _DATA: labelled.content}
    return {**facts, **data, _DIVISION: labelled.split or _ALL}


def _find_kept(
    path: Path, trained: Trained, facts: dict[str, object]
) -> Predictions | None:
    """Returns a table that is there, if it is of these weights and images."""
    table = _read(path)
    alike = (_MODEL, _DATA, _DIVISION)
    if table is None or table.class_names != trained.class_names:
        return None
    if any(table.facts.get(name) != facts[name] for name in alike):
        return None
    return table


def _covers(table: Predictions, labelled: Labelled) -> bool:
    """Tells whether a table has a row for each image, in its order."""
    return list(table.digests) == digest_samples(labelled.images)


def _list_validation_tables(trained: Trained) -> Iterator[Predictions]:
    if trained.folder is None:
        return
    kept = trained.folder / job_files.name_predictions("validation")
    places = trained.folder / job_files.EVALUATION
    for path in (kept, *sorted(places.glob(f"*-validation/{job_files.TABLE}"))):
        table = _read(path)
        if table is not None and table.class_names == trained.class_names:
            yield table


def _is_of_own(table: Predictions) -> bool:
    """Tells whether a table is of the data set of a run, and no other's."""
    return bool(table.facts.get(_DIVISION) not in (_ALL, "validation", None))


def _read(path: Path) -> Predictions | None:
    with suppress(FileNotFoundError, RecordError, NewerRecordError):
        return read_predictions(path)
    return None
