"""What `loss`, `val_loss` and `test_loss` are.

Definition: the cross-entropy of a prediction p for an image of class k is -log p_k; a
loss is its mean over the images. With label smoothing e over K classes training
minimises -sum_j q_j log p_j instead, q_j = (1 - e) [j = k] + e / K (Szegedy et al.,
Rethinking the Inception Architecture, 2016, section 7). A validation and a test are the
plain one, whatever e is: runs that differ in e are compared by it.

A mixed image has shares s_j of several classes, which sum to 1 (Zhang et al., mixup:
Beyond Empirical Risk Minimization, 2018, section 2), and q_j = (1 - e) s_j + e / K. It
is classified rightly by the class with the largest share.
"""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from experiments.training.loop.fit import compile_model
from experiments.training.losses import (
    build_loss,
    build_training_loss,
    outputs_probabilities,
)
from experiments.training.metrics import build_metrics
from tests.warm import run_to_the_end

IMAGES, FEATURES, CLASSES, BATCH = 22, 5, 4, 8
L2 = 0.01


def draw() -> tuple[Any, Any]:
    generator = np.random.default_rng(0)
    x = 2 * generator.normal(size=(IMAGES, FEATURES)).astype("float32")
    return x, generator.integers(0, CLASSES, IMAGES).astype("int32")


def mix(y: Any) -> Any:
    """Returns shares: of a label and of that of the image before it."""
    share = np.random.default_rng(1).uniform(size=(IMAGES, 1))
    rows = np.eye(CLASSES)[y]
    return (share * rows + (1 - share) * np.roll(rows, 1, axis=0)).astype("float32")


def cross_entropy(x: Any, y: Any, weights: Any, smoothing: float) -> float:
    """Of integer labels, or shares."""
    kernel, bias = (np.asarray(w).astype("float64") for w in weights)
    scores = np.exp(x.astype("float64") @ kernel + bias)
    logarithms = np.log(scores / scores.sum(1, keepdims=True))
    shares = np.eye(CLASSES)[y] if y.ndim == 1 else y
    targets = (1 - smoothing) * shares + smoothing / CLASSES
    return float(-(targets * logarithms).sum(1).mean())


def accuracy(x: Any, y: Any, weights: Any) -> float:
    """Of integer labels, or shares."""
    kernel, bias = (np.asarray(w) for w in weights)
    labels = y if y.ndim == 1 else y.argmax(1)
    return float(((x @ kernel + bias).argmax(1) == labels).mean())


def build(
    *, softmax: bool, smoothing: float, micro: int | None = None, decay: float = 0.0
) -> Any:
    """Compiles a network of either head; its weights stay what they are."""
    regularizer = keras.regularizers.L2(decay) if decay else None
    initializer = keras.initializers.RandomNormal(stddev=1.0, seed=1)
    head = keras.layers.Dense(
        CLASSES,
        activation="softmax" if softmax else None,
        kernel_initializer=initializer,
        kernel_regularizer=regularizer,
    )
    model = keras.Sequential([keras.Input((FEATURES,)), head])
    options: dict[str, Any] = {
        "from_logits": not outputs_probabilities(model),
        "num_classes": CLASSES,
    }
    compile_model(
        model,
        optimizer=keras.optimizers.SGD(0.0),
        loss=build_loss(**options, label_smoothing=0.0),
        training_loss=build_training_loss(**options, label_smoothing=smoothing),
        metrics=build_metrics(CLASSES),
        jit=False,
        micro_batch=micro,
    )
    return model


def feed(x: Any, y: Any) -> dict[str, Any]:
    """Returns arguments of `fit`; functions that run eagerly take no arrays."""
    if keras.backend.backend() != "tensorflow":
        return {"x": x, "y": y, "batch_size": BATCH}
    import tensorflow as tf

    return {"x": tf.data.Dataset.from_tensor_slices((x, y)).batch(BATCH)}


def measure(
    *, mixed: bool = False, **options: Any
) -> tuple[dict[str, float], list[Any]]:
    """Returns what a model shows and its weights; `mixed` labels are for training."""
    x, y = draw()
    data = feed(x, y)
    model = build(**options)
    history = model.fit(
        **(feed(x, mix(y)) if mixed else data),
        validation_data=data["x"] if "y" not in data else (data["x"], data["y"]),
        shuffle=False,
        verbose=0,
    ).history
    test = model.evaluate(**data, verbose=0, return_dict=True)
    shown = {name: values[-1] for name, values in history.items()}
    shown["test_loss"], shown["test_accuracy"] = test["loss"], test["accuracy"]
    return shown, model.get_weights()


def penalise(weights: Any, decay: float) -> float:
    """Returns what an L2 regularizer of the kernel adds to each loss."""
    return decay * float((np.asarray(weights[0]).astype("float64") ** 2).sum())


def check_mixed(
    shown: dict[str, float], weights: list[Any], smoothing: float, decay: float = 0.0
) -> None:
    """Checks what `measure(mixed=True)` gave against the definition."""
    x, y = draw()
    penalty = penalise(weights, decay)
    expected = cross_entropy(x, mix(y), weights, smoothing) + penalty
    assert shown["loss"] == pytest.approx(expected, rel=1e-5)
    assert shown["accuracy"] == pytest.approx(accuracy(x, mix(y), weights))
    assert accuracy(x, y, weights) != accuracy(x, mix(y), weights)
    for split in ("val", "test"):
        plain = cross_entropy(x, y, weights, 0.0) + penalty
        assert shown[f"{split}_loss"] == pytest.approx(plain, rel=1e-5)
        assert shown[f"{split}_accuracy"] == pytest.approx(accuracy(x, y, weights))


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("micro", [None, 3])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("softmax", [False, True], ids=["logits", "probabilities"])
def test_smoothing_belongs_to_the_training_loss_alone(
    softmax: bool, smoothing: float, micro: int | None
) -> None:
    shown, weights = measure(softmax=softmax, smoothing=smoothing, micro=micro)

    plain, smoothed = (cross_entropy(*draw(), weights, e) for e in (0.0, smoothing))
    assert shown["loss"] == pytest.approx(smoothed, rel=1e-5)
    assert shown["val_loss"] == pytest.approx(plain, rel=1e-5)
    assert shown["test_loss"] == pytest.approx(plain, rel=1e-5)


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("micro", [None, 3])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("softmax", [False, True], ids=["logits", "probabilities"])
def test_mixed_labels_are_for_training_alone(
    softmax: bool, smoothing: float, micro: int | None
) -> None:
    shown = measure(softmax=softmax, smoothing=smoothing, micro=micro, mixed=True)
    check_mixed(*shown, smoothing)


def test_two_replicas_share_mixed_labels_and_the_losses_of_layers() -> None:
    """Two logical CPU devices stand in for two GPUs."""
    done = run_to_the_end([sys.executable, "-c", REPLICAS])
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 2
    for line in done.stdout.splitlines():
        shown, *weights = json.loads(line)
        check_mixed(shown, weights, 0.1, L2)


REPLICAS = """
import json
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
halves = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(cpu, halves)
from tests.oracles.test_losses import L2, measure
options = {"softmax": False, "smoothing": 0.1, "mixed": True, "decay": L2}
for micro in (None, 4):
    with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
        shown, weights = measure(micro=micro, **options)
    print(json.dumps([shown, *(w.tolist() for w in weights)]))
"""


@pytest.mark.usefixtures("eager")
def test_losses_of_the_layers_are_added_to_each() -> None:
    shown, weights = measure(softmax=False, smoothing=0.1, decay=L2)

    penalty = penalise(weights, L2)
    plain, smoothed = (cross_entropy(*draw(), weights, e) for e in (0.0, 0.1))
    assert shown["loss"] == pytest.approx(smoothed + penalty, rel=1e-5)
    assert shown["val_loss"] == pytest.approx(plain + penalty, rel=1e-5)


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("softmax", [False, True], ids=["logits", "probabilities"])
def test_a_saved_model_is_judged_plainly_by_whoever_loads_it(
    softmax: bool, tmp_path: Path
) -> None:
    x, y = draw()
    model = build(softmax=softmax, smoothing=0.1)
    model.save(tmp_path / "model.keras")

    loaded = keras.models.load_model(tmp_path / "model.keras")

    assert type(loaded.loss) is keras.losses.SparseCategoricalCrossentropy
    weights = model.get_weights()
    assert loaded.evaluate(**feed(x, y), verbose=0) == pytest.approx(
        [cross_entropy(x, y, weights, 0.0), accuracy(x, y, weights)], rel=1e-5
    )


@pytest.mark.usefixtures("eager")
def test_a_model_compiled_anew_trains_on_what_it_is_compiled_with() -> None:
    x, y = draw()
    model = build(softmax=False, smoothing=0.1)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.0), loss)
    expected = cross_entropy(x, y, model.get_weights(), 0.0)

    history = model.fit(**feed(x, y), shuffle=False, verbose=0).history

    assert history["loss"] == pytest.approx([expected], rel=1e-5)


@pytest.mark.skipif(
    importlib.util.find_spec("jax") is None, reason="JAX is an optional extra"
)
def test_losses_on_jax_are_the_same() -> None:
    flags = f"{os.environ['XLA_FLAGS']} --xla_force_host_platform_device_count=2"
    jax = {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu", "XLA_FLAGS": flags}
    done = subprocess.run(
        [sys.executable, "-c", ON_JAX],
        env={**os.environ, **jax},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 5
    for line in done.stdout.splitlines():
        mixed, shown, *weights = json.loads(line)
        if mixed:
            check_mixed(shown, weights, 0.1)
            continue
        plain, smoothed = (cross_entropy(*draw(), weights, e) for e in (0.0, 0.1))
        assert shown["loss"] == pytest.approx(smoothed, rel=1e-5)
        assert shown["val_loss"] == shown["test_loss"]
        assert shown["test_loss"] == pytest.approx(plain, rel=1e-5)


ON_JAX = """
import json
import keras
import numpy as np
from tests.oracles.test_losses import measure

def show(softmax, micro, mixed):
    shown, weights = measure(softmax=softmax, smoothing=0.1, micro=micro, mixed=mixed)
    print(json.dumps([mixed, shown, *(np.asarray(w).tolist() for w in weights)]))

for softmax, micro in ((False, None), (True, 3)):
    for mixed in (False, True):
        show(softmax, micro, mixed)
keras.distribution.set_distribution(keras.distribution.DataParallel())
show(False, 4, True)
"""
