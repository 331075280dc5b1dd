import dataclasses
import inspect
from typing import Any

import pytest

from experiments.config.convert import convert
from experiments.config.schema.optimizer import OPTIMIZERS, OtherOptimizerConfig
from experiments.errors import ConfigError, Problem

NAMES = {
    "adam": "Adam",
    "adamw": "AdamW",
    "sgd": "SGD",
    "rmsprop": "RMSprop",
    "lion": "Lion",
}


@pytest.mark.parametrize("option", NAMES)
def test_each_option_names_its_keras_class(option: str, compose: Any) -> None:
    config = compose(f"optimizer={option}").optimizer

    assert config._target_ == f"keras.optimizers.{NAMES[option]}"
    assert type(config) is OPTIMIZERS[config._target_]


def test_default_is_the_notebooks_adam(compose: Any) -> None:
    assert compose().optimizer.arguments() == {
        "lr": 1e-4,
        "weight_decay": None,
        "decay_norm_and_bias": False,
        "clip_norm": None,
        "global_clip_norm": None,
        "clip_value": None,
        "ema_momentum": None,
        "beta_1": 0.9,
        "beta_2": 0.999,
        "epsilon": 1e-7,
        "amsgrad": False,
    }


@pytest.mark.parametrize("option", NAMES)
def test_own_keys_are_arguments_of_the_keras_class(option: str, compose: Any) -> None:
    import keras

    config = compose(f"optimizer={option}").optimizer
    common = {field.name for field in dataclasses.fields(OtherOptimizerConfig)}

    own = set(config.arguments()) - common

    accepted = inspect.signature(getattr(keras.optimizers, NAMES[option])).parameters
    assert own <= set(accepted)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("optimizer.lr=0", "optimizer.lr must be a number > 0"),
        ("optimizer.lr=-1e-3", "optimizer.lr must be a number > 0"),
        ("optimizer.beta_1=1", "optimizer.beta_1 must be a number >= 0 and < 1"),
        ("+optimizer.momentum=0.9", "optimizer.momentum is not a key"),
        ("optimizer.weight_decay=-1", "optimizer.weight_decay must be"),
    ],
)
def test_bad_value_is_refused_with_its_key(
    override: str, message: str, compose: Any
) -> None:
    with pytest.raises(ConfigError, match=message):
        compose(override)


def test_two_kinds_of_clipping_are_refused(compose: Any) -> None:
    with pytest.raises(ConfigError, match="clip_value cannot be combined with clip_n"):
        compose("optimizer.clip_norm=1", "optimizer.clip_value=1")


def test_adamw_cannot_do_without_decay(compose: Any) -> None:
    with pytest.raises(ConfigError, match=r"optimizer.weight_decay must be a number"):
        compose("optimizer=adamw", "optimizer.weight_decay=null")


OTHER = {
    "_target_": "keras.optimizers.Adafactor",
    "lr": 1e-3,
    "weight_decay": None,
    "decay_norm_and_bias": False,
    "clip_norm": None,
    "global_clip_norm": None,
    "clip_value": None,
    "ema_momentum": None,
    "beta_2_decay": -0.8,
}


def test_any_other_optimizer_needs_no_python() -> None:
    problems: list[Problem] = []

    config = convert(OTHER, OtherOptimizerConfig, key="optimizer", problems=problems)

    assert problems == []
    assert config.arguments()["beta_2_decay"] == -0.8


@pytest.mark.parametrize("steps", [4, None])
def test_accumulation_by_the_optimizer_is_refused(steps: int | None) -> None:
    node = {**OTHER, "gradient_accumulation_steps": steps}
    problems: list[Problem] = []

    convert(node, OtherOptimizerConfig, key="optimizer", problems=problems)

    assert bool(problems) is (steps is not None)
    for problem in problems:
        assert problem.key == "optimizer.gradient_accumulation_steps"
        assert "trainer.accumulate_steps" in str(problem)
