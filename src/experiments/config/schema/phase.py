"""Schema of an item of `trainer.phases`."""

from collections.abc import Iterator
from dataclasses import dataclass

from experiments.config.reading.fields import setting
from experiments.errors import Problem

MOST_PHASES = 100


@dataclass(frozen=True, kw_only=True)
class PhaseConfig:
    """Epochs that are trained in one way; what is left out is as it is without phases.

    Attributes:
        epochs: How many; null for all that are left.
        freeze: As `model.freeze`, in its place.
        lr: Peak rate in the place of `optimizer.lr`.
        lr_factor: What `optimizer.lr` is multiplied by, instead of `lr`.
    """

    epochs: int | None = setting(ge=1, most=1_000_000, absent=None)
    freeze: str | list[str] | None = setting(min_length=1, max_length=100, absent=None)
    lr: float | None = setting(gt=0, least=1e-30, most=1e6, absent=None)
    lr_factor: float | None = setting(gt=0, least=1e-30, most=1e6, absent=None)

    def check(self) -> Iterator[Problem]:
        """Yields a problem for a rate that is given in two ways."""
        if self.lr is not None and self.lr_factor is not None:
            reason = f"cannot be combined with lr={self.lr:g}, the rate itself."
            yield Problem("lr_factor", reason, "Leave one of them out.")
