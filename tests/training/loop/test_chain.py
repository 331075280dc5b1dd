from collections.abc import Callable
from typing import Any

import pytest

from experiments.errors import ExperimentError
from experiments.training.callbacks.early_stopping import EarlyStopping
from experiments.training.callbacks.plateau import ReduceOnPlateau
from experiments.training.callbacks.pruning import MedianPruner
from experiments.training.callbacks.timing import Timing
from experiments.training.loop.chain import restore_memory

MONITOR: dict[str, Any] = {"monitor": "val_loss"}
MEMORIES: dict[str, tuple[Callable[[], Any], dict[str, Any]]] = {
    "early_stopping": (
        lambda: EarlyStopping(**MONITOR, patience=2),
        {"wait": 1.0, "best": 0.5, "best_epoch": 2.0, "stopped_epoch": 0.0},
    ),
    "plateau": (
        lambda: ReduceOnPlateau(**MONITOR, factor=0.5, patience=2),
        {"best": 0.5, "wait": 1, "product": 1.0},
    ),
    "pruner": (
        lambda: MedianPruner(**MONITOR, warmup_epochs=1, min_siblings=1),
        {"score": -0.5, "pruned": None},
    ),
    "timing": (lambda: Timing(batch_size=4), {"seconds": 1.5, "steps": 3}),
}
NAMES = pytest.mark.parametrize("name", MEMORIES)


@NAMES
def test_memory_of_each_callback_comes_back(name: str) -> None:
    make, memory = MEMORIES[name]
    callback = make()

    restore_memory({name: callback}, {name: memory})

    assert callback.get_state() == memory


@NAMES
@pytest.mark.parametrize("damage", [None, [], "text", 3, {}], ids=str)
def test_memory_of_another_kind_is_named(name: str, damage: Any) -> None:
    make, _ = MEMORIES[name]

    with pytest.raises(ExperimentError, match=rf"callbacks.{name} .*fresh=true"):
        restore_memory({name: make()}, {name: damage})


@NAMES
@pytest.mark.parametrize("value", [[], {}, "x"], ids=str)
def test_memory_with_values_of_another_kind_is_named(name: str, value: Any) -> None:
    make, memory = MEMORIES[name]

    for key in memory.keys() - ({"pruned"} if value == "x" else set()):
        with pytest.raises(ExperimentError, match=rf"callbacks.{name} .*`{key}`"):
            restore_memory({name: make()}, {name: {**memory, key: value}})


@pytest.mark.parametrize("product", [0.0, -1.0, 1.5, float("nan"), float("inf")])
def test_factor_of_the_rate_is_a_share(product: float) -> None:
    make, memory = MEMORIES["plateau"]

    with pytest.raises(ExperimentError, match="`product` must be more than 0"):
        restore_memory({"plateau": make()}, {"plateau": {**memory, "product": product}})
