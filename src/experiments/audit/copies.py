"""Images that a data set has more than once: the same, or nearly the same."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from experiments.audit.near import count_different_bits, find_near
from experiments.audit.oddities import find_blank
from experiments.audit.survey import Survey

Likeness = Literal["file", "pixels", "near"]

TINY = 32  # pixels a side
CORRELATION = 0.95  # of the previews of two images that are nearly the same
TINY_CORRELATION = 0.99  # of smaller images, which have less to differ in
# Of several copies the one in the first of these is kept: a test split stays whole.
KEPT = ("test", "validation", "train")
_PAIRS = 2**16  # compared at once: each takes 2 kB


@dataclass(frozen=True, kw_only=True)
class Copies:
    """Images that show the same.

    Attributes:
        rows: Of the survey, the one to keep first.
        likeness: What is the same: their files, their pixels, or nearly so.
        bits: The most in which the perceptual hash of one differs from that of the one
            that is nearest to it; 0 for the same pixels.
        splits: The splits in which they are.
        labels: The classes that they are given.
    """

    rows: tuple[int, ...]
    likeness: Likeness
    bits: int
    splits: frozenset[str]
    labels: frozenset[int]

    @property
    def leaks(self) -> bool:
        """Whether several splits have it, so that scores are too good."""
        return len(self.splits) > 1

    @property
    def disagrees(self) -> bool:
        """Whether it is given several labels, of which one can be right."""
        return len(self.labels) > 1


def find_same(survey: Survey) -> list[Copies]:
    """Returns the groups of images whose pixels are the same."""
    groups = _group_pixels(survey).values()
    return _sort(
        _gather(survey, rows, _tell_likeness(survey, rows), 0)
        for rows in groups
        if len(rows) > 1
    )


def find_nearly_same(survey: Survey, most: int) -> list[Copies]:
    """Returns the groups of images that look alike and are not the same.

    Two images are nearly the same where their perceptual hashes differ in few bits and
    their previews correlate. Who is nearly the same as one of a group belongs to it.
    Blank images are none: nothing is in them that could be the same.

    Args:
        survey: The images.
        most: Bits that may differ.
    """
    same = _group_pixels(survey)
    blank = set(find_blank(survey))
    firsts = np.array([r[0] for r in same.values() if r[0] not in blank], np.int64)
    members = {rows[0]: rows for rows in same.values()}
    groups, bits = _connect(survey, firsts, most)
    return _sort(
        _gather(
            survey,
            [row for first in group for row in members[first]],
            "near",
            int(max(bits[first] for first in group)),
        )
        for group in groups
    )


def _group_pixels(survey: Survey) -> dict[str, list[int]]:
    groups: dict[str, list[int]] = defaultdict(list)
    for row, found in enumerate(survey.measurements):
        if found is not None:
            groups[found.pixels].append(row)
    return groups


def _tell_likeness(survey: Survey, rows: Sequence[int]) -> Likeness:
    files = {m.file for row in rows if (m := survey.measurements[row]) is not None}
    return "file" if len(files) == 1 and "" not in files else "pixels"


def _connect(
    survey: Survey, firsts: npt.NDArray[np.int64], most: int
) -> tuple[list[list[int]], dict[int, int]]:
    """Returns groups of rows, and of each row the bits to the nearest other one.

    However many pairs there are, what is remembered grows with the images only.
    """
    hashes, previews = survey.phashes[firsts], survey.previews[firsts]
    sides = np.minimum(survey.column("width"), survey.column("height"))[firsts]
    count = len(firsts)
    group = np.arange(count)
    nearest = np.full(count, most + 1)
    for one, other in find_near(hashes, most):
        alike = _correlate(previews, one, other)
        tiny = np.minimum(sides[one], sides[other]) < TINY
        kept = alike >= np.where(tiny, TINY_CORRELATION, CORRELATION)
        one, other = one[kept], other[kept]
        bits = count_different_bits(hashes[one], hashes[other])
        np.minimum.at(nearest, one, bits)
        np.minimum.at(nearest, other, bits)
        group = _merge(group, one, other)
    found: dict[int, list[int]] = defaultdict(list)
    for place in np.flatnonzero(nearest <= most).tolist():
        found[int(group[place])].append(int(firsts[place]))
    return list(found.values()), dict(
        zip(firsts.tolist(), nearest.tolist(), strict=True)
    )


def _correlate(
    previews: npt.NDArray[np.float32],
    one: npt.NDArray[np.int64],
    other: npt.NDArray[np.int64],
) -> npt.NDArray[np.float32]:
    parts = [
        np.einsum(
            "pd,pd->p", previews[one[i : i + _PAIRS]], previews[other[i : i + _PAIRS]]
        )
        for i in range(0, len(one), _PAIRS)
    ]
    return np.concatenate(parts)


def _merge(
    group: npt.NDArray[np.int64],
    one: npt.NDArray[np.int64],
    other: npt.NDArray[np.int64],
) -> npt.NDArray[np.int64]:
    """Returns the groups after those of some pairs have become one."""
    if not len(one):
        return group
    edges = coo_array(
        (np.ones(len(one), np.int8), (group[one], group[other])),
        shape=(len(group), len(group)),
    )
    return np.asarray(connected_components(edges, directed=False)[1][group], np.int64)


def _gather(
    survey: Survey, rows: Sequence[int], likeness: Likeness, bits: int
) -> Copies:
    def rank(row: int) -> tuple[int, str]:
        place = survey.places[row]
        return KEPT.index(place.split), place.sample

    return Copies(
        rows=tuple(sorted(rows, key=rank)),
        likeness=likeness,
        bits=bits,
        splits=frozenset(survey.places[row].split for row in rows),
        labels=frozenset(survey.places[row].label for row in rows),
    )


def _sort(groups: Iterator[Copies]) -> list[Copies]:
    """Returns leaks first, then disagreeing labels, then the nearest."""
    return sorted(groups, key=lambda g: (not g.leaks, not g.disagrees, g.bits, g.rows))
