"""What callbacks are asked for, and what they need not have."""

from typing import Any

import keras
import pytest

from experiments.config.kinds.objective import Objective
from experiments.training.callbacks.abilities import (
    BestKeeper,
    ClosingCallback,
    JudgingCallback,
    PruningCallback,
    StatefulCallback,
    close_all,
    find_keeper,
    find_objective,
    find_pruned,
    gather_states,
)
from experiments.training.callbacks.checkpoint import Checkpoint
from experiments.training.callbacks.early_stopping import EarlyStopping
from experiments.training.callbacks.plateau import ReduceOnPlateau
from experiments.training.callbacks.pruning import MedianPruner

OURS = [
    (Checkpoint, {BestKeeper, ClosingCallback, JudgingCallback}),
    (EarlyStopping, {StatefulCallback}),
    (ReduceOnPlateau, {StatefulCallback}),
    (MedianPruner, {StatefulCallback, PruningCallback}),
]
ALL = {
    BestKeeper,
    ClosingCallback,
    JudgingCallback,
    PruningCallback,
    StatefulCallback,
}
OPTIONS: dict[type, dict[str, Any]] = {
    EarlyStopping: {"patience": 1},
    MedianPruner: {"warmup_epochs": 1, "min_siblings": 1},
}


class Whole:
    """Has everything, and inherits nothing."""

    def __init__(self, pruned: str | None = None) -> None:
        self.pruned = pruned
        self.objective = Objective("val_loss", "min")
        self.closed = 0

    def get_state(self) -> Any:
        return {"closed": self.closed}

    def set_state(self, state: Any) -> None:
        self.closed = state["closed"]

    def close(self) -> None:
        self.closed += 1

    def load_best(self, model: Any) -> int:
        return 3


@pytest.mark.parametrize(("kind", "expected"), OURS)
def test_our_callbacks_have_what_their_class_says(
    kind: type, expected: set[type], tmp_path: Any
) -> None:
    options = {"monitor": "val_loss", **OPTIONS.get(kind, {})}
    if kind is Checkpoint:
        options["output_dir"] = tmp_path
    callback = kind(**options)
    assert {ability for ability in ALL if isinstance(callback, ability)} == expected


@pytest.mark.parametrize(
    "callback",
    [
        keras.callbacks.Callback(),
        keras.callbacks.EarlyStopping(),
        keras.callbacks.ReduceLROnPlateau(),
        keras.callbacks.LambdaCallback(on_epoch_end=print),
    ],
    ids=lambda callback: type(callback).__name__,
)
def test_callbacks_of_keras_need_none_of_it(callback: Any) -> None:
    callbacks = {"it": callback}
    assert gather_states(callbacks) == {}
    assert find_keeper(callbacks) is None
    assert find_pruned(callbacks) is None
    close_all(callbacks)


def test_a_strangers_callback_is_asked_for_all_that_it_has() -> None:
    whole = Whole(pruned="hopeless")
    callbacks = {"plain": keras.callbacks.Callback(), "whole": whole}
    assert gather_states(callbacks) == {"whole": {"closed": 0}}
    assert find_keeper(callbacks) is whole
    assert find_pruned(callbacks) == "hopeless"
    close_all(callbacks)
    assert whole.closed == 1


def test_the_first_keeper_and_the_first_reason_count() -> None:
    first, second = Whole(), Whole(pruned="hopeless")
    callbacks = {"first": first, "second": second}
    assert find_keeper(callbacks) is first
    assert find_pruned(callbacks) == "hopeless"


def test_a_keeper_need_not_judge() -> None:
    class Keeper:
        def load_best(self, model: Any) -> int:
            return 1

    keeper = Keeper()
    assert find_keeper({"keeper": keeper}) is keeper
    assert find_objective(keeper) is None
    assert find_objective(Whole()) == Objective("val_loss", "min")


def test_a_state_that_cannot_be_taken_up_is_not_kept() -> None:
    class Half:
        def get_state(self) -> int:
            return 1

    assert gather_states({"half": Half()}) == {}
