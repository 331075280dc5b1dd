"""Phases of one training: each is compiled anew, with a fresh optimizer."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras

from experiments.training.callbacks.abilities import PhasedCallback
from experiments.training.checkpoints.state import PHASE


@dataclass(kw_only=True)
class Phases:
    """Where each phase ends, and how a model enters one.

    Attributes:
        ends: Epochs up to the last one of each phase.
        compile_for: Freezes and compiles the model for a phase, by number from 0 on.
        number: Of the phase that the model is compiled for.
    """

    ends: Sequence[int]
    compile_for: Callable[[int], None]
    number: int = field(default=0)

    @classmethod
    def one(cls, epochs: int) -> "Phases":
        """Returns the only phase of a training without any."""
        return cls(ends=[epochs], compile_for=lambda number: None)

    @property
    def end(self) -> int:
        """Epochs up to the last one of this phase."""
        return self.ends[self.number]

    @property
    def are_several(self) -> bool:
        """Whether there is a phase after the first one."""
        return len(self.ends) > 1

    def number_at(self, epoch: int) -> int:
        """Returns the phase of which an epoch is one, counted from 0."""
        return sum(epoch >= end for end in self.ends[:-1])

    def enter(self, number: int) -> None:
        """Has the model compiled for a phase, where it is for another one."""
        if number != self.number:
            self.compile_for(number)
            self.number = number

    def tell(self, callbacks: Mapping[str, Any]) -> None:
        """Tells callbacks that this phase begins, or goes on."""
        for callback in callbacks.values():
            if isinstance(callback, PhasedCallback):
                callback.begin_phase(is_last=self.number == len(self.ends) - 1)


class PhaseMonitor(keras.callbacks.Callback):
    """Remembers the phase, and adds how much of the model learns to the metrics.

    Args:
        phases: Of the training.
    """

    def __init__(self, phases: Phases) -> None:
        super().__init__()
        self._phases = phases

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Adds `trainable_parameters`."""
        if logs is not None:
            sizes = (math.prod(v.shape) for v in self.model.trainable_variables)
            logs["trainable_parameters"] = float(sum(sizes))

    def get_state(self) -> dict[str, int]:
        """Returns the number of the phase, from 0 on."""
        return {"number": self._phases.number}

    def set_state(self, state: Any) -> None:
        """Does nothing: a model is compiled for its phase before it is restored."""


def add_monitor(callbacks: Mapping[str, Any], phases: Phases) -> dict[str, Any]:
    """Returns the callbacks of a training, before them one that follows its phases."""
    own = {PHASE: PhaseMonitor(phases)} if phases.are_several else {}
    return {**own, **callbacks}
