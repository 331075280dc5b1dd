"""What the runs of a sweep are compared by."""

from collections.abc import Sequence
from dataclasses import dataclass

from experiments.config.kinds.objective import Objective


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What was varied, and what it is judged by.

    Attributes:
        keys: What was varied in every run, as typed: `model`, `optimizer.lr`.
        objective: What the runs are judged by.
        conditional: What was varied in some runs only, as a search does with `when`.
    """

    keys: Sequence[str]
    objective: Objective
    conditional: Sequence[str] = ()
