"""Resampled scores are those of scikit-learn on the drawn images."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score

from experiments.evaluation.several_labels.intervals import (
    _Ranked,
    measure_several_intervals,
)
from experiments.evaluation.several_labels.predictions import SeveralPredictions
from experiments.evaluation.uncertainty.bootstrap import draw_blocks


def make(count: int = 60) -> SeveralPredictions:
    random = np.random.RandomState(1)
    truth = (random.rand(count, 3) < (0.5, 0.2, 0.0)).astype(np.uint8)
    outputs = np.round(random.randn(count, 3) + truth, 1)  # with ties
    return SeveralPredictions(
        samples=[str(n) for n in range(count)],
        digests=["d"] * count,
        truth=truth,
        outputs=outputs,
        split="test",
        class_names=("a", "b", "none"),
    )


def test_average_precision_of_a_resample_is_that_of_its_images() -> None:
    p = make()
    block = next(draw_blocks(len(p), 0))
    found = _Ranked(p.truth[:, 1], p.outputs[:, 1]).measure(block)

    for weights, value in list(zip(block, found, strict=True))[:20]:
        rows = np.repeat(np.arange(len(p)), weights)
        expected = average_precision_score(p.truth[rows, 1], p.outputs[rows, 1])
        assert value == pytest.approx(expected)


def test_intervals_hold_the_middle_of_all_resamples() -> None:
    p = make()
    found, classes = measure_several_intervals(p, seed=3)
    values: dict[str, list[float]] = {"map": [], "macro_f1": [], "micro_f1": []}
    for block in list(draw_blocks(len(p), 3))[:4]:
        for weights in block:
            rows = np.repeat(np.arange(len(p)), weights)
            truth, called = p.truth[rows, :2], p.called[rows, :2]
            values["map"].append(average_precision_score(truth, p.outputs[rows, :2]))
            values["macro_f1"].append(f1_score(truth, called, average="macro"))
            micro = f1_score(p.truth[rows], p.called[rows], average="micro")
            values["micro_f1"].append(micro)

    for name, drawn in values.items():
        expected = np.quantile(drawn, [0.025, 0.975])
        assert found[name] == pytest.approx(expected.tolist(), abs=0.02)
    assert classes[2] is None
    assert found["map"][0] < found["map"][1]
