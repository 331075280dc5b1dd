from typing import Any

import keras
import pytest

from experiments.training.callbacks.early_stopping import EarlyStopping


@pytest.fixture
def model(dense_model: Any) -> Any:
    return dense_model(keras.optimizers.SGD(0.1))


def build(model: Any, **options: Any) -> EarlyStopping:
    defaults = {"monitor": "val_loss", "mode": "min", "patience": 2}
    callback = EarlyStopping(**{**defaults, **options})
    callback.set_model(model)
    callback.on_train_begin()
    model.stop_training = False
    return callback


def play(callback: EarlyStopping, values: list[float], first: int = 0) -> int | None:
    """Plays epochs that end with these values; returns which one ended training."""
    for epoch, value in enumerate(values, start=first):
        callback.on_epoch_end(epoch, {"val_loss": value})
        if callback.model.stop_training:
            return epoch
    return None


@pytest.mark.parametrize(
    ("options", "values", "end"),
    [
        ({}, [3, 2, 1, 1, 1, 1], 4),
        ({}, [3, 2, 1, 0.5], None),
        ({"mode": "max"}, [1, 0.9, 0.8, 2], 2),
        ({"min_delta": 1.0}, [3, 2.5, 2.1, 2.05], 2),
        ({"start_from_epoch": 2}, [1, 1, 3, 3, 3, 3], 4),
    ],
)
def test_training_ends_after_epochs_without_improvement(
    options: Any, values: list[float], end: int | None, model: Any
) -> None:
    assert play(build(model, **options), values) == end


@pytest.mark.parametrize("interruption", range(1, 5))
def test_memory_comes_back(interruption: int, model: Any) -> None:
    values = [3.0, 2.0, 2.5, 1.9, 2.0, 2.0, 2.0]
    first = build(model)
    assert play(first, values[:interruption]) is None
    second = build(model)

    for _ in range(2):  # at the begin of training and of its first epoch
        second.set_state(first.get_state())

    assert second.get_state() == first.get_state()
    assert play(second, values[interruption:], first=interruption) == 5


def test_memory_of_a_new_training_is_plain_data(model: Any) -> None:
    assert build(model).get_state()["best"] is None
