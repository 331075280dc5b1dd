"""What is measured beside the loss."""

from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

import keras
import numpy as np

from experiments.config.kinds.objective import TOP5_FROM
from experiments.errors import ExperimentError


def build_metrics(num_classes: int) -> list[Any]:
    """Builds the metrics for integer labels: accuracy, and top-5 from 11 classes on.

    Of the mixed labels of a training they count the class with the largest share, the
    first one of equals, which `train_on` gives them: a network that knows the image
    which most of a mixture shows has an accuracy of 1.

    Args:
        num_classes: Size of the model's last axis.

    Returns:
        Fresh metrics named `accuracy` and, with many classes, `top5_accuracy`.
    """
    metrics = [keras.metrics.SparseCategoricalAccuracy(name="accuracy")]
    if num_classes >= TOP5_FROM:
        metrics.append(
            keras.metrics.SparseTopKCategoricalAccuracy(k=5, name="top5_accuracy")
        )
    return metrics


def build_several_metrics(num_classes: int) -> list[Any]:
    """Builds what is measured in training where an image may have several labels.

    `pr_auc` is the mean over the classes of the area below precision and recall, by
    Keras in 200 steps: near the mean average precision, which needs all images at once
    and is computed of what is held out.

    Args:
        num_classes: Size of the model's last axis.
    """
    return [
        keras.metrics.AUC(
            curve="PR",
            multi_label=True,
            num_labels=num_classes,
            from_logits=True,
            name="pr_auc",
        )
    ]


def build_accumulators(model: Any, *, has_several: bool = False) -> None:
    """Lets metrics come into being, which they do with the first batch they see.

    Args:
        model: A compiled `keras.Model` of one output `(B, classes)`.
        has_several: Whether an image may have several labels.
    """
    scores = np.zeros((1, *model.output_shape[1:]), "float32")
    strategy = getattr(model, "distribute_strategy", None)
    with nullcontext() if strategy is None else strategy.scope():
        labels = np.zeros_like(scores) if has_several else np.zeros(1, "int32")
        model.compute_metrics(None, labels, scores)
        model.reset_metrics()


def read_metric(metrics: Mapping[str, Any], name: str, key: str) -> float:
    """Returns one of an epoch's metrics as a number.

    Args:
        metrics: Of the epoch.
        name: Of the metric.
        key: What names it, for the message.

    Raises:
        ExperimentError: It is not among them.
    """
    if name not in metrics:
        raise ExperimentError(
            f"{key} must be one of {', '.join(sorted(metrics))}. Received: {name!r}."
        )
    return float(metrics[name])
