"""Classes with too few images, or with far more than others."""

from dataclasses import dataclass

from experiments.data.dataset import Dataset

FEWEST = 20  # images to train on
LARGEST_RATIO = 10.0  # of the largest class by this one


@dataclass(frozen=True, kw_only=True)
class ClassSize:
    """How many images a class has.

    Attributes:
        name: The class.
        counts: Split -> images.
        reason: Why that is too few, half a sentence; `None` if it is not.
    """

    name: str
    counts: dict[str, int]
    reason: str | None


def measure_classes(dataset: Dataset) -> list[ClassSize]:
    """Returns the size of each class, the smallest by its training images first."""
    counts = dataset.fingerprint.counts
    largest = max(counts["train"])
    sizes = [
        ClassSize(
            name=name,
            counts={split: counts[split][label] for split in counts},
            reason=_judge(counts["train"][label], largest),
        )
        for label, name in enumerate(dataset.class_names)
    ]
    return sorted(sizes, key=lambda size: size.counts["train"])


def _judge(count: int, largest: int) -> str | None:
    if count < FEWEST:
        return f"is small: fewer than {FEWEST} images to train on"
    if largest > LARGEST_RATIO * count:
        return f"is small: the largest class has {largest / count:.0f} times as many"
    return None
