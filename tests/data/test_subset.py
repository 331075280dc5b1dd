from typing import Any

import numpy as np
import pytest

from experiments.builders.data import build_dataset
from experiments.config.identity import identify
from experiments.data.subset import choose_rows
from experiments.errors import ConfigError

LABELS = np.random.default_rng(0).permutation(
    np.repeat(np.arange(3), [90, 25, 2]).astype("int32")
)


@pytest.mark.parametrize("fraction", [0.01, 0.1, 0.3, 1.0])
def test_each_class_keeps_its_fraction_and_at_least_one(fraction: float) -> None:
    rows = choose_rows(LABELS, fraction, seed=0)

    expected = [max(1, round(fraction * count)) for count in (90, 25, 2)]
    assert np.bincount(LABELS[rows]).tolist() == expected
    assert (np.diff(rows) > 0).all()


def test_a_smaller_fraction_is_a_part_of_a_larger_one() -> None:
    small, large = (set(choose_rows(LABELS, f, seed=3).tolist()) for f in (0.1, 0.2))
    assert small < large
    assert small != set(choose_rows(LABELS, 0.1, seed=4).tolist())


def test_only_the_training_split_is_cut(check: Any) -> None:
    few = ["dataset.fraction=0.1"]
    whole, part, again, other = (
        build_dataset(check("dataset=digits", *more).run)
        for more in ([], few, few, [*few, "dataset.fraction_seed=1"])
    )

    counts = whole.fingerprint.counts["train"]
    assert part.fingerprint.counts["train"] == [round(n / 10) for n in counts]
    for split in ("validation", "test"):
        same = part.fingerprint.parts[split], whole.fingerprint.parts[split]
        assert same[0] == same[1]
    assert part.fingerprint.content == whole.fingerprint.content
    assert part.fingerprint.split != whole.fingerprint.split
    assert part.fingerprint == again.fingerprint
    assert part.fingerprint.split != other.fingerprint.split
    pixels = part.train.images.astype("float64") / 255  # type: ignore[union-attr]
    assert part.mean == pytest.approx([pixels.mean()])
    assert part.std == pytest.approx([pixels.std()])


def test_a_given_mean_stays(check: Any) -> None:
    given = ["dataset.fraction=0.1", "dataset.mean=[0.5]"]
    assert build_dataset(check("dataset=digits", *given).run).mean == (0.5,)


def test_a_fraction_is_part_of_what_a_job_is(compose: Any) -> None:
    few = "dataset.fraction=0.1"
    runs = [compose(), compose(few), compose(few, "dataset.fraction_seed=1")]
    assert len({identify(run) for run in runs}) == 3
    assert identify(compose("dataset.fraction=1.0")) == identify(compose())


def test_a_seed_of_nothing_is_refused(compose: Any) -> None:
    with pytest.raises(ConfigError, match=r"fraction_seed is used with dataset\.fract"):
        compose("dataset.fraction_seed=1")
