import sys
from typing import Any

import keras
import numpy as np
import pytest

from experiments.builders.data import (
    build_dataset,
    build_pipelines,
)
from experiments.builders.model import (
    Images,
    _check_gradients,
    _check_head,
    build_model,
    normalise_inside,
)
from experiments.errors import ConfigError
from experiments.runtime.devices import Devices
from experiments.speedups import convolution
from tests.tiny import TINY
from tests.warm import run_to_the_end

CPU = Devices(())


def test_model_takes_images_as_stored_and_normalises_inside(built: Any) -> None:
    _, dataset, model = built()
    assert model.input.dtype == "uint8"
    images = np.random.default_rng(0).integers(0, 256, (4, 16, 16, 3), "uint8")
    network = model.layers[-1]
    mean, std = np.array(dataset.mean), np.array(dataset.std)
    normalised = ((images / 255 - mean) / std).astype("float32")
    np.testing.assert_allclose(model(images), network(normalised), rtol=1e-4, atol=1e-5)


def test_network_begins_with_what_it_is_given_and_prepares_images_as_it_is_told(
    check: Any,
) -> None:
    run = check(*TINY).run
    images = Images.of(build_dataset(run), mean=(0.5, 0.25, 0), std=(0.5, 0.25, 1))

    def begin(network: Any) -> None:
        for variable in network.weights:
            variable.assign(variable * 0 + 2)

    model = build_model(run, images, steps_per_epoch=1, devices=CPU, begin=begin)
    assert all((np.array(variable) == 2).all() for variable in model.weights)
    prepare = keras.Model(model.input, model.get_layer("normalise").output)
    white = np.full((1, 16, 16, 3), 255, "uint8")
    np.testing.assert_allclose(prepare(white)[0, 0, 0], [1, 3, 1], rtol=1e-6)


def test_optimizer_has_the_rate_the_schedule_and_the_class_of_the_config(
    built: Any,
) -> None:
    _, _, model = built(
        "optimizer=sgd",
        "optimizer.lr=0.2",
        "optimizer.nesterov=true",
        "schedule=constant",
        "trainer.batch_size=4",
        "trainer.reference_batch_size=16",
    )
    assert isinstance(model.optimizer, keras.optimizers.SGD)
    assert model.optimizer.nesterov
    assert float(model.optimizer.learning_rate) == pytest.approx(0.05)


def test_each_model_gets_a_fresh_optimizer(built: Any) -> None:
    assert built()[2].optimizer is not built()[2].optimizer


def test_loss_follows_the_head(built: Any) -> None:
    _, _, model = built("trainer.label_smoothing=0.0")
    assert model.loss.get_config()["from_logits"] is True


def test_jit_is_off_on_the_cpu_and_can_be_forced(built: Any) -> None:
    assert built()[2].jit_compile is False
    assert built("trainer.jit=true")[2].jit_compile is True


def test_wrong_head_of_an_own_model_is_named(check: Any) -> None:
    run = check(*TINY).run
    dataset = build_dataset(run)
    inputs = keras.Input((16, 16, 3))
    network = keras.Model(inputs, keras.layers.Flatten()(inputs))
    with pytest.raises(ConfigError, match="model must give one number a class"):
        _check_head(normalise_inside(network, dataset), 10)


def test_layers_of_an_own_model_that_onednn_computes_wrong_are_named(
    check: Any,
) -> None:
    inputs = keras.Input((16, 16, 3))
    narrow = keras.layers.Conv2D(8, 1, strides=2, name="narrow")
    x = keras.layers.Conv2D(16, 3, strides=2, name="wide")(narrow(inputs))
    x = keras.layers.Conv2D(16, 1, strides=2, name="enough")(x)
    network = keras.Model(inputs, keras.Model(inputs, x)(inputs))
    run = check(*TINY).run
    with pytest.raises(ConfigError, match=r"oneDNN computes wrong: narrow\. Put"):
        _check_gradients(run, network, CPU)
    _check_gradients(check(*TINY, "trainer.onednn=false").run, network, CPU)
    _check_gradients(run, network, Devices(("0",)))
    narrow.trainable = False
    _check_gradients(run, network, CPU)


def test_two_replicas_train_as_one(check: Any) -> None:
    """Two logical CPU devices stand in for two GPUs; the global batch is the same."""
    done = run_to_the_end([sys.executable, "-c", REPLICAS])
    assert done.returncode == 0, done.stderr
    one, two = (float(line) for line in done.stdout.split())
    assert two == pytest.approx(one, rel=1e-5)


REPLICAS = """
import keras, numpy as np, tensorflow as tf
from experiments.runtime.devices import Devices
from experiments.speedups.scope import variable_scope
cpu = tf.config.list_physical_devices("CPU")[0]
halves = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(cpu, halves)
real = tf.distribute.MirroredStrategy
tf.distribute.MirroredStrategy = lambda: real(["CPU:0", "CPU:1"])
x = np.random.default_rng(0).normal(size=(64, 8)).astype("float32")
y = np.arange(64) % 4
data = tf.data.Dataset.from_tensor_slices((x, y)).batch(16)
for gpus in ((), ("0", "1")):
    keras.utils.set_random_seed(0)
    with variable_scope(Devices(gpus), "tensorflow"):
        model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(4)])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.SGD(0.1), loss)
    history = model.fit(data, epochs=3, verbose=0, shuffle=False)
    print(history.history["loss"][-1])
"""


def test_a_step_in_micro_batches_is_the_same_step(check: Any) -> None:
    """Through the network and everything that the config changes in it."""
    weights = []
    for parts in (1, 2):
        run = check(
            *TINY,
            "trainer.batch_size=8",
            f"trainer.accumulate_steps={parts}",
            "optimizer=sgd",
            "schedule=constant",
            "trainer.max_steps_per_epoch=3",
        ).run
        dataset = build_dataset(run)
        pipelines = build_pipelines(run, dataset)
        assert pipelines.steps_per_epoch == 3
        keras.utils.set_random_seed(0)
        model = build_model(
            run, dataset, steps_per_epoch=pipelines.steps_per_epoch, devices=CPU
        )
        assert ("train_step" in vars(model)) is (parts > 1)
        for layer in model.layers[-1].layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.trainable = False  # its statistics are those of a micro-batch
        model.make_train_function(force=True)
        model.fit(pipelines.train_from(0), steps_per_epoch=3, shuffle=False, verbose=0)
        weights.append(model.trainable_variables[0].numpy())
        assert int(model.optimizer.iterations) == 3
    np.testing.assert_allclose(*weights, rtol=2e-4, atol=1e-6)


def test_only_the_training_loss_is_smoothed(built: Any) -> None:
    _, _, model = built("trainer.label_smoothing=0.1")
    labels, scores = np.array([0], "int32"), np.eye(1, 10, dtype="float32") * 20
    training, judged = (
        float(model.compute_loss(None, labels, scores, training=training))
        for training in (True, False)
    )
    assert judged == pytest.approx(0.0, abs=1e-6)
    assert training == pytest.approx(0.1 * 0.9 * 20, rel=1e-5)


def find_layers(model: Any, kind: Any) -> list[Any]:
    layers = [layer for layer in model.layers[-1].layers if isinstance(layer, kind)]
    assert layers
    return layers


@pytest.mark.parametrize("fused", [True, False])
def test_batch_norms_are_fused_as_the_config_says(built: Any, fused: bool) -> None:
    _, _, model = built(f"trainer.fused_batch_norm={fused}")
    norms = find_layers(model, keras.layers.BatchNormalization)
    assert all(("call" in vars(layer)) is fused for layer in norms)


@pytest.mark.parametrize(
    ("overrides", "lowered"),
    [
        ([], True),
        (["trainer.lowered_convolutions=false"], False),
        (["trainer.jit=true"], False),
    ],
)
def test_convolutions_are_lowered_as_the_config_says(
    built: Any, overrides: list[str], lowered: bool
) -> None:
    _, _, model = built(*overrides)
    layers = find_layers(model, keras.layers.Conv2D)
    assert all(("convolution_op" in vars(layer)) is lowered for layer in layers)


@pytest.mark.parametrize(
    ("overrides", "devices", "asked"),
    [
        ([], CPU, True),
        ([], Devices(("0",)), False),
        (["backend=jax"], CPU, False),
    ],
    ids=["CPU", "GPU", "JAX"],
)
def test_only_tensorflows_cpu_kernels_are_avoided(
    check: Any,
    monkeypatch: pytest.MonkeyPatch,
    overrides: list[str],
    devices: Devices,
    asked: bool,
) -> None:
    asking: list[Any] = []
    monkeypatch.setattr(convolution, "lower_convolutions", asking.append)
    run = check(*TINY, "trainer.jit=false", *overrides).run
    dataset = build_dataset(run)

    build_model(run, dataset, steps_per_epoch=1, devices=devices)

    assert bool(asking) is asked
