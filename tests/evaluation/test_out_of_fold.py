from dataclasses import replace

import numpy as np
import pytest

from experiments.errors import DataError
from experiments.evaluation.out_of_fold import pool_folds
from experiments.evaluation.predictions import Predictions
from tests.evaluation.made import draw


def make_fold(number: int, *, folds: int = 3, **facts: object) -> Predictions:
    """Returns what the job of a fold of four images left."""
    drawn = draw(4, 3, seed=number)
    return replace(
        drawn,
        samples=[f"{number}/{image}.jpg" for image in range(4)],
        facts={
            "dataset": "pets",
            "data_content": "c",
            "data_split": f"s{number}",
            "run": f"dataset.fold={number}",
            "run_id": f"id{number}",
            "state_sha256": f"w{number}",
            "fold": number,
            "folds": folds,
            **facts,
        },
    )


def test_table_has_each_image_once_with_its_fold_and_what_its_job_said() -> None:
    folds = {number: make_fold(number) for number in (3, 1, 2)}
    pooled = pool_folds(folds)

    assert pooled.split == ["fold 1"] * 4 + ["fold 2"] * 4 + ["fold 3"] * 4
    assert pooled.samples[4:6] == ["2/0.jpg", "2/1.jpg"]
    assert (pooled.outputs[8:] == folds[3].outputs).all()
    assert (pooled.truth[:4] == folds[1].truth).all()
    right = [(fold.predicted == fold.truth).mean() for fold in folds.values()]
    assert (pooled.predicted == pooled.truth).mean() == pytest.approx(np.mean(right))


def test_facts_name_every_job_and_its_weights() -> None:
    pooled = pool_folds({number: make_fold(number) for number in (1, 2, 3)})

    assert pooled.facts["folds"] == 3
    assert (pooled.facts["dataset"], pooled.facts["data_content"]) == ("pets", "c")
    assert pooled.facts["jobs"]["fold 2"] == {
        "run": "dataset.fold=2",
        "run_id": "id2",
        "state_sha256": "w2",
        "data_split": "s2",
    }


def test_missing_fold_is_told() -> None:
    with pytest.raises(DataError, match="folds are missing: 2"):
        pool_folds({1: make_fold(1), 3: make_fold(3)})


@pytest.mark.parametrize(
    "other", [{"data_content": "d"}, {"folds": 4}, {"fold": 1}, {"dataset": "cars"}]
)
def test_fold_of_other_images_is_refused(other: dict[str, object]) -> None:
    folds = {1: make_fold(1), 2: make_fold(2, **other), 3: make_fold(3)}  # type: ignore[arg-type]
    with pytest.raises(DataError, match="fold 2 is one of other images than fold 1"):
        pool_folds(folds)


def test_image_in_two_folds_is_refused() -> None:
    twice = replace(make_fold(2), samples=make_fold(1).samples)
    with pytest.raises(DataError, match=r"1/0\.jpg is in several folds"):
        pool_folds({1: make_fold(1), 2: twice, 3: make_fold(3)})
