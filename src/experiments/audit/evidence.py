"""Finds what models say of images that they did not learn from."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from experiments import job_files
from experiments.counts import join_words
from experiments.errors import DataError
from experiments.evaluation.predictions import Predictions
from experiments.evaluation.table import read_predictions

_OF_RUN = ("test", "validation")


def read_evidence(folder: Path) -> tuple[Predictions, str]:
    """Reads the predictions of a sweep over folds, else those that a run kept.

    Args:
        folder: Of the sweep or run.

    Returns:
        One table, and what it is, for a person.

    Raises:
        DataError: There is none, or of several settings.
        RecordError: It is damaged.
    """
    place = folder / job_files.PREDICTIONS
    pooled = place / job_files.OUT_OF_FOLD
    if pooled.is_file():
        return read_predictions(pooled), "models that had not seen the image"
    if several := sorted(place.glob(f"*/{job_files.OUT_OF_FOLD}")):
        raise DataError(
            f"run_id names a sweep over folds of {len(several)} settings, "
            f"{several[0].parent.name} first. Name a sweep over the folds alone: "
            "-m dataset.folds=5"
        )
    paths = {name: folder / job_files.name_predictions(name) for name in _OF_RUN}
    names = [name for name, path in paths.items() if path.is_file()]
    if not names:
        raise DataError(
            f"{folder} holds no predictions. Name a sweep over folds, -m "
            "dataset.folds=5, or a run that kept those of its test split; without "
            "run_id task=audit makes them."
        )
    tables = [read_predictions(paths[name]) for name in names]
    what = f"the {join_words(names)} predictions of {folder.name}"
    return _join(tables), what


def _join(tables: Sequence[Predictions]) -> Predictions:
    """Returns the tables of one run, which are about different images, as one."""
    first = tables[0]
    return Predictions(
        samples=[sample for table in tables for sample in table.samples],
        digests=[digest for table in tables for digest in table.digests],
        truth=np.concatenate([table.truth for table in tables]),
        outputs=np.concatenate([table.outputs for table in tables]),
        kind=first.kind,
        split=[split for table in tables for split in table.split],
        class_names=first.class_names,
    )
