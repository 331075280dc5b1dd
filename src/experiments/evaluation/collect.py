"""Asks a model about every image of a split."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from experiments.data.dataset import Dataset
from experiments.data.samples import digest_samples, name_samples
from experiments.evaluation.predictions import Output, Predictions


def collect_predictions(
    model: Any,
    dataset: Dataset,
    split: str,
    batches: Any,
    *,
    kind: Output,
    facts: Mapping[str, Any] | None = None,
) -> Predictions:
    """Returns what a model says of each image of a split, in the split's order.

    Args:
        model: A Keras model of uint8 images (B, H, W, C) -> (B, classes).
        dataset: Names the images, their classes and labels.
        split: `train`, `validation` or `test`.
        batches: One pass over the split, in its order, incomplete last batch included.
        kind: What the model gives.
        facts: Beside those of the data set.

    Raises:
        DataError: An output is no number.
    """
    images = dataset.splits[split]
    fingerprint = dataset.fingerprint
    return Predictions(
        samples=name_samples(images),
        digests=digest_samples(images),
        truth=images.labels.astype(np.int64),
        outputs=np.asarray(model.predict(batches, verbose=0), np.float32),
        kind=kind,
        split=[split] * len(images),
        class_names=dataset.class_names,
        facts={
            "dataset": dataset.name,
            "data_content": fingerprint.content,
            "data_split": fingerprint.split,
            **(facts or {}),
        },
    )
