from typing import Any

import pytest

from experiments.config.identity import identify
from experiments.config.schema.callbacks import CALLBACKS, CustomCallbackConfig
from experiments.errors import ConfigError

PRUNERS = ["median_pruner", "halving_pruner"]
# Those that add metrics come before those that read them.
DEFAULT = ["timing", "lr_monitor", "terminate_on_nan", "checkpoint", "early_stopping"]


def test_default_callbacks_are_in_the_order_they_need(compose: Any) -> None:
    assert list(compose().callbacks) == DEFAULT


def test_tensorboard_is_added_by_name(compose: Any) -> None:
    callbacks = compose("callbacks=[default,tensorboard]").callbacks

    assert list(callbacks) == [*DEFAULT, "tensorboard"]


@pytest.mark.parametrize("name", DEFAULT)
def test_a_callback_is_left_out_by_name(name: str, compose: Any) -> None:
    callbacks = compose(f"callbacks.{name}=null").callbacks

    assert [key for key, value in callbacks.items() if value is not None] == [
        other for other in DEFAULT if other != name
    ]


def test_monitored_metric_has_one_source(compose: Any) -> None:
    callbacks = compose(
        "trainer.monitor=val_loss", "trainer.monitor_mode=min"
    ).callbacks

    for name in ("checkpoint", "early_stopping"):
        assert (callbacks[name].monitor, callbacks[name].mode) == ("val_loss", "min")


def test_each_schema_is_used(compose: Any) -> None:
    everything = [
        config
        for pruner in PRUNERS
        for config in compose(
            f"callbacks=[default,plateau,tensorboard,learnt,{pruner}]"
        ).callbacks.values()
    ]

    assert {config._target_ for config in everything} == set(CALLBACKS)


@pytest.mark.parametrize("name", PRUNERS)
def test_pruner_watches_what_the_job_is_judged_by(name: str, compose: Any) -> None:
    pruner = compose(
        f"callbacks=[default,{name}]",
        "trainer.monitor=val_loss",
        "trainer.monitor_mode=min",
    ).callbacks["pruner"]

    assert (pruner.monitor, pruner.mode) == ("val_loss", "min")


def test_a_job_that_may_be_pruned_is_another_job(compose: Any) -> None:
    """Its result may be the beginning of the whole one's only."""
    whole = compose()
    pruned = compose("callbacks=[default,median_pruner]")
    assert identify(pruned) != identify(whole)


def test_two_pruners_at_once_are_refused(compose: Any) -> None:
    with pytest.raises(ConfigError, match=r"callbacks\.pruner"):
        compose("callbacks=[default,median_pruner,halving_pruner]")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("callbacks.checkpoint.every_epochs=0", "every_epochs must be an integer >= 1"),
        (
            "+callbacks.checkpoint.evry_epochs=2",
            "Did you mean `callbacks.checkpoint.every_epochs`",
        ),
        ("callbacks.early_stopping.patience=0", "patience must be an integer >= 1"),
    ],
)
def test_bad_value_is_refused_with_its_key(
    override: str, message: str, compose: Any
) -> None:
    with pytest.raises(ConfigError, match=message):
        compose(override)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("median_pruner", "warmup_epochs=-1", "warmup_epochs must be an integer >= 0"),
        ("median_pruner", "min_siblings=0", "min_siblings must be an integer >= 1"),
        ("halving_pruner", "min_epochs=0", "min_epochs must be an integer >= 1"),
        ("halving_pruner", "factor=1", "factor must be an integer >= 2"),
    ],
)
def test_bad_value_of_a_pruner_is_refused(
    name: str, value: str, message: str, compose: Any
) -> None:
    with pytest.raises(ConfigError, match=message):
        compose(f"callbacks=[default,{name}]", f"callbacks.pruner.{value}")


def test_a_callback_of_ones_own_brings_its_own_keys(compose: Any) -> None:
    config = compose(
        "+callbacks.mine={_target_: keras.callbacks.CSVLogger, filename: log.csv}"
    ).callbacks["mine"]

    assert type(config) is CustomCallbackConfig
    assert config.arguments() == {"filename": "log.csv"}
