from typing import Any

import keras
import numpy as np
import pytest

from experiments.config.kinds.objective import Objective
from experiments.errors import ExperimentError
from experiments.training.loop.fit import History, choose_jit, fit


def history(values: list[float]) -> History:
    return History([{"val_accuracy": value} for value in values])


@pytest.mark.parametrize(
    ("values", "mode", "best"),
    [
        ([0.1, 0.9, 0.5], "max", 2),
        ([0.1, 0.9, 0.05], "min", 3),
        ([0.9, 0.9], "max", 1),
        ([float("nan"), 0.2, float("inf")], "max", 2),
    ],
)
def test_best_epoch_counts_from_one(values: list[float], mode: Any, best: int) -> None:
    assert history(values).best_epoch(Objective("val_accuracy", mode)) == best


def test_metrics_are_found_by_the_epochs_number() -> None:
    assert history([0.1, 0.9]).metrics_of(2) == {"val_accuracy": 0.9}


def test_unknown_metric_is_named_beside_those_that_exist() -> None:
    with pytest.raises(ExperimentError, match=r"'val_f1'. Metrics: val_accuracy"):
        history([0.5]).best_epoch(Objective("val_f1", "max"))


def test_history_of_no_epoch_has_no_best_one() -> None:
    with pytest.raises(ExperimentError, match="none, no epoch ended"):
        history([]).best_epoch(Objective("val_accuracy", "max"))


def test_fit_learns_and_returns_each_epochs_metrics(
    dense_model: Any, batches: Any
) -> None:
    result = fit(
        dense_model(keras.optimizers.Adam(0.01)),
        train_from=batches(20).repeat(5).skip,
        validation=batches(2),
        epochs=5,
        steps_per_epoch=20,
        callbacks={},
    )

    assert len(result.epochs) == 5
    assert set(result.epochs[0]) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert result.epochs[-1]["loss"] < 0.6 * result.epochs[0]["loss"]


def test_the_step_is_traced_once(dense_model: Any, batches: Any) -> None:
    model = dense_model(keras.optimizers.Adam(0.01))
    traced = []
    step = model.train_step
    model.train_step = lambda data: traced.append(data) or step(data)

    fit(
        model,
        train_from=batches(6).skip,
        validation=None,
        epochs=1,
        steps_per_epoch=6,
        callbacks={},
    )

    assert len(traced) == 1


def test_fit_equals_a_bare_keras_fit(dense_model: Any, batches: Any) -> None:
    ours = dense_model(keras.optimizers.Adam(0.01))
    theirs = dense_model(keras.optimizers.Adam(0.01))

    fit(
        ours,
        train_from=batches(6).skip,
        validation=batches(2),
        epochs=2,
        steps_per_epoch=3,
        callbacks={},
    )
    theirs.fit(batches(6), epochs=2, steps_per_epoch=3, shuffle=False, verbose=0)

    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(("steps", "expected"), [(2, 2), (5, 5), (9, 5), (None, 5)])
def test_validation_can_be_cut_short(
    steps: int | None, expected: int, dense_model: Any, batches: Any
) -> None:
    class Counter(keras.callbacks.Callback):
        count = 0

        def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
            self.count += 1

    counter = Counter()
    fit(
        dense_model(keras.optimizers.Adam(0.01)),
        train_from=batches(1).skip,
        validation=batches(5),
        epochs=1,
        steps_per_epoch=1,
        validation_steps=steps,
        callbacks={"counter": counter},
    )

    assert counter.count == expected


def test_several_steps_an_execution_give_the_same_weights(
    dense_model: Any, batches: Any
) -> None:
    weights = []
    for steps_per_execution in (1, 2):
        model = dense_model(
            keras.optimizers.SGD(0.1), steps_per_execution=steps_per_execution
        )
        fit(
            model,
            train_from=batches(8).skip,
            validation=None,
            epochs=2,
            steps_per_epoch=4,
            callbacks={},
        )
        assert int(model.optimizer.iterations) == 8
        weights.append(model.get_weights())

    for a, b in zip(*weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_executions_that_run_into_the_next_epoch_are_refused(
    dense_model: Any, batches: Any
) -> None:
    model = dense_model(keras.optimizers.SGD(0.1), steps_per_execution=3)

    with pytest.raises(ValueError, match=r"divide the steps of an epoch, here 4. Rec"):
        fit(
            model,
            train_from=batches(8).skip,
            validation=None,
            epochs=2,
            steps_per_epoch=4,
            callbacks={},
        )


def test_callbacks_are_closed_after_an_interrupt(
    dense_model: Any, batches: Any
) -> None:
    class Interrupting(keras.callbacks.Callback):
        is_closed = False

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            raise KeyboardInterrupt

        def close(self) -> None:
            self.is_closed = True

    callback = Interrupting()
    with pytest.raises(KeyboardInterrupt):
        fit(
            dense_model(keras.optimizers.SGD(0.1)),
            train_from=batches(1).skip,
            validation=None,
            epochs=1,
            steps_per_epoch=1,
            callbacks={"callback": callback},
        )

    assert callback.is_closed


@pytest.mark.parametrize(
    ("backend", "jit", "on_gpu", "deterministic", "expected"),
    [
        ("tensorflow", "auto", False, False, False),
        ("tensorflow", "auto", True, False, True),
        ("tensorflow", "auto", True, True, False),
        ("tensorflow", True, False, False, True),
        ("tensorflow", False, True, False, False),
        ("jax", "auto", False, False, True),
        ("jax", "auto", False, True, True),
        ("jax", False, False, False, False),
    ],
)
def test_jit_is_chosen_by_device(
    backend: str,
    jit: Any,
    on_gpu: bool,
    deterministic: bool,
    expected: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(keras.backend, "backend", lambda: backend)

    assert choose_jit(jit, on_gpu=on_gpu, deterministic=deterministic) is expected


def test_jit_and_determinism_exclude_each_other_on_tensorflow() -> None:
    with pytest.raises(ValueError, match="must be auto or false"):
        choose_jit(True, on_gpu=True, deterministic=True)
