"""How many images each class has in each split."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from experiments.data.dataset import Dataset
from experiments.data.split import Split


@dataclass(frozen=True)
class Balance:
    """Images of the classes.

    Attributes:
        class_names: One name a class.
        counts: Split -> images of each class.
        without: Split -> images that show none of them; `None` where each shows one.
    """

    class_names: Sequence[str]
    counts: Mapping[str, Sequence[int]]
    without: Mapping[str, int] | None = None

    @property
    def smallest(self) -> tuple[str, int]:
        """The class with the fewest training images, and how many these are."""
        return self._pick(min(self.counts["train"]))

    @property
    def largest(self) -> tuple[str, int]:
        """The class with the most training images, and how many these are."""
        return self._pick(max(self.counts["train"]))

    @property
    def ratio(self) -> float:
        """Training images of the largest class over those of the smallest."""
        return self.largest[1] / self.smallest[1]

    def describe(self) -> str:
        """Returns the range of each split in words."""
        parts = []
        for split, counts in self.counts.items():
            low, high = min(counts), max(counts)
            span = f"{low:,}" if low == high else f"{low:,} to {high:,}"
            parts.append(f"{split} {span}")
        told = f"images a class: {', '.join(parts)}"
        if self.without is None:
            return told
        none = [f"{split} {count:,}" for split, count in self.without.items()]
        return f"{told}; images of none: {', '.join(none)}"

    def _pick(self, count: int) -> tuple[str, int]:
        return self.class_names[list(self.counts["train"]).index(count)], count


def count_classes(dataset: Dataset) -> Balance:
    """Returns the images of each class, as the data set's fingerprint has them."""
    without = None
    if dataset.has_several_labels:
        without = {name: _count_none(split) for name, split in dataset.splits.items()}
    return Balance(dataset.class_names, dataset.fingerprint.counts, without)


def _count_none(split: Split) -> int:
    return int((~split.labels.any(axis=1)).sum())
