"""Deals labelled images out to parts of given shares, what belongs together whole.

Images are bound to bundles: those that share any of their ties, such as the person whom
they show or the digest of their content. Larger bundles are dealt first, one after the
other, each to the part that has least of its classes for its share; single images fill
up what is left.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from experiments.data.labels import Label, classes_of

Ties = Sequence[Hashable]
_NONE = -1  # the class of images that have none


@dataclass(frozen=True)
class Bundle:
    """Images that stay together.

    Attributes:
        members: Their numbers.
        classes: How many of them each class has; an image of several counts in each.
        place: A number in 0..1 that looks random and belongs to their names.
    """

    members: tuple[int, ...]
    classes: Counter[int]
    place: float


def bind(
    names: Sequence[str], labels: Sequence[Label], ties: Iterable[Ties], *, seed: int
) -> list[Bundle]:
    """Returns the images in bundles: two that share a tie are in the same one.

    Args:
        names: One an image, each another.
        labels: The class of each, or classes; an image without any counts as one of a
            class of its own.
        ties: Columns of one value an image.
        seed: Another one gives each bundle another place.
    """
    leader = list(range(len(names)))

    def find(image: int) -> int:
        while leader[image] != image:
            leader[image] = leader[leader[image]]
            image = leader[image]
        return image

    for column in ties:
        first: dict[Hashable, int] = {}
        for image, value in enumerate(column):
            other = first.setdefault(value, image)
            if other != image:
                leader[find(image)] = find(other)
    bound: dict[int, list[int]] = defaultdict(list)
    for image in range(len(names)):
        bound[find(image)].append(image)
    return [
        Bundle(
            members=tuple(members),
            classes=Counter(
                number for image in members for number in _list_classes(labels[image])
            ),
            place=min(_place(names[image], seed) for image in members),
        )
        for members in bound.values()
    ]


def deal(bundles: Sequence[Bundle], shares: Sequence[float]) -> list[int]:
    """Returns the part of each bundle.

    Of single images each part gets, in every class, its share to within one image, and
    parts of equal shares differ in all by at most one. Of bundles of one class, parts
    of equal shares differ in that class by at most its largest bundle. A part without
    an image of a class gets one as long as there are bundles of it left.

    Args:
        bundles: What is dealt; their order does not matter.
        shares: Of each part, positive.
    """
    table = _Table(bundles, shares)
    ranks = _rank_classes(bundles)
    for number in sorted(range(len(bundles)), key=lambda n: _turn(bundles[n], ranks)):
        table.give(number)
    return [table.chosen[number] for number in range(len(bundles))]


def _rank_classes(bundles: Sequence[Bundle]) -> dict[int, int]:
    """Returns class -> when its single images are dealt.

    Where images have several classes the rarest one is first, for which there is least
    choice: iterative stratification.

    Reference:
        Sechidis et al., On the Stratification of Multi-Label Data, 2011.
    """
    sizes: Counter[int] = Counter()
    for bundle in bundles:
        sizes.update(bundle.classes)
    several = any(b.classes.total() > len(b.members) for b in bundles)
    order = sorted(sizes, key=lambda n: (sizes[n] if several else 0, n))
    return {number: rank for rank, number in enumerate(order)}


def _turn(bundle: Bundle, ranks: Mapping[int, int]) -> tuple[int, int, float]:
    """Returns when a bundle is dealt: large ones first, single images by class."""
    size = len(bundle.members)
    first = min(ranks[number] for number in bundle.classes) if size == 1 else 0
    return -size, first, bundle.place


class _Table:
    """What the parts hold while bundles are dealt.

    Args:
        bundles: All of them.
        shares: Of each part.
    """

    def __init__(self, bundles: Sequence[Bundle], shares: Sequence[float]) -> None:
        self.chosen: dict[int, int] = {}
        self._bundles = bundles
        self._shares = shares
        self._parts = range(len(shares))
        self._totals = Counter(dict.fromkeys(self._parts, 0))
        self._counts: dict[int, list[int]] = defaultdict(lambda: [0] * len(shares))
        self._sizes: Counter[int] = Counter()
        self._left: Counter[int] = Counter()  # bundles of each class
        for bundle in bundles:
            self._sizes.update(bundle.classes)
            self._left.update(bundle.classes.keys())

    def give(self, number: int) -> None:
        """Gives the next bundle to the part that lacks it most."""
        bundle = self._bundles[number]
        needy = list(self._list_needy(bundle)) or self._parts
        part = min(needy, key=lambda part: self._weigh(bundle, part))
        self.chosen[number] = part
        self._totals[part] += len(bundle.members)
        for label, count in bundle.classes.items():
            self._counts[label][part] += count
            self._left[label] -= 1

    def _list_needy(self, bundle: Bundle) -> Iterator[int]:
        """Yields the parts that would stay without a class if they did not get it."""
        for label in bundle.classes:
            empty = [p for p in self._parts if not self._counts[label][p]]
            if 0 < self._left[label] <= len(empty):
                yield from empty

    def _weigh(self, bundle: Bundle, part: int) -> tuple[float, float, int]:
        """Returns how much a part has already of what a bundle holds.

        By Sainte-Lague's rule: of the parts, seats and votes of an election, the next
        seat belongs to the least (seats + 1/2) / votes, which rounds to the nearest.
        """
        share = self._shares[part]
        weight = sum(
            count * (self._counts[label][part] + count / 2) / self._sizes[label]
            for label, count in bundle.classes.items()
        )
        total = self._totals[part] + len(bundle.members) / 2
        return weight / share, total / share, part


def _list_classes(label: Label) -> tuple[int, ...]:
    return classes_of(label) or (_NONE,)


def _place(name: str, seed: int) -> float:
    """Returns a number in 0..1 that looks random and belongs to a name."""
    content = f"fold:{seed}:{name}".encode("utf-8", "surrogateescape")
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest()) / 2**64
