"""Compilation of a model and the call to `fit`."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import keras

from experiments.errors import ExperimentError
from experiments.training.callbacks import EpochLogger


@dataclass(frozen=True)
class History:
    """What the epochs of one fit gave.

    Attributes:
        epochs: Metrics of each epoch, in order.
        initial_epoch: Epochs that were completed before this fit.
    """

    epochs: list[dict[str, float]]
    initial_epoch: int = 0

    def best_epoch(self, monitor: str, mode: Literal["max", "min"]) -> int:
        """Returns the number of the best epoch, from 1 on; the first one of equals.

        Args:
            monitor: Name of a metric.
            mode: Whether a larger or a smaller value is better.

        Raises:
            ExperimentError: No epoch has a finite value of that metric.
        """
        sign = 1.0 if mode == "max" else -1.0
        values = [sign * epoch.get(monitor, math.nan) for epoch in self.epochs]
        finite = [i for i, value in enumerate(values) if math.isfinite(value)]
        if not finite:
            names = sorted({name for epoch in self.epochs for name in epoch})
            raise ExperimentError(
                f"trainer.monitor must name a metric with a finite value. Received: "
                f"{monitor!r}. Metrics: {', '.join(names) or 'none, no epoch ended'}."
            )
        return self.initial_epoch + 1 + max(finite, key=values.__getitem__)

    def metrics_of(self, epoch: int) -> dict[str, float]:
        """Returns the metrics of epoch number `epoch`, counted from 1."""
        return self.epochs[epoch - 1 - self.initial_epoch]


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
) -> None:
    """Compiles `model` in graph mode.

    Args:
        model: A `keras.Model`.
        optimizer: A fresh optimizer, see `build_optimizer`.
        loss: See `build_loss`.
        metrics: See `build_metrics`.
        jit: Whether XLA compiles the step, see `choose_jit`.
        steps_per_execution: Steps between two returns to Python.
    """
    model.compile(
        optimizer=optimizer,
        loss=loss,
        metrics=list(metrics),
        jit_compile=jit,
        steps_per_execution=steps_per_execution,
        run_eagerly=False,
    )


def fit(
    model: Any,
    *,
    train: Any,
    validation: Any,
    epochs: int,
    steps_per_epoch: int,
    callbacks: Sequence[Any],
    initial_epoch: int = 0,
    validation_steps: int | None = None,
) -> History:
    """Trains a compiled model.

    Args:
        model: A compiled `keras.Model`.
        train: Batches of images and labels for all the epochs, one after the other.
        validation: Batches for one validation, or `None`.
        epochs: Number of the last epoch, counted from 1.
        steps_per_epoch: Batches an epoch.
        callbacks: Keras callbacks, in order. One with a `close` method has it called
            when training ends, in whichever way.
        initial_epoch: Epochs that are already done; `train` starts behind them.
        validation_steps: Ends each validation early; more than there are is no limit.

    Returns:
        The metrics of each epoch, those that callbacks added included.

    Raises:
        ValueError: `steps_per_execution` does not divide the epoch.
    """
    _check_executions(model.steps_per_execution, steps_per_epoch)
    history = History([], initial_epoch)
    recorder = EpochLogger(lambda _, metrics: history.epochs.append(metrics))
    try:
        model.fit(
            train,
            validation_data=validation,
            epochs=epochs,
            steps_per_epoch=steps_per_epoch,
            validation_steps=_cut(validation, validation_steps),
            initial_epoch=initial_epoch,
            callbacks=[*callbacks, recorder],
            shuffle=False,  # the pipeline has shuffled already
            verbose=0,
        )
    finally:
        for callback in callbacks:
            close = getattr(callback, "close", None)
            if close is not None:
                close()
    return history


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
