from typing import Any

import keras
import pytest

from experiments.errors import ExperimentError
from experiments.training.callbacks.monitors import LearningRateMonitor
from experiments.training.callbacks.plateau import ReduceOnPlateau
from experiments.training.loop.fit import fit
from experiments.training.schedules import ConstantSchedule, ScaledSchedule

SCHEDULE = {"peak_lr": 0.5, "steps_per_epoch": 2, "epochs": 9}


@pytest.fixture
def model(dense_model: Any) -> Any:
    return dense_model(keras.optimizers.SGD(ConstantSchedule(**SCHEDULE)))


def build(model: Any, **options: Any) -> ReduceOnPlateau:
    defaults = {"monitor": "val_loss", "mode": "min", "factor": 0.1, "patience": 2}
    callback = ReduceOnPlateau(**{**defaults, **options})
    callback.set_model(model)
    return callback


def play(callback: ReduceOnPlateau, values: list[float]) -> list[float]:
    """Plays epochs that end with these values; returns the rate after each."""
    rates = []
    for epoch, value in enumerate(values):
        callback.on_epoch_end(epoch, {"val_loss": value})
        rates.append(float(callback.model.optimizer.learning_rate))
    return rates


@pytest.mark.parametrize(
    ("options", "values", "rates"),
    [
        ({}, [3, 2, 1, 1, 0.5], [0.5, 0.5, 0.5, 0.5, 0.5]),
        ({}, [1, 1, 1, 1, 1], [0.5, 0.5, 0.05, 0.05, 0.005]),
        ({"mode": "max"}, [1, 0.9, 0.8, 2, 2], [0.5, 0.5, 0.05, 0.05, 0.05]),
        ({"min_delta": 1.0}, [3, 2.5, 2.4], [0.5, 0.5, 0.05]),
        ({"min_factor": 0.3}, [1, 1, 1, 1, 1], [0.5, 0.5, 0.15, 0.15, 0.15]),
        ({}, [1, float("nan"), float("nan")], [0.5, 0.5, 0.05]),
    ],
)
def test_rate_falls_after_epochs_without_improvement(
    options: Any, values: list[float], rates: list[float], model: Any
) -> None:
    assert play(build(model, **options), values) == pytest.approx(rates)


def test_memory_comes_back(model: Any, dense_model: Any) -> None:
    first = build(model)
    play(first, [1, 1, 1, 1])
    fresh = dense_model(keras.optimizers.SGD(ConstantSchedule(**SCHEDULE)))
    second = build(fresh)

    for _ in range(2):  # at the begin of training and of its first epoch
        second.set_state(first.get_state())

    assert second.get_state() == first.get_state()
    assert play(second, [1]) == pytest.approx(play(first, [1])) == [0.005]


def test_training_takes_the_lower_rate(model: Any, batches: Any) -> None:
    weights = []
    plateau = build(
        model, monitor="loss", mode="max", patience=1, factor=0.0, min_factor=0.0
    )
    history = fit(
        model,
        train_from=batches(8).skip,
        validation=None,
        epochs=4,
        steps_per_epoch=2,
        callbacks={
            "lr_monitor": LearningRateMonitor(),
            "plateau": plateau,
            "probe": keras.callbacks.LambdaCallback(
                on_epoch_end=lambda epoch, logs: weights.append(
                    float(model.get_weights()[0][0, 0])
                )
            ),
        },
    )

    rates = [epoch["lr"] for epoch in history.epochs]
    lowered = rates.index(0.0)
    assert rates == [0.5] * lowered + [0.0] * (4 - lowered)
    assert len(set(weights[:lowered])) == lowered
    assert len(set(weights[lowered - 1 :])) == 1


def test_unknown_metric_is_named_beside_those_that_exist(model: Any) -> None:
    with pytest.raises(ExperimentError, match=r"one of val_loss. Received: 'val_f1'"):
        play(build(model, monitor="val_f1"), [1])


def test_lowered_schedule_survives_serialisation() -> None:
    schedule = ScaledSchedule(schedule=ConstantSchedule(**SCHEDULE), factor=0.5)

    config = keras.optimizers.schedules.serialize(schedule)
    copy = keras.optimizers.schedules.deserialize(config)

    assert float(copy(3)) == float(schedule(3)) == 0.25
