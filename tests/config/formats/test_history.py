import importlib
from typing import Any

import pytest

from experiments.config.code.authority import COMPONENTS, check_name
from experiments.config.formats import history
from experiments.config.formats.history import (
    STEPS,
    Step,
    first_all,
    first_key,
    first_target,
    first_word,
    name_all,
    name_key,
    name_target,
    name_values,
    name_word,
)
from experiments.records import FORMAT

# Every `_target_` of the project that `conf/` named in format 1.
TARGETS = [
    "experiments.data.augment.flip_crop.FlipCrop",
    "experiments.data.augment.inception_crop.InceptionCrop",
    "experiments.data.augment.none.no_augment",
    "experiments.data.cifar10.load_cifar10",
    "experiments.data.cifar100.load_cifar100",
    "experiments.data.digits.load_digits",
    "experiments.data.fashion_mnist.load_fashion_mnist",
    "experiments.data.folder.load_folder",
    "experiments.data.imagenet.load_imagenet",
    "experiments.data.mnist.load_mnist",
    "experiments.data.synthetic.make_synthetic",
    "experiments.models.resnet.build_resnet",
    "experiments.tasks.reproduce.reproduce",
    "experiments.tasks.sync.sync",
    "experiments.tasks.train.train",
    "experiments.training.callbacks.LearningRateMonitor",
    "experiments.training.callbacks.TerminateOnNaN",
    "experiments.training.checkpoint.Checkpoint",
    "experiments.training.early_stopping.EarlyStopping",
    "experiments.training.plateau.ReduceOnPlateau",
    "experiments.training.pruning.MedianPruner",
    "experiments.training.pruning.SuccessiveHalvingPruner",
    "experiments.training.schedules.ConstantSchedule",
    "experiments.training.schedules.CosineSchedule",
    "experiments.training.schedules.PolynomialSchedule",
    "experiments.training.schedules.StepSchedule",
    "experiments.training.tensorboard.TensorBoard",
    "experiments.training.timing.Timing",
    "hydra_plugins.experiments_keras_tuner.sweeper.KerasTunerSweeper",
]
OLD = {
    "trainer": {"oom": "error", "epochs": 3},
    "callbacks": {
        "first": {"_target_": "old.Stop", "patience": 3},
        "second": {"_target_": "old.Lower", "patience": 4},
        "third": {"_target_": "kept.Watch"},
    },
    "models": [{"_target_": "old.Stop"}],
    "patience": 5,
}
NEW = {
    "trainer": {"epochs": 3},
    "memory": {"when_short": "error"},
    "callbacks": {
        "first": {"_target_": "new.Stop", "epochs": 3},
        "second": {"_target_": "newer.Lower", "epochs": 4},
        "third": {"_target_": "kept.Watch"},
    },
    "models": [{"_target_": "new.Stop"}],
    "patience": 5,
}


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two formats more: what the second one renames, the first one had renamed."""
    made = {
        FORMAT + 1: Step(
            renamed={
                "trainer.oom": "memory.oom",
                "callbacks.*.patience": "callbacks.*.n",
            },
            moved={"old.Stop": "new.Stop", "old.Lower": "new.Lower"},
        ),
        FORMAT + 2: Step(
            renamed={
                "memory.oom": "memory.when_short",
                "callbacks.*.n": "callbacks.*.epochs",
            },
            moved={"new.Lower": "newer.Lower"},
        ),
    }
    monkeypatch.setattr(history, "FORMAT", FORMAT + 2)
    monkeypatch.setattr(history, "STEPS", made)


@pytest.mark.parametrize("target", TARGETS)
def test_component_of_format_1_is_one_today(target: str) -> None:
    now = name_target(target)
    module, _, name = now.rpartition(".")
    assert callable(getattr(importlib.import_module(module), name))
    assert any(now in known for known in COMPONENTS.values())
    assert first_target(now) == target


def test_every_step_is_of_a_format_and_leads_back() -> None:
    assert all(1 < number <= FORMAT for number in STEPS)
    for step in STEPS.values():
        for names in (step.renamed, step.moved):
            assert len(set(names.values())) == len(names)


@pytest.mark.usefixtures("steps")
def test_recorded_config_has_the_names_of_today_and_back() -> None:
    assert name_all(OLD, FORMAT) == NEW
    assert first_all(NEW) == OLD


@pytest.mark.usefixtures("steps")
def test_record_of_the_format_between_is_led_on_from_there() -> None:
    between = {"memory": {"oom": "error"}, "a": {"_target_": "new.Lower"}}
    assert name_all(between, FORMAT + 1) == {
        "memory": {"when_short": "error"},
        "a": {"_target_": "newer.Lower"},
    }
    assert name_all(NEW, FORMAT + 2) == NEW


@pytest.mark.usefixtures("steps")
@pytest.mark.parametrize(
    ("first", "now"),
    [
        ("trainer.oom", "memory.when_short"),
        ("trainer.oom.below", "memory.when_short.below"),
        ("trainer.oomph", "trainer.oomph"),
        ("callbacks.stop.patience", "callbacks.stop.epochs"),
        ("patience", "patience"),
        ("model", "model"),
    ],
)
def test_key_is_found_by_its_former_name(first: str, now: str) -> None:
    assert name_key(first) == now
    assert first_key(now) == first


@pytest.mark.usefixtures("steps")
@pytest.mark.parametrize(
    ("first", "now"),
    [
        ("trainer.oom=error", "memory.when_short=error"),
        ("++trainer.oom=[a=b]", "++memory.when_short=[a=b]"),
        ("~trainer.oom", "~memory.when_short"),
        ("callbacks.x._target_=old.Lower", "callbacks.x._target_=newer.Lower"),
        ("model.old=old.Lower", "model.old=old.Lower"),
    ],
)
def test_override_is_typed_by_the_names_of_today(first: str, now: str) -> None:
    assert name_word(first) == now
    assert first_word(now) == first


@pytest.mark.usefixtures("steps")
def test_values_by_key_keep_their_order() -> None:
    values = {"trainer.oom": "x", "a._target_": "old.Stop", "b": "old.Stop"}
    named = {"memory.when_short": "x", "a._target_": "new.Stop", "b": "old.Stop"}
    assert list(name_values(values, FORMAT).items()) == list(named.items())


@pytest.mark.parametrize("damaged", [None, [], "text", {"trainer": 3}, {3: {4: []}}])
@pytest.mark.usefixtures("steps")
def test_damaged_config_stays_as_it_is(damaged: Any) -> None:
    assert name_all(damaged, FORMAT) == damaged


def test_former_path_of_a_component_is_answered_with_the_present_one() -> None:
    problem = check_name(
        "experiments.models.resnet.build_resnet", ["experiments"], key="model"
    )
    assert problem is not None
    now = "experiments.models.resnet.builder.build_resnet"
    assert problem.hint == f"It has moved: write {now}."
