"""What own components must offer, and what they may, beside what Keras asks of them.

Each is a `typing.Protocol` that `isinstance` knows too: nothing has to be inherited.
A data set is a function that returns `build_dataset(...)`; a model one that returns a
Keras model; see docs/extending.md for the arguments that they get.
"""

from typing import Any, Protocol, runtime_checkable

from experiments.config.objective import Objective
from experiments.data.augmentation import Augment, CropAugment

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


@runtime_checkable
class StatefulCallback(Protocol):
    """A Keras callback whose memory is saved with each checkpoint.

    One without it begins anew where a job continues, and a warning says so.

    Example:
        >>> import experiments
        >>> class Patience:
        ...     def __init__(self):
        ...         self.waited = 0
        ...     def get_state(self):
        ...         return {"waited": self.waited}
        ...     def set_state(self, state):
        ...         self.waited = int(state["waited"])
        >>> isinstance(Patience(), experiments.StatefulCallback)
        True
    """

    def get_state(self) -> dict[str, Any]:
        """Returns what it remembers, as data that JSON can hold."""
        ...

    def set_state(self, state: dict[str, Any], /) -> None:
        """Takes up what `get_state` returned, after `on_train_begin`."""
        ...


@runtime_checkable
class ClosingCallback(Protocol):
    """A Keras callback that holds something: a file, a thread, the terminal."""

    def close(self) -> None:
        """Gives it back; called once, in whichever way training ends."""
        ...


@runtime_checkable
class BestKeeper(Protocol):
    """A Keras callback that has kept the weights of the best epoch.

    Attributes:
        objective: Decides which epoch is best.
    """

    objective: Objective

    def load_best(self, model: Any) -> int:
        """Loads them into the model and returns the epoch, counted from 1."""
        ...
