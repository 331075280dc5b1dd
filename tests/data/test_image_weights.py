"""Weights go with their images, through the table, the pipeline and mixtures."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments.data.augment.mixup import Mixup
from experiments.data.pipeline.pipeline import build_pipeline
from experiments.data.split import ArraySplit
from experiments.errors import DataError
from tests.data.datasets.test_folder import write_images
from tests.data.datasets.test_table import load, rows_of, write

MIXUP = Mixup(alpha=1.0, probability=1.0, per="sample")
HEAD = ("path", "label", "weight")


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    root = tmp_path / "pets"
    for name in ("cat", "puppy"):
        write_images(root / name, 12)
    return root


def weigh(root: Path, count: Any, **options: Any) -> Any:
    rows = rows_of(root)
    write(root / "labels.csv", [(*row, count(n)) for n, row in enumerate(rows)], HEAD)
    return load(root, weight_column="weight", **options)


def test_training_images_have_their_own_weights(pets: Path) -> None:
    dataset = weigh(pets, lambda number: number / 4)
    names = [name for name, _ in rows_of(pets)]
    root = f"{dataset.train.root}/"

    expected = [names.index(p.removeprefix(root)) / 4 for p in dataset.train.paths]
    assert dataset.train.weights.tolist() == expected
    assert dataset.validation.weights is dataset.test.weights is None


def test_other_weights_are_another_content(pets: Path) -> None:
    found = [weigh(pets, lambda number, f=f: f * number + 1) for f in (1, 1, 2)]
    contents = [dataset.fingerprint.content for dataset in found]

    assert contents[0] == contents[1] != contents[2]
    assert found[0].fingerprint.split == found[2].fingerprint.split


@pytest.mark.parametrize("wrong", ["", "-1", "nan", "inf", "much"])
def test_what_is_no_weight_is_told_with_its_line(pets: Path, wrong: str) -> None:
    with pytest.raises(DataError, match=r"line 4: weighs .* must be a number >= 0"):
        weigh(pets, lambda number: wrong if number == 2 else 1)


def test_a_training_of_nothing_is_refused(pets: Path) -> None:
    with pytest.raises(DataError, match=r"dataset\.weight_column must leave"):
        weigh(pets, lambda number: 0)


def split_of(count: int) -> ArraySplit:
    """Each image is of one brightness, its number, which its weight is twice."""
    numbers = np.arange(count)
    images = np.tile(numbers[:, None, None, None], (1, 4, 4, 1)).astype(np.uint8)
    weights = (2 * numbers).astype(np.float32)
    return ArraySplit(images, (numbers % 2).astype(np.int32), weights=weights)


def batches(split: ArraySplit, **options: Any) -> Any:
    return build_pipeline(
        split,
        image_shape=(4, 4, 1),
        batch_size=4,
        seed=1,
        shuffle=True,
        epochs=1,
        drop_remainder=False,
        **options,
    ).as_numpy_iterator()


def test_a_batch_has_the_weights_of_its_images() -> None:
    for images, labels, weights in batches(split_of(10)):
        np.testing.assert_array_equal(weights, 2.0 * images[:, 0, 0, 0])
        np.testing.assert_array_equal(labels, images[:, 0, 0, 0] % 2)


def test_a_mixture_counts_as_its_parts_do_by_their_shares() -> None:
    """Share s of an image of weight v: its class has s v of what the mixture counts."""
    plain = list(batches(split_of(10)))
    mixed = batches(split_of(10), augment=[MIXUP], classes=2)
    unweighed = ArraySplit(split_of(10).images, split_of(10).labels)
    shares = batches(unweighed, augment=[MIXUP], classes=2)
    for (_, own, weights), (_, labels, counts), (_, told) in zip(
        plain, mixed, shares, strict=True
    ):
        one_hot = np.eye(2)[own]
        differs = own != own[::-1]  # there the label tells the share
        share = (told * one_hot).sum(1)[differs]
        first, second = weights[differs], weights[::-1][differs]
        count = share * first + (1 - share) * second
        np.testing.assert_allclose(counts[differs], count, rtol=1e-5)
        of_own = (labels * one_hot).sum(1)[differs]
        np.testing.assert_allclose(of_own * count, share * first, rtol=1e-5, atol=1e-6)
