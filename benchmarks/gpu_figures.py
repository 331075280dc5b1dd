"""What every contender on a GPU is told, and what it says of its epochs."""

import argparse
import itertools
from collections.abc import Sequence
from typing import Any

POOL = 4  # different batches, so that no step sees what the one before has cached
CLASSES = 1000
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, in 0..1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the settings that all contenders share."""
    parser.add_argument("--batch-size", type=int, required=True)
    parser.add_argument("--image-size", type=int, default=224)
    parser.add_argument("--steps", type=int, default=50, help="an epoch")
    parser.add_argument("--epochs", type=int, default=6, help="the first is left out")


def describe_epochs(
    options: argparse.Namespace, *, begin: float, marks: Sequence[float]
) -> dict[str, Any]:
    """Returns the speed of each epoch but the first, and how long that took.

    Args:
        options: What `add_arguments` added.
        begin: Seconds of a clock when the imports were over.
        marks: The same clock at the begin of each epoch and the end of the last.
    """
    seconds = [end - start for start, end in itertools.pairwise(marks)]
    images = options.batch_size * options.steps
    return {
        "images_per_second": [round(images / s, 1) for s in seconds[1:]],
        "step_ms": round(1e3 * min(seconds[1:]) / options.steps, 3),
        "first_epoch_seconds": round(seconds[0], 1),
        "seconds_until_it": round(marks[0] - begin, 1),
    }
