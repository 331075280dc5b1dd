"""Asks a model of several labels an image about every image of a split."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from experiments.data.dataset import Dataset
from experiments.data.samples import digest_samples, name_samples
from experiments.evaluation.collect import describe_data
from experiments.evaluation.several_labels.predictions import SeveralPredictions


def collect_several(
    model: Any,
    dataset: Dataset,
    split: str,
    batches: Any,
    *,
    facts: Mapping[str, Any] | None = None,
) -> SeveralPredictions:
    """Returns what a model says of each image of a split, in the split's order.

    Args:
        model: A Keras model of uint8 images (B, H, W, C) -> logits (B, classes).
        dataset: Names the images, their classes and labels.
        split: `train`, `validation` or `test`.
        batches: One pass over the split, in its order, incomplete last batch included.
        facts: Beside those of the data set.

    Raises:
        DataError: An output is no number.
    """
    images = dataset.splits[split]
    return SeveralPredictions(
        samples=name_samples(images),
        digests=digest_samples(images),
        truth=images.labels,
        outputs=np.asarray(model.predict(batches, verbose=0), np.float64),
        split=split,
        class_names=dataset.class_names,
        facts={**describe_data(dataset), **(facts or {})},
    )
