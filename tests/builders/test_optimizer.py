"""Rates as they are told before a training, and as its optimizers have them."""

from typing import Any

import pytest

from experiments.builders.model import compile_phase
from experiments.builders.optimizer import find_rates
from experiments.runtime.devices import Devices
from experiments.training.callbacks.monitors import rate_at

OPTIONS = {"steps_per_epoch": 4, "devices": Devices(())}


def test_rates_that_are_told_are_those_of_each_phase(built: Any) -> None:
    """Each phase warms up and falls from its own peak, over its own epochs."""
    run, dataset, model = built(
        "trainer.epochs=5",
        "optimizer.lr=0.01",
        "schedule.warmup_epochs=0.5",
        "trainer.phases=[{epochs: 2, freeze: all, lr: 0.1}, {lr_factor: 0.5}]",
    )
    rate = find_rates(run, 4)
    for number, first, last in ((0, 0, 8), (1, 8, 20)):
        compile_phase(run, model, number, dataset=dataset, **OPTIONS)
        told = [rate(step) for step in range(first, last)]
        own = [rate_at(model.optimizer, step) for step in range(last - first)]
        assert told == own
        assert max(told) == pytest.approx((0.1, 0.005)[number], rel=0.03)
        assert told[0] == pytest.approx(told[2] / 10)


def test_phase_freezes_what_it_names_and_keeps_the_weights(built: Any) -> None:
    run, dataset, model = built(
        "schedule.warmup_epochs=0",
        "trainer.phases=[{epochs: 2, freeze: all}, {freeze: conv1}]",
    )
    assert {v.path.split("/")[-2] for v in model.trainable_variables} == {"predictions"}
    before = [v.numpy() for v in model.weights]
    compile_phase(run, model, 1, dataset=dataset, **OPTIONS)
    names = {v.path.split("/")[-2] for v in model.trainable_variables}
    assert {"conv2_block1_1_conv", "predictions"} < names
    assert not {"conv1_conv", "conv1_bn"} & names
    for variable, value in zip(model.weights, before, strict=True):
        assert (variable.numpy() == value).all()


def test_layers_have_rates_of_their_own(built: Any) -> None:
    """The first step of Adam is its rate, whatever the gradient."""
    import tensorflow as tf

    _, _, model = built(
        "optimizer.lr=0.01", "schedule=constant", "optimizer.layer_decay=0.5"
    )
    before = [v.numpy() for v in model.trainable_variables]
    gradients = [tf.ones(v.shape) for v in model.trainable_variables]
    model.optimizer.apply(gradients, model.trainable_variables)
    for variable, start in zip(model.trainable_variables, before, strict=True):
        stage = variable.path.split("/")[-2].partition("_")[0]
        factor = {"conv1": 0.25, "conv2": 0.5, "predictions": 1.0}[stage]
        assert (start - variable.numpy()).mean() == pytest.approx(
            0.01 * factor, rel=1e-3
        )
