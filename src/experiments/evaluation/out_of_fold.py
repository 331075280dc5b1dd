"""What the jobs of all folds said of the images of their folds, as one table."""

from collections import Counter
from collections.abc import Mapping

import numpy as np

from experiments.errors import DataError
from experiments.evaluation.predictions import Predictions

_COMMON = ("dataset", "data_content", "folds")
_OF_JOB = ("run", "run_id", "state_sha256", "data_split")


def name_fold(number: int) -> str:
    """Returns the name of a fold, 1 and up, in the table's column `split`."""
    return f"fold {number}"


def pool_folds(tables: Mapping[int, Predictions]) -> Predictions:
    """Puts the predictions of all folds together.

    Args:
        tables: Number of the fold -> what its job said of its images. Their facts name
            data set and job.

    Returns:
        One row an image, `split` being its fold. The facts are `dataset`,
        `data_content`, `folds` and `jobs`: name of the fold -> `run`, `run_id`,
        `state_sha256` and `data_split` of its job.

    Raises:
        DataError: They are not of the folds of one data set.
    """
    first = next(iter(tables.values()))
    folds = first.facts.get("folds")
    missing = [n for n in range(1, (folds or 0) + 1) if n not in tables]
    if not folds or missing or len(tables) != folds:
        raise DataError(f"folds are missing: {', '.join(map(str, missing))}")
    for number, table in tables.items():
        same = table.kind == first.kind and table.class_names == first.class_names
        alike = all(table.facts.get(k) == first.facts.get(k) for k in _COMMON)
        if not (same and alike and table.facts.get("fold") == number):
            raise DataError(f"fold {number} is one of other images than fold 1")
    parts = [tables[number] for number in sorted(tables)]
    samples = [name for part in parts for name in part.samples]
    if twice := [name for name, count in Counter(samples).items() if count > 1]:
        raise DataError(f"{twice[0]} is in several folds")
    return Predictions(
        samples=samples,
        digests=[digest for part in parts for digest in part.digests],
        truth=np.concatenate([part.truth for part in parts]),
        outputs=np.concatenate([part.outputs for part in parts]),
        kind=first.kind,
        split=[name_fold(n) for n in sorted(tables) for _ in range(len(tables[n]))],
        class_names=first.class_names,
        facts={
            **{name: first.facts.get(name) for name in _COMMON},
            "jobs": {
                name_fold(n): {key: tables[n].facts.get(key) for key in _OF_JOB}
                for n in sorted(tables)
            },
        },
    )
