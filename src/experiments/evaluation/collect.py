"""Asks a model about every image of a split."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from experiments.data.dataset import Dataset
from experiments.data.samples import digest_samples, name_samples
from experiments.data.split import Split
from experiments.evaluation.predictions import Integers, Output, Predictions


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
    return collect_of_images(
        model,
        images,
        batches,
        kind=kind,
        truth=images.labels.astype(np.int64),
        split=split,
        class_names=dataset.class_names,
        facts={**describe_data(dataset), **(facts or {})},
    )


def collect_of_images(
    model: Any,
    images: Split,
    batches: Any,
    *,
    kind: Output,
    truth: Integers,
    split: str,
    class_names: Sequence[str],
    facts: Mapping[str, Any],
) -> Predictions:
    """Returns what a model says of images, whosever classes they have.

    Args:
        model: As above.
        images: The images, whose own labels are not asked.
        batches: One pass over them, likewise.
        kind: What the model gives.
        truth: int `(N,)`, the model's class of each; `UNLABELLED` where it knows none.
        split: Where they are.
        class_names: Of the model.
        facts: What the predictions are made of.

    Raises:
        DataError: An output is no number.
    """
    from experiments.training.callbacks.heartbeat import Heartbeat

    outputs = model.predict(batches, callbacks=[Heartbeat()], verbose=0)
    return Predictions(
        samples=name_samples(images),
        digests=digest_samples(images),
        truth=truth,
        outputs=np.asarray(outputs, np.float32),
        kind=kind,
        split=[split] * len(images),
        class_names=tuple(class_names),
        facts=facts,
    )


def describe_data(dataset: Dataset) -> dict[str, Any]:
    """Returns the facts of a data set that predictions over it keep."""
    fingerprint = dataset.fingerprint
    return {
        "dataset": dataset.name,
        "data_content": fingerprint.content,
        "data_split": fingerprint.split,
    }
