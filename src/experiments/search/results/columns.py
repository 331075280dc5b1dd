"""The parameters of several trials, one column each."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from experiments.search.trials.trial import Scalar, Trial

_WIDE_DECADES = 1.5
_FEWEST_WIDE = 4  # different values; fewer are read better as they are


@dataclass(frozen=True)
class Column:
    """One parameter over several trials.

    Attributes:
        name: Of the parameter.
        values: One a trial; `None` where the parameter is absent.
    """

    name: str
    values: Sequence[Scalar | None]

    @property
    def present(self) -> list[Scalar]:
        """The values of the trials that have the parameter."""
        return [value for value in self.values if value is not None]

    @property
    def is_number(self) -> bool:
        """Whether every value is a finite number; a bool is none."""
        return all(_is_number(value) for value in self.present)

    @property
    def is_wide(self) -> bool:
        """Whether four or more positive values span more than 1.5 decades."""
        if not self.is_number or len(set(self.present)) < _FEWEST_WIDE:
            return False
        numbers = [float(value) for value in self.present]
        low, high = min(numbers), max(numbers)
        return low > 0 and math.log10(high) - math.log10(low) > _WIDE_DECADES

    @property
    def categories(self) -> list[str]:
        """The different values as sorted texts."""
        return sorted({format_value(value) for value in self.present})

    def numbers(self, *, logarithmic: bool) -> list[float | None]:
        """Returns the values, or their log10, as numbers."""
        scale = math.log10 if logarithmic else float
        return [None if value is None else scale(float(value)) for value in self.values]


def collect_columns(trials: Sequence[Trial]) -> list[Column]:
    """Returns the parameters of all trials in the order in which they first appear."""
    names = dict.fromkeys(name for trial in trials for name in trial.proposal.values)
    return [
        Column(name, [trial.proposal.values.get(name) for trial in trials])
        for name in names
    ]


def format_value(value: Scalar) -> str:
    """Returns a value with full precision, a bool as YAML writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_number(value: Scalar) -> bool:
    if isinstance(value, bool | str):
        return False
    return math.isfinite(value)
