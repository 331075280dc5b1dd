"""One training for the callbacks, however many calls of Keras' `fit` it takes."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

import keras

from experiments.errors import ExperimentError
from experiments.training.callbacks.abilities import StatefulCallback
from experiments.training.loop.spending import Spending

log = logging.getLogger(__name__)


class CallbackChain(keras.callbacks.CallbackList):
    """Tells callbacks of one training that begins and ends once.

    Keras' `fit` counts the steps of an epoch from 0 and begins and ends a training at
    each call. A training that continues inside an epoch takes two calls.

    Args:
        callbacks: Name -> callback, in order.
        model: The model.
        spending: Measures what each of them takes; a name that several have in common
            is measured as one.
        names: Callback's name -> what its time is noted as; its own name without.
        params: As Keras gives them to callbacks.
    """

    def __init__(
        self,
        callbacks: Mapping[str, Any],
        *,
        model: Any,
        spending: Spending,
        names: Mapping[str, str],
        **params: Any,
    ) -> None:
        every = list(callbacks.values())
        super().__init__(every, add_history=True, model=model, **params)
        own: list[Any] = self.callbacks[len(every) :]  # Keras' own
        self.callbacks: list[Any] = [
            *(
                spending.watch(c, names.get(name, name))
                for name, c in callbacks.items()
            ),
            *own,
        ]
        self._clock = spending.clock
        self._clock.synchronise = self.flush
        self.offset = 0
        self.before_steps: Callable[[], None] | None = None
        self.after_epoch: Callable[[], None] | None = None
        self._logs: Mapping[str, Any] | None = None

    def flush(self) -> None:
        """Waits until every callback has seen the steps that are done."""
        self._flush_futures()

    def begin(self) -> None:
        """Begins the training."""
        super().on_train_begin()

    def end(self) -> None:
        """Ends the training."""
        super().on_train_end(self._logs)

    def on_train_begin(self, logs: Any = None) -> None:
        """Does nothing: `begin` was called."""

    def on_train_end(self, logs: Any = None) -> None:
        """Does nothing: `end` will be called."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Begins an epoch, whose metrics Keras has reset just before."""
        super().on_epoch_begin(epoch, logs)
        if self.before_steps is not None:
            self.before_steps()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Ends an epoch."""
        self._logs = logs
        super().on_epoch_end(epoch, logs)
        if self.after_epoch is not None:
            self.after_epoch()

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Counts the steps that were done before this call of `fit` too."""
        super().on_train_batch_begin(batch + self.offset, logs)
        self._clock.begin_step()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Likewise."""
        super().on_train_batch_end(batch + self.offset, logs)


def restore_memory(callbacks: Mapping[str, Any], memory: Mapping[str, Any]) -> None:
    """Gives each callback back what it remembered.

    Args:
        callbacks: Name -> callback, after their training began.
        memory: Name -> what `get_state` returned.

    Raises:
        ExperimentError: A callback refuses what there is.
    """
    for name, callback in callbacks.items():
        if name in memory and isinstance(callback, StatefulCallback):
            _restore(name, callback, memory[name])


def _restore(name: str, callback: Any, memory: Any) -> None:
    try:
        callback.set_state(memory)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ExperimentError(
            f"What the checkpoint remembers for callbacks.{name} is not what it was: "
            f"{error}. Has the code changed, or the file? Start anew: fresh=true"
        ) from error


def name_forgetful(callbacks: Mapping[str, Any]) -> None:
    """Warns of callbacks that may have a memory and cannot hand it on."""
    for name, callback in callbacks.items():
        # In brackets stands what no config has asked for.
        ours = name[0] == "(" or type(callback).__module__.startswith("experiments.")
        if not ours and not isinstance(callback, StatefulCallback):
            log.warning(
                "callbacks.%s starts without its memory: %s has no get_state() and "
                "set_state().",
                name,
                type(callback).__name__,
            )
