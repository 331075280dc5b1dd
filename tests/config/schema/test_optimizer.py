import dataclasses
import inspect
from typing import Any

import pytest

from experiments.config.reading.convert import convert
from experiments.config.reading.fields import added_in
from experiments.config.schema.optimizer import OtherOptimizerConfig
from experiments.config.schema.optimizer_classes import OPTIMIZERS
from experiments.errors import ConfigError, Problem

NAMES = {
    "adam": "Adam",
    "adamw": "AdamW",
    "sgd": "SGD",
    "rmsprop": "RMSprop",
    "lion": "Lion",
    "adadelta": "Adadelta",
    "adagrad": "Adagrad",
    "adamax": "Adamax",
    "nadam": "Nadam",
    "ftrl": "Ftrl",
    "adafactor": "Adafactor",
    "muon": "Muon",
}
# What Keras exports beside them, and why it is no option.
NO_OPTIONS = {
    "Optimizer": "the base class",
    "LossScaleOptimizer": "trainer.precision=mixed_float16 wraps in it",
    "MultiOptimizer": "several optimizers at once",
    "Lamb": "optimizer=lamb is LAMB as published",
    "ScheduleFreeAdamW": "optimizer=schedule_free_adamw is as published",
}
# What the common keys and the trainer's become.
COMMON = {
    *("learning_rate", "weight_decay", "clipnorm", "clipvalue", "global_clipnorm"),
    *("use_ema", "ema_momentum", "ema_overwrite_frequency", "loss_scale_factor"),
    *("gradient_accumulation_steps", "name", "kwargs", "arguments"),
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


def test_every_optimizer_of_keras_is_an_option_or_has_a_reason_not_to_be() -> None:
    """After an upgrade: a new class wants a file, a schema and a line in `NAMES`."""
    import keras

    exported = {
        name
        for name, member in inspect.getmembers(keras.optimizers, inspect.isclass)
        if issubclass(member, keras.optimizers.Optimizer)
    }
    assert exported == {*NAMES.values(), *NO_OPTIONS}


@pytest.mark.parametrize("option", [*NAMES, "lamb", "schedule_free_adamw"])
def test_own_keys_are_all_arguments_of_the_class(option: str, compose: Any) -> None:
    """After an upgrade: a new argument wants a key, with Keras' value as `before`."""
    from experiments.config.code.targets import resolve

    config = compose(f"optimizer={option}").optimizer
    common = {field.name for field in dataclasses.fields(OtherOptimizerConfig)}
    kind = resolve(config._target_, key="optimizer", allowed=["experiments", "keras"])
    arguments = inspect.signature(kind).parameters

    assert set(config.arguments()) - common == set(arguments) - COMMON


@pytest.mark.parametrize("option", NAMES)
def test_a_key_that_was_added_was_keras_value(option: str, compose: Any) -> None:
    """Who had such a file of their own without the key trained with that value."""
    import keras

    schema = type(compose(f"optimizer={option}").optimizer)
    arguments = inspect.signature(getattr(keras.optimizers, NAMES[option])).parameters
    common = {field.name for field in dataclasses.fields(OtherOptimizerConfig)}
    for field in dataclasses.fields(schema):
        added = added_in(field)
        if added is not None and field.name not in common:
            assert added.before == arguments[field.name].default, field.name


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("optimizer.lr=0", "optimizer.lr must be a number > 0"),
        ("optimizer.lr=-1e-3", "optimizer.lr must be a number > 0"),
        ("optimizer.beta_1=1", "optimizer.beta_1 must be a number >= 0 and < 1"),
        ("+optimizer.momentum=0.9", "optimizer.momentum is not a key"),
        ("optimizer.weight_decay=-1", "optimizer.weight_decay must be"),
        ("optimizer.beta_1=fast", "optimizer.beta_1 must be a number >= 0 and < 1"),
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


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("nadam optimizer.beta_1=fast", "beta_1 must be a number >= 0 and < 1"),
        ("muon optimizer.ns_steps=0", "ns_steps must be an integer >= 1"),
        ("adafactor optimizer.beta_2_decay=0.8", "beta_2_decay must be a number < 0"),
        ("ftrl optimizer.weight_decay=0.1", "makes the weights anew from its sums"),
        ("schedule_free_adamw optimizer.ema_momentum=0.9", "keeps an average itself"),
    ],
)
def test_what_an_optimizer_cannot_do_is_refused(
    words: str, message: str, compose: Any
) -> None:
    with pytest.raises(ConfigError, match=message):
        compose(*f"optimizer={words}".split())


OTHER = {
    "_target_": "my_components.Optimizer",
    "lr": 1e-3,
    "weight_decay": None,
    "decay_norm_and_bias": False,
    "clip_norm": None,
    "global_clip_norm": None,
    "clip_value": None,
    "ema_momentum": None,
    "layer_decay": None,
    "stem_lr_factor": None,
    "lr_factors": None,
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
