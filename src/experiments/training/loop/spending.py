"""What the time of an epoch is spent on beside the steps themselves."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from experiments.training.loop.waiting import DataClock

_HOOKS = (
    "on_epoch_begin",
    "on_epoch_end",
    "on_train_batch_begin",
    "on_train_batch_end",
    "on_test_begin",
    "on_test_end",
    "on_test_batch_begin",
    "on_test_batch_end",
)
SAVING, TRACKING = "saving", "tracking"


@dataclass(frozen=True, kw_only=True)
class Spent:
    """Where the time of one epoch went.

    An epoch ends where its metrics are recorded: what is saved after that belongs to
    the next one.

    Attributes:
        seconds: Of the epoch, the validation included.
        data: Seconds in which a step waited for its batch; `None` where that is not
            measured, see `DataClock`.
        callbacks: Name -> seconds in which training waited for that callback.
        saving: Seconds for copying and saving the state.
        tracking: Seconds for recording.
    """

    seconds: float
    data: float | None
    callbacks: dict[str, float] = field(default_factory=dict)
    saving: float = 0.0
    tracking: float = 0.0

    def shares(self) -> dict[str, float]:
        """Returns the shares of the epoch, from 0 to 1, by what they were spent on."""
        spent = {
            "data": self.data,
            "callbacks": sum(self.callbacks.values()),
            SAVING: self.saving,
            TRACKING: self.tracking,
        }
        whole = max(self.seconds, 1e-9)
        return {k: min(v / whole, 1.0) for k, v in spent.items() if v is not None}


class Spending:
    """Measures where the time of the running epoch goes.

    Args:
        clock: Measures the waiting for data.
    """

    def __init__(self, clock: DataClock | None = None) -> None:
        self.clock = clock or DataClock()
        self._begin = time.perf_counter()
        self._seconds: dict[str, float] = {}
        self._thread = threading.get_ident()

    def begin(self) -> None:
        """Notes that training begins."""
        self._begin = time.perf_counter()
        self._thread = threading.get_ident()
        self._seconds = {}

    def add(self, name: str, seconds: float) -> None:
        """Notes what something took of the thread that trains."""
        self._seconds[name] = self._seconds.get(name, 0.0) + seconds

    def end_epoch(self) -> Spent:
        """Returns where the time since the last call went."""
        now = time.perf_counter()
        spent, self._seconds = self._seconds, {}
        whole, self._begin = now - self._begin, now
        saving, tracking = spent.pop(SAVING, 0.0), spent.pop(TRACKING, 0.0)
        return Spent(
            seconds=whole,
            data=self.clock.take_seconds(),
            callbacks=spent,
            saving=saving,
            tracking=tracking,
        )

    def watch(self, callback: Any, name: str) -> Any:
        """Returns a callback that is called as `callback` is, and measured.

        Args:
            callback: Of Keras.
            name: What its time is noted as.
        """
        return _Measured(callback, name, self)

    def measure(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Returns a function that does the same and notes what it took.

        Calls in other threads cost training nothing.
        """

        def measured(*args: Any, **more: Any) -> Any:
            if threading.get_ident() != self._thread:
                return function(*args, **more)
            begin = time.perf_counter()
            try:
                return function(*args, **more)
            finally:
                self.add(name, time.perf_counter() - begin)

        return measured


class _Measured:
    """A callback whose hooks are measured; everything else is its own."""

    def __init__(self, callback: Any, name: str, spending: Spending) -> None:
        self._callback = callback
        for hook in _HOOKS:
            setattr(self, hook, spending.measure(name, getattr(callback, hook)))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._callback, name)
