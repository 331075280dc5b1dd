from dataclasses import replace
from typing import Any

import pytest

from experiments.command.plan import check_command_line
from experiments.config.checks.consistency import check_consistency
from experiments.config.schema.callbacks import CustomCallbackConfig
from experiments.config.schema.schedule import CustomScheduleConfig
from tests.conftest import CONF


@pytest.fixture(scope="module")
def default() -> Any:
    return check_command_line([], config_dir=CONF).run


@pytest.fixture
def find(default: Any) -> Any:
    """Returns the contradictions after changing keys of groups, or whole groups."""

    def find(**changes: Any) -> list[str]:
        values = {
            name: replace(getattr(default, name), **change)
            if isinstance(change, dict) and name != "callbacks"
            else change
            for name, change in changes.items()
        }
        return [
            str(problem) for problem in check_consistency(replace(default, **values))
        ]

    return find


def own_callback(target: str) -> dict[str, Any]:
    return {"own": CustomCallbackConfig(_target_=target, extra={})}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"trainer": {"monitor": "val_loss", "monitor_mode": "min"}},
        {"trainer": {"monitor": "loss", "monitor_mode": "min"}},
        {"trainer": {"epochs": 2}, "schedule": {"warmup_epochs": 1.5}},
        {"trainer": {"epochs": 1}, "schedule": {"warmup_epochs": 0.0}},
        {"trainer": {"jit": True}},
        {"trainer": {"jit": "auto", "deterministic": True}},
        {"trainer": {"jit": False, "deterministic": True}},
        {"trainer": {"max_steps_per_epoch": 20, "steps_per_execution": 10}},
        {"trainer": {"max_steps_per_epoch": None, "steps_per_execution": 7}},
        {"backend": "jax"},
        {"backend": "jax", "trainer": {"jit": True, "deterministic": True}},
        {"backend": "jax", "trainer": {"onednn": False}},
        {"gpu": "cpu"},
        {"gpu": "auto", "trainer": {"precision": "mixed_bfloat16"}},
        {"gpu": 0, "trainer": {"precision": "mixed_float16"}},
        {"dataset": {"image_size": None}},
    ],
    ids=str,
)
def test_what_goes_together_is_accepted(find: Any, changes: dict[str, Any]) -> None:
    assert find(**changes) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"trainer": {"monitor": "val_acuracy"}},
            "trainer.monitor must be one of val_loss, val_accuracy, val_top5_accuracy, "
            "loss, accuracy, top5_accuracy. Received: 'val_acuracy'. "
            "Did you mean `val_accuracy`?",
        ),
        (
            {"trainer": {"monitor": "loss"}},
            "trainer.monitor_mode must be min for loss. Received: max.",
        ),
        (
            {"trainer": {"monitor_mode": "min"}},
            "trainer.monitor_mode must be max for val_accuracy. Received: min.",
        ),
        (
            {"trainer": {"epochs": 2}, "schedule": {"warmup_epochs": 2.0}},
            "schedule.warmup_epochs must be less than trainer.epochs=2. Received: 2. "
            "Type schedule.warmup_epochs=0, or train longer: trainer.epochs=3.",
        ),
        (
            {"trainer": {"jit": True, "deterministic": True}},
            "trainer.jit cannot be true with trainer.deterministic=true: TensorFlow's "
            "determinism switches XLA off. Type trainer.jit=false, or "
            "trainer.deterministic=false.",
        ),
        (
            {"trainer": {"max_steps_per_epoch": 20, "steps_per_execution": 6}},
            "trainer.steps_per_execution must divide trainer.max_steps_per_epoch=20. "
            "Received: 6. Type trainer.steps_per_execution=2.",
        ),
        (
            {"backend": "jax", "trainer": {"onednn": True}},
            "trainer.onednn must be auto or false with backend=jax: oneDNN is "
            "TensorFlow's. Received: true. Type trainer.onednn=auto.",
        ),
        (
            {"backend": "jax", "trainer": {"threads": 2}},
            "trainer.threads must be null with backend=jax, which takes all cores it "
            "may use. Received: 2. Type trainer.threads=null; for fewer, taskset "
            "-c 0-3 python run.py ...",
        ),
        (
            {"gpu": "cpu", "trainer": {"precision": "mixed_float16"}},
            "trainer.precision must be float32 with gpu=cpu: a CPU is several times "
            "slower with half precision. Received: mixed_float16. "
            "Type trainer.precision=float32.",
        ),
        (
            {"model": {"stem": "notebook"}, "dataset": {"image_size": 4}},
            "model.stem notebook leaves nothing of an image of 4 pixels. "
            "Type model.stem=cifar, or dataset.image_size=5.",
        ),
        (
            {"model": {"head": "notebook"}, "dataset": {"image_size": 8}},
            "model.head must be average or max when the last maps are 1 x 1, because "
            "notebook pools 2 x 2. Received: notebook, with images of 8 pixels. "
            "Type model.head=average, or dataset.image_size=9.",
        ),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_contradiction_is_told_with_its_key(
    find: Any, changes: dict[str, Any], message: str
) -> None:
    assert find(**changes) == [message]


def test_every_contradiction_is_told(find: Any) -> None:
    found = find(
        gpu="cpu",
        schedule={"warmup_epochs": 9.0},
        trainer={"monitor_mode": "min", "precision": "mixed_float16"},
    )
    keys = [message.partition(" ")[0] for message in found]
    assert keys == [
        "trainer.monitor_mode",
        "schedule.warmup_epochs",
        "trainer.precision",
    ]


@pytest.mark.parametrize(
    ("target", "accepted"),
    [
        ("mine.F1Score", True),
        ("experiments.training.callbacks.monitors.Timing", False),
        ("keras.callbacks.CSVLogger", False),
    ],
)
def test_only_a_callback_of_ones_own_may_bring_an_unknown_metric(
    find: Any, target: str, accepted: bool
) -> None:
    found = find(trainer={"monitor": "val_f1"}, callbacks=own_callback(target))
    assert (found == []) == accepted


def test_a_metric_of_ones_own_needs_a_direction(find: Any) -> None:
    trainer = {"monitor": "val_kappa", "monitor_mode": "auto"}
    (found,) = find(trainer=trainer, callbacks=own_callback("mine.F1Score"))
    assert found.startswith("trainer.monitor must be one of val_loss, ")
    assert "or a metric that a callback of your own adds, with its direction." in found
    assert found.endswith("Set trainer.monitor_mode to max or min.")


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"monitor": "val_loss"}, None),
        ({"monitor": "val_loss", "mode": "auto"}, None),
        ({"patience": 3}, None),
        (
            {"monitor": "val_los"},
            "callbacks.own.monitor must be one of val_loss, val_accuracy, "
            "val_top5_accuracy, loss, accuracy, top5_accuracy. Received: 'val_los'. "
            "Did you mean `val_loss`?",
        ),
        (
            {"monitor": "val_loss", "mode": "max"},
            "callbacks.own.mode must be min for val_loss. Received: max.",
        ),
    ],
)
def test_a_callback_of_keras_monitors_what_there_is(
    find: Any, keys: dict[str, Any], message: str | None
) -> None:
    own = {"own": CustomCallbackConfig(_target_="keras.callbacks.X", extra=keys)}
    assert find(callbacks=own) == ([] if message is None else [message])


def test_top5_needs_more_classes_than_ten(compose: Any) -> None:
    run = compose("dataset=cifar100", "trainer.monitor=val_top5_accuracy")
    assert run.trainer.monitor_mode == "max"


def test_schedule_of_ones_own_is_not_asked_for_its_warmup(find: Any) -> None:
    own = CustomScheduleConfig(_target_="mine.Warm", extra={"warmup_epochs": 99})
    assert find(schedule=own) == []


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("evaluate_test", False, "task.evaluate_test must be true with dataset.folds"),
        ("predictions", "none", "task.predictions must be test or all with dataset."),
    ],
)
def test_fold_that_would_not_be_scored_is_refused(
    find: Any, key: str, value: object, told: str
) -> None:
    folds = {"folds": 5, "fold": 2}
    (problem,) = find(dataset=folds, task={key: value})
    assert problem.startswith(told)
    assert not find(dataset=folds)
    assert not find(task={key: value})
