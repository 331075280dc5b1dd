from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from experiments.training.callbacks.monitors import (
    DivergedError,
    EpochLogger,
    FirstStep,
    LearningRateMonitor,
    TerminateOnNaN,
    last_lr,
)
from experiments.training.callbacks.plateau import ReduceOnPlateau
from experiments.training.loop.fit import fit
from experiments.training.schedules import (
    ConstantSchedule,
    PolynomialSchedule,
    StepSchedule,
)

Model = Callable[..., Any]


def run(model: Any, batches: Callable[[int], Any], callbacks: list[Any]) -> Any:
    """Trains for 3 epochs of 4 steps."""
    return fit(
        model,
        train_from=batches(12).skip,
        validation=batches(2),
        epochs=3,
        steps_per_epoch=4,
        callbacks={str(number): c for number, c in enumerate(callbacks)},
    )


def test_lr_is_that_of_the_epochs_last_step(dense_model: Model, batches: Any) -> None:
    schedule = PolynomialSchedule(peak_lr=0.12, steps_per_epoch=4, epochs=3)
    model = dense_model(keras.optimizers.SGD(schedule))

    history = run(model, batches, [LearningRateMonitor()])

    # Steps 3, 7 and 11 of 12.
    assert [e["lr"] for e in history.epochs] == pytest.approx([0.09, 0.05, 0.01])


def test_lr_does_not_show_a_drop_before_it_happens(
    dense_model: Model, batches: Any
) -> None:
    schedule = StepSchedule(peak_lr=0.1, steps_per_epoch=4, epochs=3, milestones=[1])
    model = dense_model(keras.optimizers.SGD(schedule))

    history = run(model, batches, [LearningRateMonitor()])

    assert [e["lr"] for e in history.epochs] == pytest.approx([0.1, 0.01, 0.01])


def test_lr_is_the_used_one_although_a_callback_before_lowers_it(
    dense_model: Model, batches: Any
) -> None:
    schedule = ConstantSchedule(peak_lr=0.1, steps_per_epoch=4, epochs=3)
    model = dense_model(keras.optimizers.SGD(schedule))
    plateau = ReduceOnPlateau(monitor="val_loss", mode="max", patience=1, min_delta=9.0)

    history = run(model, batches, [plateau, LearningRateMonitor()])

    # The first epoch is an improvement; the second is not, and lowers the third's.
    assert [e["lr"] for e in history.epochs] == pytest.approx([0.1, 0.1, 0.01])


@pytest.mark.parametrize(
    "lr",
    [0.25, PolynomialSchedule(peak_lr=0.25, steps_per_epoch=4, epochs=3)],
    ids=["number", "schedule"],
)
def test_lr_is_found_below_loss_scaling(lr: Any) -> None:
    inner = keras.optimizers.SGD(lr)

    assert last_lr(keras.optimizers.LossScaleOptimizer(inner)) == pytest.approx(0.25)


def test_diverged_training_fails_with_the_step(
    dense_model: Model, batches: Any
) -> None:
    model = dense_model(keras.optimizers.SGD(1e30))

    with pytest.raises(DivergedError, match=r"in epoch 1, step \d+. Lower optimizer"):
        run(model, batches, [TerminateOnNaN()])


def test_diverged_last_step_fails_too(dense_model: Model, batches: Any) -> None:
    model = dense_model(keras.optimizers.SGD(0.1))
    model.layers[-1].bias.assign(np.full(3, np.nan))

    with pytest.raises(DivergedError, match="became nan in epoch 1, step 1"):
        fit(
            model,
            train_from=batches(1).skip,
            validation=None,
            epochs=1,
            steps_per_epoch=1,
            callbacks={"terminate_on_nan": TerminateOnNaN()},
        )


def test_logger_hands_on_every_metric_and_counts_epochs_from_one(
    dense_model: Model, batches: Any
) -> None:
    received: list[tuple[int, dict[str, float]]] = []
    logger = EpochLogger(run_log=lambda epoch, logs: received.append((epoch, logs)))

    run(
        dense_model(keras.optimizers.SGD(0.1)), batches, [LearningRateMonitor(), logger]
    )

    assert [epoch for epoch, _ in received] == [1, 2, 3]
    assert set(received[0][1]) == {"loss", "accuracy", "val_loss", "val_accuracy", "lr"}
    assert all(type(v) is float for _, logs in received for v in logs.values())


@pytest.mark.parametrize(("steps", "seen"), [(4, [1, 2, 3]), (1, [0, 1, 2])])
def test_the_first_step_is_told_once_and_not_before_it_is_done(
    dense_model: Model, batches: Any, steps: int, seen: list[int]
) -> None:
    class Watch(keras.callbacks.Callback):
        """Notes how often it was told by each epoch's last step."""

        async_safe = True

        def __init__(self) -> None:
            super().__init__()
            self.told = 0
            self.before: list[int] = []

        def tell(self) -> None:
            assert int(self.model.optimizer.iterations) >= 1
            self.told += 1

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.before.append(self.told)

    watch = Watch()
    fit(
        dense_model(keras.optimizers.SGD(0.1)),
        train_from=batches(12).skip,
        validation=None,
        epochs=3,
        steps_per_epoch=steps,
        callbacks={"watch": watch, "first": FirstStep(watch.tell)},
    )
    assert watch.told == 1
    assert watch.before == [min(count, 1) for count in seen]


@pytest.mark.parametrize("callback", [TerminateOnNaN(), FirstStep(print)])
def test_batch_hooks_do_not_make_the_host_wait(callback: Any) -> None:
    assert callback.async_safe
