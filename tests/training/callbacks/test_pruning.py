import logging
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import pytest

from experiments import job_files
from experiments.config.kinds.objective import Objective
from experiments.errors import ExperimentError
from experiments.training.callbacks.checkpoint import Checkpoint
from experiments.training.callbacks.pruning import (
    Histories,
    MedianPruner,
    Pruner,
    SuccessiveHalvingPruner,
    is_rung,
    scores_at,
)
from experiments.training.checkpoints.store import load_last
from experiments.training.loop.fit import fit

NAN, INF = math.nan, math.inf
ACCURACY = {"monitor": "val_accuracy", "mode": "max"}
LOSS = {"monitor": "val_accuracy", "mode": "min"}


Siblings = Histories | Callable[[], Histories] | None


def reading(siblings: Siblings) -> Callable[[str], Callable[[], Histories]] | None:
    if siblings is None:
        return None
    read = (lambda: siblings) if isinstance(siblings, Mapping) else siblings
    return lambda metric: read


def median(siblings: Siblings, **options: Any) -> MedianPruner:
    defaults: dict[str, Any] = {**ACCURACY, "warmup_epochs": 0, "min_siblings": 1}
    return MedianPruner(**{**defaults, "siblings": reading(siblings), **options})


def halving(siblings: Siblings, **options: Any) -> SuccessiveHalvingPruner:
    defaults: dict[str, Any] = {**ACCURACY, "min_epochs": 1, "factor": 2}
    arguments = {**defaults, "siblings": reading(siblings), **options}
    return SuccessiveHalvingPruner(**arguments)


def begin(pruner: Pruner, epochs: int = 9) -> Pruner:
    pruner.set_model(SimpleNamespace(stop_training=False))
    pruner.set_params({"epochs": epochs})
    pruner.on_train_begin()
    return pruner


def play(pruner: Pruner, values: Sequence[float], first: int = 1) -> int | None:
    """Plays epochs that end with these values; returns which one ended training."""
    for epoch, value in enumerate(values, start=first):
        pruner.on_epoch_end(epoch - 1, {"val_accuracy": value, "loss": 1.0})
        if pruner.model.stop_training:
            return epoch
    return None


@pytest.mark.parametrize(
    ("values", "mode", "score"),
    [
        ([0.1, 0.3, 0.2], "max", 0.3),
        ([0.1, 0.3, 0.2], "min", -0.1),
        ([NAN, 0.3], "max", 0.3),
        ([NAN, 0.3], "min", -0.3),
        ([INF, NAN], "max", -INF),
        ([-INF], "min", -INF),
        ([], "max", -INF),
    ],
)
def test_best_value_is_the_largest_score(
    values: list[float], mode: Any, score: float
) -> None:
    objective = Objective("val_accuracy", mode)
    assert max(map(objective.score, values), default=-INF) == score


def test_only_trials_that_have_reached_the_epoch_count_and_only_up_to_it() -> None:
    histories = {"a": [0.1, 0.2, 0.9], "b": [0.4], "c": [0.3, 0.1], "d": [NAN, NAN]}

    assert scores_at(histories, 2, Objective("val_accuracy", "max")) == [0.2, 0.3, -INF]


@pytest.mark.parametrize(
    ("first", "factor", "rungs"), [(1, 2, [1, 2, 4, 8]), (2, 3, [2, 6]), (20, 2, [])]
)
def test_rungs_are_powers_of_the_factor(
    first: int, factor: int, rungs: list[int]
) -> None:
    assert [e for e in range(1, 16) if is_rung(e, first, factor)] == rungs


@pytest.mark.parametrize(
    ("options", "siblings", "values", "end"),
    [
        ({}, [[0.5, 0.6], [0.7, 0.8], [0.1, 0.2]], [0.5, 0.55], 2),
        ({}, [[0.5, 0.6], [0.7, 0.8], [0.1, 0.2]], [0.5, 0.6], None),
        ({}, [[0.5, 0.5], [0.7, 0.7]], [0.59], 1),
        (LOSS, [[0.5, 0.6], [0.7, 0.8], [0.1, 0.2]], [0.6, 0.5], 1),
        (LOSS, [[0.5, 0.6], [0.7, 0.8], [0.1, 0.2]], [0.4, 0.9], None),
        ({"warmup_epochs": 2}, [[0.5] * 9], [0.1] * 4, 3),
        ({"min_siblings": 2}, [[0.5, 0.5], [0.5]], [0.5, 0.5, 0.5], None),
        ({"min_siblings": 2}, [[0.5, 0.5], [0.5]], [0.4, 0.4], 1),
        ({"min_siblings": 3}, [[0.5, 0.5], [0.5]], [0.4, 0.4], None),
        ({}, [[0.5] * 3], [NAN, NAN], 1),
        ({}, [[NAN] * 3, [NAN] * 3], [NAN, NAN], None),
        ({}, [[NAN] * 3, [0.5] * 3, [NAN] * 3], [0.1, 0.1], None),
        ({}, [[0.5] * 3], [0.6, NAN, 0.1], None),
        ({}, [[0.1, 0.9, 0.1]], [0.6, 0.6, 0.9], 2),
    ],
)
def test_trial_below_the_median_is_ended(
    options: Any, siblings: list[list[float]], values: list[float], end: int | None
) -> None:
    histories = {str(number): values for number, values in enumerate(siblings)}

    assert play(begin(median(histories, **options)), values) == end


@pytest.mark.parametrize(
    ("options", "siblings", "values", "end"),
    [
        ({}, [], [0.1, 0.1, 0.1, 0.1], None),
        ({}, [[0.5]], [0.4], 1),
        ({}, [[0.5]], [0.5], None),
        ({}, [[0.5], [0.4], [0.3]], [0.45], None),
        ({}, [[0.5], [0.4], [0.3]], [0.35], 1),
        ({"factor": 4}, [[0.5], [0.4], [0.3]], [0.45], 1),
        ({"min_epochs": 2}, [[0.5] * 3, [0.5] * 3], [0.1, 0.1], 2),
        ({"min_epochs": 2}, [[0.5, 0.5, 0.9]], [0.6, 0.6, 0.6], None),
        ({"min_epochs": 2}, [[0.5] * 4], [0.1, 0.6, 0.1, 0.1], None),
        (LOSS, [[0.5], [0.4], [0.3]], [0.45], 1),
        (LOSS, [[0.5], [0.4], [0.3]], [0.35], None),
        ({}, [[NAN]], [0.1], None),
        ({}, [[0.1]], [NAN], 1),
    ],
)
def test_trial_outside_the_best_fraction_is_ended_at_a_rung(
    options: Any, siblings: list[list[float]], values: list[float], end: int | None
) -> None:
    histories = {str(number): values for number, values in enumerate(siblings)}

    assert play(begin(halving(histories, **options)), values) == end


@pytest.mark.parametrize(
    ("pruner", "reason"),
    [
        (
            median({"a": [0.5], "b": [0.62], "c": [0.7]}),
            "best val_accuracy 0.41 is below the median 0.62 of 3 trials",
        ),
        (
            median({"a": [0.1], "b": [0.2]}, **LOSS),
            "best val_accuracy 0.41 is above the median 0.15 of 2 trials",
        ),
        (
            halving({"a": [0.5], "b": [0.62], "c": [0.7]}),
            "best val_accuracy 0.41 is below 0.62, the last of the best 2 of 4 trials",
        ),
    ],
)
def test_reason_says_what_was_compared(pruner: Pruner, reason: str) -> None:
    play(begin(pruner), [0.41])

    assert pruner.pruned == f"pruned after epoch 1: {reason}"


def test_reason_of_a_trial_without_a_finite_value_says_nan() -> None:
    pruner = begin(median({"a": [0.5]}, **LOSS))
    play(pruner, [NAN])

    assert pruner.pruned is not None
    assert "best val_accuracy nan is above the median 0.5" in pruner.pruned


def test_last_epoch_is_never_pruned() -> None:
    pruner = begin(median({"a": [0.5] * 9}), epochs=1)

    assert play(pruner, [0.1]) is None
    assert pruner.pruned is None


def test_training_that_another_callback_ended_is_not_called_pruned() -> None:
    pruner = begin(median({"a": [0.5] * 9}))
    pruner.model.stop_training = True

    play(pruner, [0.1])

    assert pruner.pruned is None


def test_outside_a_sweep_nothing_happens() -> None:
    pruner = begin(median(None))

    assert play(pruner, [0.1, 0.1]) is None
    pruner.on_epoch_end(2, {})
    assert pruner.get_state() == {"score": None, "pruned": None}


def test_siblings_are_asked_only_when_a_decision_is_due() -> None:
    asked: list[int] = []

    def read() -> Histories:
        asked.append(1)
        return {}

    play(begin(halving(read, min_epochs=2), epochs=8), [0.1] * 8)
    assert len(asked) == 2  # after epochs 2 and 4; 8 is the last
    play(begin(median(read, warmup_epochs=6), epochs=8), [0.1] * 8)
    assert len(asked) == 3  # after epoch 7


def test_siblings_that_cannot_be_read_are_told_once_and_stop_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail() -> Histories:
        raise OSError("no network")

    pruner = begin(median(fail))

    with caplog.at_level(logging.WARNING):
        assert play(pruner, [0.1, 0.1, 0.1]) is None
    (record,) = caplog.records
    assert "OSError: no network" in record.message


def test_unknown_metric_is_named_beside_those_that_exist() -> None:
    with pytest.raises(ExperimentError, match="one of loss, val_accuracy"):
        play(begin(median({}, monitor="val_f1")), [0.1])


@pytest.mark.parametrize("mode", ["max", "min"])
@pytest.mark.parametrize("interruption", range(1, 5))
def test_memory_comes_back(interruption: int, mode: Any) -> None:
    sign = 1 if mode == "max" else -1
    siblings = {"a": [sign * value for value in (0.1, 0.2, 0.2, 0.3, 0.5)]}
    values = [sign * value for value in (0.1, 0.4, 0.1, NAN, 0.1, 0.1)]
    first = begin(median(siblings, mode=mode))
    assert play(first, values[:interruption]) is None
    second = begin(median(siblings, mode=mode))

    for _ in range(2):  # at the begin of training and of its first epoch
        second.set_state(first.get_state())

    assert second.get_state() == first.get_state()
    assert play(second, values[interruption:], first=interruption + 1) == 5


def test_reason_comes_back() -> None:
    first = begin(median({"a": [0.5]}))
    play(first, [0.1])
    second = begin(median({"a": [0.5]}))

    second.set_state(first.get_state())

    assert second.pruned == first.pruned is not None


def test_new_training_forgets_the_one_before() -> None:
    pruner = begin(median({"a": [0.5]}))
    play(pruner, [0.1])

    begin(pruner)

    assert pruner.get_state() == {"score": None, "pruned": None}


def test_keras_own_fit_is_ended(dense_model: Any, batches: Any) -> None:
    model = dense_model(keras.optimizers.SGD(0.1))
    # No loss is below 0, so that this trial is hopeless from the start.
    pruner = median({"a": [-1.0] * 9}, monitor="loss", mode="min", warmup_epochs=1)

    history = model.fit(
        batches(2), epochs=5, shuffle=False, callbacks=[pruner], verbose=0
    )

    assert len(history.history["loss"]) == 2
    assert pruner.pruned is not None
    assert pruner.pruned.startswith("pruned after epoch 2: best loss ")


def test_pruned_training_is_saved_as_finished_and_stays_pruned(
    dense_model: Any, batches: Any, output_dir: Path
) -> None:
    def train(state: Any) -> tuple[int, Pruner]:
        pruner = median({"a": [-1.0] * 9}, monitor="loss", mode="min")
        history = fit(
            dense_model(keras.optimizers.SGD(0.1)),
            train_from=batches(8).repeat().skip,
            validation=None,
            epochs=4,
            steps_per_epoch=2,
            callbacks={
                "checkpoint": Checkpoint(
                    output_dir=output_dir, monitor="loss", mode="min"
                ),
                "pruner": pruner,
            },
            state=state,
        )
        return len(history.epochs), pruner

    epochs, first = train(None)
    state = load_last(output_dir / job_files.CHECKPOINTS)

    assert epochs == 1
    assert state is not None
    assert state.finished
    epochs, second = train(state)
    assert epochs == 1
    assert second.pruned == first.pruned is not None
