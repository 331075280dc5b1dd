"""What own components must offer, and what they may, beside what Keras asks of them.

Each is a `typing.Protocol` that `isinstance` knows too: nothing has to be inherited.
A data set is a function that returns `build_dataset(...)`; a model one that returns a
Keras model; see docs/extending.md for the arguments that they get.
"""

from typing import Any, Protocol, runtime_checkable

from experiments.data.augmentation import Augment, CropAugment
from experiments.training.callbacks.abilities import (
    BestKeeper,
    ClosingCallback,
    StatefulCallback,
)

__all__ = [
    "Augment",
    "BestKeeper",
    "ClosingCallback",
    "CropAugment",
    "Schedule",
    "StatefulCallback",
]


@runtime_checkable
class Schedule(Protocol):
    """A learning rate over the steps: what a function of the group `schedule` returns.

    Keras wants a `keras.optimizers.schedules.LearningRateSchedule`, which has both.
    """

    def __call__(self, step: Any) -> Any:
        """Returns the rate at a step, counted from 0 over the whole training."""
        ...

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor, for the saved model."""
        ...
