"""What is measured beside the loss."""

from typing import Any

import keras

TOP5_FROM = 11  # with ten classes or fewer, the best five say little


def build_metrics(num_classes: int) -> list[Any]:
    """Builds the metrics for integer labels: accuracy, and top-5 from 11 classes on.

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
