"""Which images an epoch shows where classes are seen in other shares than they have."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from experiments.data.pipeline.shuffle import SAMPLING, shuffle_epoch
from experiments.data.pipeline.splitmix import derive_key

# What the keys of an epoch are for: the shares of the classes, and then each class.
_SHARES, _FIRST = 0, 1
# By the power of its images that a class is seen in proportion to.
POWERS = {"uniform": 1.0, "square_root": 0.5, "balanced": 0.0}


@dataclass(frozen=True, eq=False)
class ClassSampling:
    """An epoch of as many images as there are, in which the classes have other shares.

    Each class has its exact number of places, rounded to whole images by chance. In
    them its images come round as evenly as possible: a class with too few is repeated
    as a whole, and of one with too many other images are seen in each epoch.

    Attributes:
        labels: int32 `(N,)`.
        power: Of its number of images that a class is seen in proportion to: 0 is each
            class as often as any other, 1/2 in between, 1 as they occur.
        seed: Any integer.

    Reference:
        Kang et al., Decoupling Representation and Classifier for Long-Tailed
        Recognition, 2020, section 3: instance-balanced, square-root and class-balanced
        sampling. Theirs draws each image by itself.
    """

    labels: npt.NDArray[np.int32]
    power: float
    seed: int

    def draw_epoch(self, epoch: int) -> npt.NDArray[np.int64]:
        """Returns the images of an epoch in the order in which they are seen.

        Args:
            epoch: From 0.

        Returns:
            Indices int64 `(N,)`, some of them several times.
        """
        key = int(derive_key(derive_key(self.seed, SAMPLING), epoch))
        counts = np.bincount(self.labels)
        places = self._share_places(counts, key)
        by_class = np.split(
            np.argsort(self.labels, kind="stable"), np.cumsum(counts)[:-1]
        )
        parts = [
            _come_round(members, int(wanted), int(derive_key(key, number + _FIRST)))
            for number, (members, wanted) in enumerate(
                zip(by_class, places, strict=True)
            )
        ]
        drawn = np.concatenate(parts)
        order = shuffle_epoch(count=len(drawn), seed=self.seed, epoch=epoch)
        return drawn[order]

    def _share_places(
        self, counts: npt.NDArray[np.int64], key: int
    ) -> npt.NDArray[np.int64]:
        """Returns how often each class is seen; the sum is that of `counts`."""
        weights = np.where(counts > 0, np.maximum(counts, 1) ** self.power, 0.0)
        exact = counts.sum() * weights / weights.sum()
        places = np.floor(exact).astype(np.int64)
        left = int(counts.sum() - places.sum())
        chance = derive_key(int(derive_key(key, _SHARES)), np.arange(len(counts)))
        # Equal remainders, such as those of balanced classes, take turns.
        first = np.lexsort((chance, np.round(places - exact, 9)))[:left]
        places[first] += 1
        return places


def _come_round(
    members: npt.NDArray[np.int64], wanted: int, key: int
) -> npt.NDArray[np.int64]:
    """Returns `wanted` images of a class, each as often as others or once more."""
    if not wanted:
        return members[:0]
    rounds, rest = divmod(wanted, len(members))
    order = np.argsort(derive_key(key, np.arange(len(members))), kind="stable")
    return np.concatenate([np.tile(members, rounds), members[order[:rest]]])
