"""Which value is the best one, by definition, and that everything takes the same.

Cross-entropy is the negative log-likelihood, so that a loss is better the smaller it
is; accuracy, top-k likewise, counts what is right and is better the larger. The best of
several values is then NumPy's `argmin` or `argmax` over those that are finite, the
first of equals; a NaN or an infinity, of either sign, is never the best.
"""

import math
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from experiments import job_files
from experiments.config.kinds.metric_names import MEASURED, TEST
from experiments.config.kinds.objective import (
    EPOCH_METRICS,
    Objective,
    find_direction,
)
from experiments.errors import ConfigError
from experiments.jobs.job import JobResult
from experiments.search.results.pictures import track_best
from experiments.search.trials.trial import (
    Outcome,
    Proposal,
    Trial,
    best_trial,
    rank_trials,
)
from experiments.sweeps.table import best_result, sort_results
from experiments.training.callbacks.checkpoint import Checkpoint
from experiments.training.callbacks.early_stopping import EarlyStopping
from experiments.training.callbacks.plateau import ReduceOnPlateau
from experiments.training.callbacks.pruning import (
    MedianPruner,
    SuccessiveHalvingPruner,
    scores_at,
)
from experiments.training.checkpoints.manifest import Manifest, Record
from experiments.training.checkpoints.state import Position, TrainingState
from experiments.training.checkpoints.store import CheckpointStore, load_best
from experiments.training.loop.fit import History

NAN, INF = math.nan, math.inf
DIRECTIONS = {
    "loss": "min",
    "accuracy": "max",
    "top5_accuracy": "max",
    "val_loss": "min",
    "val_accuracy": "max",
    "val_top5_accuracy": "max",
    "test_loss": "min",
    "test_accuracy": "max",
    "test_top5_accuracy": "max",
    "best_val_loss": "min",
    "best_val_accuracy": "max",
}
LISTS = [
    [0.9, 0.4, 0.7],
    [0.4, 0.9, 0.4, 0.9],
    [NAN, 0.9, INF, 0.4, -INF, 0.6],
    [-INF, 3.0, 5.0],
    [INF, -3.0, -5.0],
    [9041760256.0, 2.3, 0.0],
]
Values = list[float]


def find_best(values: Values, direction: str) -> int:
    """Returns the index of the best value, by NumPy."""
    numbers = np.array(values, "float64")
    usable = np.isfinite(numbers)
    if direction == "min":
        return int(np.argmin(np.where(usable, numbers, np.inf)))
    return int(np.argmax(np.where(usable, numbers, -np.inf)))


@pytest.mark.parametrize(("name", "direction"), DIRECTIONS.items())
def test_a_name_tells_its_direction(name: str, direction: str) -> None:
    assert find_direction(name) == direction
    assert Objective(name, "auto") == Objective(name, direction)  # type: ignore[arg-type]


def test_every_metric_that_is_computed_has_a_direction() -> None:
    at_the_end = {f"{TEST}{name}" for name in MEASURED}
    assert {*EPOCH_METRICS, *at_the_end} <= set(DIRECTIONS)


@pytest.mark.parametrize(
    "name", ["val_kappa", "lr", "lossless", "val_acc", "epoch_time"]
)
def test_a_name_that_tells_nothing_needs_a_direction(name: str) -> None:
    with pytest.raises(ConfigError, match="with its direction"):
        Objective(name, "auto")
    assert Objective(name, "max").sign == 1.0


@pytest.mark.parametrize("direction", ["max", "min"])
@pytest.mark.parametrize("seed", range(20))
def test_best_and_order_are_those_of_numpy(seed: int, direction: Any) -> None:
    random = np.random.default_rng(seed)
    # Few different values, so that there are equals; some are no numbers.
    values = random.choice([*np.linspace(-2, 2, 9), NAN, INF, -INF], 12)
    objective = Objective("m", direction)
    assert objective.best(values.tolist()) == find_best(values.tolist(), direction)
    usable = np.flatnonzero(np.isfinite(values))
    turned = values[usable] if direction == "min" else -values[usable]
    order = usable[np.argsort(turned, kind="stable")]
    assert objective.rank(values.tolist()) == order.tolist()


@pytest.mark.parametrize("direction", ["max", "min"])
def test_nothing_finite_has_no_best(direction: Any) -> None:
    objective = Objective("m", direction)
    assert objective.best([NAN, INF, -INF, None]) is None
    for value in (NAN, INF, -INF, None):
        assert objective.is_better(0.0, value)
        assert not objective.is_better(value, 0.0)
        assert not objective.is_better(value, objective.worst)


@pytest.mark.parametrize(
    ("name", "value", "other", "margin", "better"),
    [
        ("val_loss", 0.4, 0.5, 0.0, True),
        ("val_loss", 0.5, 0.5, 0.0, False),
        ("val_loss", 0.4, 0.5, 0.2, False),
        ("val_accuracy", 0.5, 0.4, 0.0, True),
        ("val_accuracy", 0.75, 0.5, 0.25, False),
        ("val_accuracy", 0.75, 0.5, 0.2, True),
    ],
)
def test_better_by_more_than_a_margin(
    name: str, value: float, other: float, margin: float, better: bool
) -> None:
    objective = Objective(name, "auto")
    assert objective.is_better(value, other, by_more_than=margin) == better


# Everything that holds an objective, as: the best of the values that it is given.


def by_history(objective: Objective, values: Values, _: Path) -> float:
    epochs = [{objective.name: value} for value in values]
    history = History(epochs)
    return history.metrics_of(history.best_epoch(objective))[objective.name]


def by_manifest(objective: Objective, values: Values, _: Path) -> float:
    records = [
        Record(epoch=epoch, step=0, file=f"{epoch}", sha256="", value=value)
        for epoch, value in enumerate(values)
    ]
    direction: Any = objective.direction
    manifest = Manifest(monitor=objective.name, mode=direction, last=tuple(records))
    return float(manifest.ranked()[0].value or 0.0)


def save(store: CheckpointStore, epoch: int, value: float) -> None:
    arrays = {"model/00000/w": np.array([value], "float32")}
    position = Position(epoch, 0)
    store.save(TrainingState(arrays=arrays, position=position, history=[]), value=value)


def by_store(objective: Objective, values: Values, folder: Path) -> float:
    finite = [value for value in values if math.isfinite(value)]
    for epoch, value in enumerate(finite, start=1):
        save(CheckpointStore(folder, objective, keep=1), epoch, value)
    return finite[load_best(folder).position.epoch - 1]


def by_checkpoint(objective: Objective, values: Values, folder: Path) -> float:
    callback = Checkpoint(output_dir=folder, monitor=objective.name, keep=1)
    for epoch, value in enumerate(values, start=1):
        arrays = {"model/00000/w": np.zeros(1, "float32")}
        state = TrainingState(arrays=arrays, position=Position(epoch, 0), history=[])
        metrics = {objective.name: value}
        callback.end_epoch(epoch, metrics, lambda state=state: state, is_last=False)
    callback.close()
    return values[load_best(folder / job_files.CHECKPOINTS).position.epoch - 1]


def play(callback: Any, objective: Objective, values: Values) -> Any:
    callback.set_model(SimpleNamespace(stop_training=False))
    callback.set_params({"epochs": 99})
    callback.on_train_begin()
    for epoch, value in enumerate(values):
        callback.on_epoch_end(epoch, {objective.name: value})
    return callback


def by_early_stopping(objective: Objective, values: Values, _: Path) -> float:
    callback = EarlyStopping(monitor=objective.name, patience=99)
    return float(play(callback, objective, values).get_state()["best"])


def by_plateau(objective: Objective, values: Values, _: Path) -> float:
    callback = ReduceOnPlateau(monitor=objective.name, patience=99)
    return float(play(callback, objective, values).get_state()["best"])


def by_pruners(objective: Objective, values: Values, _: Path) -> float:
    def siblings(metric: str) -> Any:
        assert metric == objective.name
        return dict

    name = objective.name
    pruners: list[Any] = [
        MedianPruner(monitor=name, warmup_epochs=0, min_siblings=1, siblings=siblings),
        SuccessiveHalvingPruner(
            monitor=name, min_epochs=1, factor=2, siblings=siblings
        ),
    ]
    scores = [play(p, objective, values).get_state()["score"] for p in pruners]
    scores += scores_at({"a": values}, len(values), objective)
    (score,) = set(scores)
    return float(objective.sign * score)


def by_sweep(objective: Objective, values: Values, _: Path) -> float:
    results = [
        JobResult(name=str(value), status="FINISHED", objective=value)
        for value in values
    ]
    best = best_result(results, objective)
    assert best is not None
    assert sort_results(results, objective)[0] is best[0]
    return best[1]


def by_search(objective: Objective, values: Values, _: Path) -> float:
    trials = [
        Trial(
            proposal=Proposal(number=number, values={}),
            outcome=Outcome(end="complete", objective=value),
        )
        for number, value in enumerate(values)
    ]
    best = best_trial(trials, objective)
    assert best is not None
    assert rank_trials(trials, objective)[0] is best
    assert track_best(trials, objective)[-1][1] == best.objective
    return float(best.objective or 0.0)


CONSUMERS: list[Callable[[Objective, Values, Path], float]] = [
    by_history,
    by_manifest,
    by_store,
    by_checkpoint,
    by_early_stopping,
    by_plateau,
    by_pruners,
    by_sweep,
    by_search,
]


@pytest.mark.parametrize("values", LISTS, ids=str)
@pytest.mark.parametrize("name", ["val_loss", "val_accuracy"])
@pytest.mark.parametrize("consumer", CONSUMERS, ids=lambda c: c.__name__[3:])
def test_everything_takes_the_same_value_for_the_best(
    consumer: Callable[[Objective, Values, Path], float],
    name: str,
    values: Values,
    tmp_path: Path,
) -> None:
    best = values[find_best(values, DIRECTIONS[name])]
    assert consumer(Objective(name, "auto"), values, tmp_path) == best


@pytest.mark.parametrize("oracle", ["random", "bayesian", "hyperband", "grid"])
@pytest.mark.parametrize("name", ["val_loss", "val_accuracy"])
def test_oracles_seek_what_the_config_compares(
    check: Any, oracle: str, name: str
) -> None:
    from experiments.search.oracle.hyperparameters import declare
    from experiments.search.oracle.oracles import build_oracle

    plan = check(
        "hydra/sweeper=keras_tuner",
        "optimizer.lr=tag(log,interval(1e-5,1e-2))",
        f"hydra.sweeper.oracle={oracle}",
        f"hydra.sweeper.objective.name={name}",
        multirun=True,
    ).search
    space = declare(plan.space)
    built = build_oracle(plan.config, space, starts_with_default=False)
    assert (built.objective.name, built.objective.direction) == (
        name,
        DIRECTIONS[name],
    )


@pytest.mark.parametrize(
    "overrides",
    [
        ["trainer.monitor=val_loss"],
        ["callbacks.checkpoint.monitor=val_loss"],
        ["callbacks.early_stopping.monitor=val_loss"],
        ["callbacks=[default,plateau]", "callbacks.plateau.monitor=val_loss"],
        ["callbacks=[default,median_pruner]", "callbacks.pruner.monitor=val_loss"],
        ["callbacks=[default,halving_pruner]", "callbacks.pruner.monitor=val_loss"],
    ],
    ids=lambda overrides: overrides[-1],
)
def test_a_loss_is_minimised_wherever_it_is_named(
    check: Any, overrides: list[str]
) -> None:
    run = check(*overrides).run
    watched = [(run.trainer.monitor, run.trainer.monitor_mode)]
    watched += [
        (callback.monitor, callback.mode)
        for callback in run.callbacks.values()
        if hasattr(callback, "monitor")
    ]
    assert ("val_loss", "min") in watched
    assert {mode for name, mode in watched if name == "val_accuracy"} <= {"max"}


def test_direction_left_to_the_name_is_the_same_job(check: Any) -> None:
    from experiments.config.identity import identify

    assert identify(check().run) == identify(check("trainer.monitor_mode=max").run)
    losses = [
        check("trainer.monitor=val_loss", *more).run
        for more in ([], ["trainer.monitor_mode=min"])
    ]
    assert identify(losses[0]) == identify(losses[1]) != identify(check().run)
