"""What a callback may be able to do beyond what Keras asks of it.

Any `keras.callbacks.Callback` works. One that has what a protocol here names is asked
for it, Keras' own and a user's alike; nothing has to be inherited.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from experiments.config.kinds.objective import Objective


@runtime_checkable
class StatefulCallback(Protocol):
    """Has a state of its own, which is saved with each checkpoint.

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

    def get_state(self) -> Any:
        """Returns it as data that JSON can hold."""
        ...

    def set_state(self, state: Any, /) -> None:
        """Takes up what `get_state` returned, after `on_train_begin`.

        What it does not know it refuses by a `ValueError`, `KeyError`, `TypeError` or
        `AttributeError`, of which a sentence is made.
        """
        ...


@runtime_checkable
class ClosingCallback(Protocol):
    """Holds something: a file, a thread, the terminal."""

    def close(self) -> None:
        """Gives it back; called once, in whichever way training ends."""
        ...


@runtime_checkable
class BestKeeper(Protocol):
    """Has kept the weights of the best epoch.

    With an attribute `objective`, see `JudgingCallback`, it decides which epoch that
    is; without one `trainer.monitor` does.
    """

    def load_best(self, model: Any) -> int:
        """Loads them into the model and returns the epoch, counted from 1."""
        ...


@runtime_checkable
class JudgingCallback(Protocol):
    """Compares epochs.

    Attributes:
        objective: What it compares them by; `None` leaves that to `trainer.monitor`.
    """

    objective: Objective | None


@runtime_checkable
class PruningCallback(Protocol):
    """May end a training because it is hopeless.

    Attributes:
        pruned: Why it did, one sentence; `None` as long as it did not.
    """

    pruned: str | None


@runtime_checkable
class PhasedCallback(Protocol):
    """Knows that the epochs of different phases are not alike."""

    def begin_phase(self, *, is_last: bool) -> None:
        """Begins a phase of a training, or goes on in one before `set_state`.

        Args:
            is_last: No phase comes after it; a training without phases is one.
        """
        ...


@dataclass(frozen=True)
class Verdict:
    """What a training was to find out.

    Attributes:
        passed: Whether it went as it should; the job fails otherwise.
        words: How it went: a part of a sentence, or sentences that say what to do.
    """

    passed: bool
    words: str


@runtime_checkable
class ExaminingCallback(Protocol):
    """Makes a training a test that is passed or not."""

    def judge(self) -> Verdict:
        """Says how it went; called once, when training is over."""
        ...


def gather_states(callbacks: Mapping[str, Any]) -> dict[str, Any]:
    """Returns name -> state of the callbacks that have one."""
    return {
        name: callback.get_state()
        for name, callback in callbacks.items()
        if isinstance(callback, StatefulCallback)
    }


def find_keeper(callbacks: Mapping[str, Any]) -> BestKeeper | None:
    """Returns the first callback that has kept the best epoch's weights, if one has."""
    return next((c for c in callbacks.values() if isinstance(c, BestKeeper)), None)


def find_objective(callback: Any) -> Objective | None:
    """Returns by what a callback compares epochs, if it does."""
    return callback.objective if isinstance(callback, JudgingCallback) else None


def find_pruned(callbacks: Mapping[str, Any]) -> str | None:
    """Returns why a callback has ended the training as hopeless, if one has."""
    pruners = [c for c in callbacks.values() if isinstance(c, PruningCallback)]
    return next((str(c.pruned) for c in pruners if c.pruned), None)


def close_all(callbacks: Mapping[str, Any]) -> None:
    """Lets the callbacks that hold something give it back."""
    for callback in callbacks.values():
        if isinstance(callback, ClosingCallback):
            callback.close()


def find_verdict(callbacks: Mapping[str, Any]) -> Verdict | None:
    """Returns how a training that is a test went; the first failure of several."""
    examining = [c for c in callbacks.values() if isinstance(c, ExaminingCallback)]
    verdicts = [callback.judge() for callback in examining]
    return min(verdicts, key=lambda verdict: verdict.passed, default=None)
