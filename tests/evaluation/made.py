"""Predictions that are drawn, for tests."""

from typing import Any

import numpy as np

from experiments.evaluation.predictions import Predictions


def make(
    outputs: Any,
    truth: Any,
    *,
    kind: Any = "logits",
    names: tuple[str, ...] | None = None,
) -> Predictions:
    """Returns predictions of images that are called 0, 1, ..."""
    outputs = np.asarray(outputs, np.float64)
    count, classes = outputs.shape
    return Predictions(
        samples=[str(number) for number in range(count)],
        digests=[f"{number:04x}" for number in range(count)],
        truth=np.asarray(truth),
        outputs=outputs,
        kind=kind,
        split=["test"] * count,
        class_names=names or tuple(f"class {number}" for number in range(classes)),
        facts={"dataset": "made"},
    )


def draw(count: int, classes: int, *, seed: int = 0, skill: float = 2.0) -> Predictions:
    """Returns predictions that are right more often than by chance."""
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, classes, count)
    outputs = generator.normal(size=(count, classes))
    outputs[np.arange(count), truth] += skill
    return make(outputs.astype(np.float32), truth)
