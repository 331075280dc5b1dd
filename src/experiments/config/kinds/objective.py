"""What is compared: a metric, and which of two of its values is the better one."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from experiments.config.kinds.metric_names import (
    HELD_OUT_SEVERAL,
    MEASURED,
    TEST,
    TRAINED_SEVERAL,
)
from experiments.config.reading.convert import nearest
from experiments.errors import ConfigError, Problem

Direction = Literal["max", "min"]
Mode = Literal["auto", "max", "min"]

EPOCH_METRICS = (*(f"val_{name}" for name in MEASURED), *MEASURED)
# The same where an image may have several labels.
EPOCH_METRICS_SEVERAL = (*(f"val_{n}" for n in HELD_OUT_SEVERAL), *TRAINED_SEVERAL)
TOP5_FROM = 11  # classes; with ten or fewer, the best five say little

UNBOUNDED = (-math.inf, math.inf)
_SHARE = (0.0, 1.0)
_HELD_OUT = ("val_", "best_val_", TEST)  # whose loss is a cross-entropy
_DIRECTIONS: dict[str, Direction] = {
    "loss": "min",
    **dict.fromkeys(("accuracy", "map", "f1", "match", "auc"), "max"),
}


@dataclass(frozen=True)
class Objective:
    """A metric and its better direction.

    What is not finite, or absent, is worse than any number and never the best one.

    Attributes:
        name: Of the metric, such as `val_accuracy`.
        direction: Whether a larger or a smaller value is better; `auto`, which leaves
            it to the name, becomes one of them.

    Raises:
        ConfigError: The name does not tell the direction, and nothing else does.
    """

    name: str
    direction: Mode

    def __post_init__(self) -> None:
        settled = settle(self.name, self.direction)
        if settled == "auto":
            problem = _undirected(self.name, EPOCH_METRICS, "name")
            raise ConfigError([problem], "The objective")
        object.__setattr__(self, "direction", settled)

    @property
    def sign(self) -> float:
        """1 where larger is better, else -1."""
        return 1.0 if self.direction == "max" else -1.0

    @property
    def worst(self) -> float:
        """What every value is better than: an infinity of the worse sign."""
        return -self.sign * math.inf

    def score(self, value: float | None) -> float:
        """Returns the value turned such that larger is better; `-inf` for none."""
        usable = value is not None and math.isfinite(value)
        return self.sign * float(value or 0.0) if usable else -math.inf

    def is_better(
        self, value: float | None, other: float | None, *, by_more_than: float = 0.0
    ) -> bool:
        """Tells whether a value is better than another one, by more than a margin."""
        return self.score(value) - self.score(other) > by_more_than

    def best(self, values: Sequence[float | None]) -> int | None:
        """Returns the index of the best value, the first of equals; `None` for none."""
        return next(iter(self.rank(values)), None)

    def rank(self, values: Sequence[float | None]) -> list[int]:
        """Returns the indices of the finite values from best to worst."""
        scores = [self.score(value) for value in values]
        usable = [i for i, score in enumerate(scores) if math.isfinite(score)]
        return sorted(usable, key=lambda index: -scores[index])


def find_direction(name: str) -> Direction | None:
    """Returns the better direction of a metric; `None` where its name tells nothing.

    The last word decides: a loss is to be small and an accuracy, or another score that
    there is, large, whichever of `val_`, `test_`, `best_` or `top5_` stands before it.
    """
    return _DIRECTIONS.get(name.rpartition("_")[2])


def find_bounds(name: str) -> tuple[float, float]:
    """Returns the smallest and largest value that a metric can have by its name.

    An accuracy, and every other score that there is, is a share of 0 to 1. The loss of
    held-out images is a cross-entropy, which is not negative; that of a training may be
    somebody's own.
    """
    direction = find_direction(name)
    if direction == "max":
        return _SHARE
    is_entropy = direction == "min" and name.startswith(_HELD_OUT)
    return (0.0, math.inf) if is_entropy else UNBOUNDED


def settle(name: str, mode: Mode) -> Mode:
    """Returns the direction that `auto` stands for; `auto` where the name is mute."""
    return find_direction(name) or mode if mode == "auto" else mode


def check_objective(
    name: str,
    mode: Mode,
    *,
    keys: tuple[str, str],
    accepted: Sequence[str],
    is_open: bool,
) -> Iterator[Problem]:
    """Yields what is wrong with a metric to compare and with its direction.

    Args:
        name: Of the metric.
        mode: Its direction.
        keys: Of the name and of the direction.
        accepted: Metrics that there are.
        is_open: Whether there may be others that only the running job knows.
    """
    name_key, mode_key = keys
    known = find_direction(name)
    if name not in accepted and not is_open:
        message = f"must be one of {', '.join(accepted)}. Received: {name!r}."
        usual = "val_loss" if mode == "min" else accepted[1]
        hint = nearest(name, accepted) or f"Type {name_key}={usual}."
        yield Problem(name_key, message, hint)
    elif known is None and mode == "auto":
        problem = _undirected(name, accepted, name_key)
        yield replace(problem, hint=problem.hint or f"Set {mode_key} to max or min.")
    elif known is not None and mode not in ("auto", known):
        yield Problem(mode_key, f"must be {known} for {name}. Received: {mode}.")


def _undirected(name: str, accepted: Sequence[str], key: str) -> Problem:
    return Problem(
        key,
        f"must be one of {', '.join(accepted)}, or a metric that a callback of your "
        f"own adds, with its direction. Received: {name!r}.",
        nearest(name, accepted),
    )
