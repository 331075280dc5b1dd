"""What the cells of a row say that an image shows: one label, or any number of them."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from experiments.config.kinds.label_table import DELIMITERS

_YES = frozenset({"1", "1.0", "true", "yes"})
_NO = frozenset({"0", "0.0", "false", "no"})


@dataclass(frozen=True, kw_only=True)
class LabelColumns:
    """Where the labels are.

    Attributes:
        one: Column of one label a row, or of several.
        delimiter: What stands between several, by its name or as it is; `None` for one
            a row.
        each: In place of that column one for each class, of 0 and 1.
    """

    one: str
    delimiter: str | None = None
    each: tuple[str, ...] | None = None

    @property
    def has_several(self) -> bool:
        """Whether a row may have several labels, or none."""
        return self.delimiter is not None or self.each is not None

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that are read."""
        return (self.one,) if self.each is None else self.each


class CellError(ValueError):
    """A cell does not say what it must: half a sentence."""


def read_labels_by(
    columns: LabelColumns, present: Sequence[str]
) -> Callable[[Sequence[str]], tuple[str, ...]]:
    """Returns what reads the labels of a row, each once.

    Args:
        columns: Where they are.
        present: All columns of the table, those among them.

    Returns:
        A function of a row's cells, which raises `CellError`.
    """
    if columns.each is not None:
        places = [(name, present.index(name)) for name in columns.each]
        return lambda cells: tuple(n for n, p in places if _says_yes(n, cells[p]))
    place, delimiter = present.index(columns.one), columns.delimiter
    if delimiter is None:
        return lambda cells: (cells[place].strip(),)
    sign = DELIMITERS.get(delimiter, delimiter)
    return lambda cells: _split(cells[place], sign)


def read_weight(cell: str) -> float:
    """Returns what an image counts.

    Raises:
        CellError: It is no finite number, or below 0.
    """
    try:
        weight = float(cell)
    except ValueError:
        weight = math.nan
    if not 0 <= weight < math.inf:
        said = f"{cell.strip()[:40]!r}" if cell.strip() else "nothing"
        raise CellError(f"weighs {said}, which must be a number >= 0")
    return weight


def _split(cell: str, delimiter: str) -> tuple[str, ...]:
    labels = (label.strip() for label in cell.split(delimiter))
    return tuple(sorted({label for label in labels if label}))


def _says_yes(column: str, cell: str) -> bool:
    word = cell.strip().casefold()
    if word not in _YES | _NO:
        said = f"{cell.strip()[:40]!r}" if word else "nothing"
        raise CellError(f"has {said} under {column}, which must be 0 or 1")
    return word in _YES
