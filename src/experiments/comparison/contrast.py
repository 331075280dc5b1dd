"""The images that one of two rows gets right and the other wrong."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from experiments.comparison.group import Group
from experiments.counts import join_words
from experiments.errors import DataError
from experiments.evaluation.predictions import Floats, Predictions
from experiments.evaluation.uncertainty.pairs import align
from experiments.evaluation.uncertainty.seeds import find_right

SHOWN = 24  # images a side
# Names and digests of images -> a file of each, or `None` where it is out of reach.
Draw = Callable[[Sequence[tuple[str, str]]], Sequence[bytes | None]]


@dataclass(frozen=True, kw_only=True)
class Case:
    """An image that one row gets right more often than the other.

    Attributes:
        sample: Its name.
        digest: Of its content.
        truth: Its class.
        told: What each of the two rows takes it for.
    """

    sample: str
    digest: str
    truth: str
    told: tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """Two rows on the images on which they disagree.

    Attributes:
        first: A row.
        second: Another one.
        only_first: Images that the first one gets right and the second one wrong.
        only_second: The other way round.
        counts: How many there are of both, of which the clearest are listed.
    """

    first: Group
    second: Group
    only_first: Sequence[Case]
    only_second: Sequence[Case]
    counts: tuple[int, int]

    @property
    def is_any(self) -> bool:
        """Whether there is an image on which they disagree."""
        return any(self.counts)


def contrast(
    first: Group, second: Group, tables: dict[str, list[Predictions]]
) -> Contrast:
    """Finds the images on which two rows disagree, the clearest first.

    Of several seeds the share counts that gets an image right. Clearest is where the
    one is the surest of the true class beside the other.

    Args:
        first: A row that has predictions.
        second: Another one.
        tables: Letter of a row -> its tables.

    Raises:
        DataError: They are not over the same images.
    """
    ours, theirs = tables[first.letter], tables[second.letter]
    order = ours[0]
    gains = find_right(ours, order).mean(0) - find_right(theirs, order).mean(0)
    ours, theirs = ([align(order, p) for p in side] for side in (ours, theirs))
    surer = _believe(ours) - _believe(theirs)
    sides, counts = [], []
    for sign in (1, -1):
        rows = np.flatnonzero(sign * gains > 0)
        ranked = rows[np.lexsort((-sign * surer[rows], -sign * gains[rows]))]
        sides.append([_describe(ours, theirs, int(row)) for row in ranked[:SHOWN]])
        counts.append(len(rows))
    return Contrast(
        first=first,
        second=second,
        only_first=sides[0],
        only_second=sides[1],
        counts=(counts[0], counts[1]),
    )


def choose_pair(
    groups: Sequence[Group],
    tables: dict[str, list[Predictions]],
    names: Sequence[str] | None,
) -> tuple[Group, Group] | None:
    """Returns the two rows whose images are shown; `None` where there are none.

    Args:
        groups: From the best on.
        tables: Letter of a row -> its tables.
        names: Letters, or ids, first characters of ids, folders or names of runs;
            `None` for the best two that have predictions.

    Raises:
        DataError: A name means no row, several or one without predictions, or both
            mean the same one.
    """
    known = [group for group in groups if group.letter in tables]
    if names is None:
        return (known[0], known[1]) if len(known) > 1 else None
    first, second = (find_group(name, groups) for name in names)
    for group in (first, second):
        if group.letter not in tables:
            raise DataError(f"{group} has no predictions to compare: see above.")
    if first is second:
        raise DataError(
            f"task.pair must name two rows. Received: {join_words(list(names))}, which "
            f"both are {first}."
        )
    return first, second


def find_group(name: str, groups: Sequence[Group]) -> Group:
    """Returns the row that a person means by a letter or one of its runs.

    Raises:
        DataError: It means none, or several.
    """
    for group in groups:
        if group.letter == name:
            return group
    found = [group for group in groups if _is_called(group, name)]
    if len(found) == 1:
        return found[0]
    letters = join_words([group.letter for group in (found or groups)[:10]])
    what = f"the rows {letters}" if found else "no row"
    raise DataError(
        f"task.pair must name two of the rows {groups[0].letter} to "
        f"{groups[-1].letter} by their letters, or by the id, folder or name of one "
        f"of their runs. Received: {name!r}, which means {what}."
    )


def _is_called(group: Group, name: str) -> bool:
    names = {group.label}
    for member in group.members:
        names.add(member.name)
        if member.folder is not None:
            names |= {str(member.folder), member.folder.name}
        if member.run_id is not None and name and member.run_id.startswith(name):
            return True
    return name.rstrip("/") in names


def _believe(models: Sequence[Predictions]) -> Floats:
    """Returns the mean probability of each image's own class, `(N,)`."""
    own = [
        np.take_along_axis(p.probabilities, p.truth[:, None], 1)[:, 0] for p in models
    ]
    return np.asarray(np.mean(own, axis=0))


def _describe(
    ours: Sequence[Predictions], theirs: Sequence[Predictions], row: int
) -> Case:
    first = ours[0]
    told = tuple(_tell(side, row) for side in (ours, theirs))
    return Case(
        sample=first.samples[row],
        digest=first.digests[row],
        truth=first.class_names[first.truth[row]],
        told=(told[0], told[1]),
    )


def _tell(models: Sequence[Predictions], row: int) -> str:
    """Returns what the models take an image for, with how many where they differ."""
    said = Counter(p.class_names[p.predicted[row]] for p in models)
    if len(said) == 1:
        return next(iter(said))
    counted = said.most_common()
    return ", ".join(f"{k} ({n} seeds)" if n > 1 else k for k, n in counted)
