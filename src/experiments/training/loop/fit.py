"""Compilation of a model and the call to `fit`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import keras

from experiments.config.kinds.objective import Objective
from experiments.errors import ExperimentError
from experiments.interruption import StopRequest
from experiments.training.callbacks.abilities import close_all
from experiments.training.checkpoints.state import TrainingState, keeps_averages
from experiments.training.loop.chain import CallbackChain
from experiments.training.loop.keras_loop import TrainingLoop
from experiments.training.loop.micro_batches import split_steps
from experiments.training.loop.phases import Phases, add_monitor
from experiments.training.loop.spending import SAVING, TRACKING, Spending
from experiments.training.loop.supervisor import Limits, Supervisor
from experiments.training.loop.tracings import count_tracings_anew
from experiments.training.losses import train_on
from experiments.training.metrics import build_accumulators
from experiments.training.optimizers.averaging import SwapAverages
from experiments.training.optimizers.schedule_free import (
    ShowAverage,
    averages_by_itself,
)

NO_LIMITS = Limits()
# Names in brackets are of callbacks that no config has asked for.
_SPENT_ON = {
    "(supervisor)": SAVING,
    "(tracker)": TRACKING,
    "(first step)": TRACKING,
}


@dataclass(frozen=True)
class History:
    """What the epochs of one fit gave.

    Attributes:
        epochs: Metrics of each epoch, in order.
        ended: Whether training is over; otherwise it pauses.
    """

    epochs: list[dict[str, float]]
    ended: bool = True

    def best_epoch(self, objective: Objective) -> int:
        """Returns the number of the best epoch, from 1 on; the first one of equals.

        Args:
            objective: What is compared.

        Raises:
            ExperimentError: No epoch has a finite value of that metric.
        """
        best = objective.best([epoch.get(objective.name) for epoch in self.epochs])
        if best is None:
            names = sorted({name for epoch in self.epochs for name in epoch})
            raise ExperimentError(
                "What is monitored must have a finite value in some epoch. Received: "
                f"{objective.name!r}. Metrics: "
                f"{', '.join(names) or 'none, no epoch ended'}."
            )
        return 1 + best

    def metrics_of(self, epoch: int) -> dict[str, float]:
        """Returns the metrics of epoch number `epoch`, counted from 1."""
        return self.epochs[epoch - 1]


def choose_jit(
    jit: bool | Literal["auto"], *, on_gpu: bool, deterministic: bool
) -> bool:
    """Decides whether the training step is compiled with XLA.

    Args:
        jit: The wish; `auto` is on for JAX and for a GPU, where it is faster, and off
            for TensorFlow on a CPU, where oneDNN's kernels are.
        on_gpu: Training runs on a GPU.
        deterministic: TensorFlow's op determinism is on, which has no XLA.

    Raises:
        ValueError: XLA is demanded together with TensorFlow's determinism.
    """
    if keras.backend.backend() == "jax":
        return jit is not False
    if jit is True and deterministic:
        raise ValueError(
            "trainer.jit must be auto or false with trainer.deterministic=true, for "
            "which TensorFlow turns XLA off. Received: true. Choose one of the two."
        )
    return on_gpu and not deterministic if jit == "auto" else jit


def compile_model(
    model: Any,
    *,
    optimizer: Any,
    loss: Any,
    metrics: Sequence[Any],
    jit: bool,
    steps_per_execution: int = 1,
    training_loss: Any = None,
    has_several: bool = False,
    micro_batch: int | None = None,
) -> None:
    """Compiles `model` in graph mode, with all the variables that training takes.

    Args:
        model: A built `keras.Model` of one output `(B, classes)`.
        optimizer: A fresh optimizer, see `build_optimizer`.
        loss: See `build_loss`.
        metrics: See `build_metrics`.
        jit: Whether XLA compiles the step, see `choose_jit`.
        steps_per_execution: Steps between two returns to Python.
        training_loss: What training minimises in the place of `loss`.
        has_several: Whether an image may have several labels.
        micro_batch: Images of a batch that are trained on at a time, see
            `split_steps`; `None` for all.
    """
    count_tracings_anew()
    model.compile(
        optimizer=optimizer,
        loss=loss,
        metrics=list(metrics),
        jit_compile=jit,
        steps_per_execution=steps_per_execution,
        run_eagerly=False,
    )
    if training_loss is not None:
        train_on(model, training_loss)
    if micro_batch is not None:
        split_steps(model, micro_batch=micro_batch)
    # Born in the first step, the optimizer's would have TensorFlow trace it twice, and
    # before it there would be no accumulators of metrics to restore.
    model.optimizer.build(model.trainable_variables)
    build_accumulators(model, has_several=has_several)


def fit(
    model: Any,
    *,
    train_from: Callable[[int], Any],
    validation: Any,
    epochs: int,
    steps_per_epoch: int,
    callbacks: Mapping[str, Any],
    validation_steps: int | None = None,
    state: TrainingState | None = None,
    stop: StopRequest | None = None,
    limits: Limits = NO_LIMITS,
    spending: Spending | None = None,
    phases: Phases | None = None,
) -> History:
    """Trains a compiled model, from the start or from a saved state on.

    Args:
        model: A compiled `keras.Model`.
        train_from: Returns the batches of images and labels from a step on, counted
            over all epochs, without an end.
        validation: Batches for one validation, or `None`.
        epochs: Number of the last epoch, counted from 1.
        steps_per_epoch: Batches an epoch.
        callbacks: Name -> Keras callback, in order; see `abilities` for what they may
            have beyond Keras' own calls.
        validation_steps: Ends each validation early; more than there are is no limit.
        state: Where to go on, with the same arguments; `None` starts.
        stop: How training is asked to stop.
        limits: When it stops by itself.
        spending: Measures where the time of each epoch goes.
        phases: Of the training; the model is compiled for the first one. `None` for
            one of all epochs.

    Returns:
        The metrics of each epoch, those that callbacks added and those of earlier
        processes included.

    Raises:
        Preempted: Training was asked to stop; its state is saved.
        ValueError: `steps_per_execution` does not divide the epoch.
    """
    _check_executions(model.steps_per_execution, steps_per_epoch)
    stop = stop or StopRequest()
    phases = phases or Phases.one(epochs)
    callbacks = add_monitor(callbacks, phases)
    history = [] if state is None else [dict(epoch) for epoch in state.history]
    supervisor = Supervisor(
        callbacks,
        epochs=epochs,
        steps_per_epoch=steps_per_epoch,
        history=history,
        stop=stop,
        limits=limits,
        enter_phase=phases.enter,
    )
    averages: dict[str, Any] = {}
    if keeps_averages(model):
        averages["(averages)"] = SwapAverages()
    elif averages_by_itself(model.optimizer):
        averages["(averages)"] = ShowAverage()
    spending = spending or Spending()
    chain = CallbackChain(
        {**averages, **callbacks, "(supervisor)": supervisor},
        model=model,
        spending=spending,
        names=_SPENT_ON,
        epochs=epochs,
        steps=steps_per_epoch,
    )
    supervisor.flush = chain.flush
    training = TrainingLoop(
        model=model,
        chain=chain,
        train_from=train_from,
        steps_per_epoch=steps_per_epoch,
        epochs=min(epochs, limits.until_epoch or epochs),
        validation={
            "validation_data": validation,
            "validation_steps": _cut(validation, validation_steps),
        },
        spending=spending,
        phases=phases,
    )
    try:
        with stop.listening(supervisor.plan_of_start):
            training.run(callbacks, state)
    finally:
        close_all(callbacks)
    return History(history, ended=supervisor.has_ended)


def _check_executions(steps_per_execution: int, steps_per_epoch: int) -> None:
    """Refuses executions that would run on into the next epoch's batches."""
    if steps_per_epoch % steps_per_execution:
        raise ValueError(
            "trainer.steps_per_execution must divide the steps of an epoch, here "
            f"{steps_per_epoch}. Received: {steps_per_execution}. "
            "Set it to a divisor, or to 1."
        )


def _cut(validation: Any, steps: int | None) -> int | None:
    """Returns `steps` where they end a validation early: Keras warns of too many."""
    if steps is None or validation is None:
        return None
    try:
        return steps if steps < len(validation) else None
    except TypeError:  # data of unknown length
        return steps
