"""A step in micro-batches is the step of the whole batch.

Definition: with weights w, the mean loss L of a batch and the rate r of update number
t, counted from 0 over the weights' updates and nothing else,

    g = grad L(w), times min(1, c / |g|) where all of it is clipped to a norm c
    w <- w (1 - r d)                              decay, decoupled
    v <- m v - r g;  w <- w + v                   momentum
    a <- b a + (1 - b) w, at the first update w   moving average

and r the schedule's value at t. The mean of a batch is that of its parts, weighted by
their images: how a batch is divided is nowhere in it. Here the formulas are computed in
float64 by NumPy for a softmax regression, whose gradient of the mean cross-entropy is
x' (p - y) / n (Bishop, Pattern Recognition and Machine Learning, 2006, 4.109).
"""

import importlib.util
import json
import math
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from experiments import job_files
from experiments.builders.callbacks import build_callbacks
from experiments.builders.data import build_dataset, build_pipelines
from experiments.builders.optimizer import build_optimizer
from experiments.config.validation import resolve
from experiments.errors import Preempted
from experiments.fitting.memory import fit_to_memory
from experiments.jobs.job import Job
from experiments.training.callbacks.checkpoint import Checkpoint
from experiments.training.callbacks.monitors import LearningRateMonitor
from experiments.training.checkpoints.store import load_last
from experiments.training.loop.fit import compile_model, fit
from experiments.training.loop.supervisor import Limits
from experiments.training.losses import build_loss
from tests.warm import run_to_the_end

BATCH, EPOCHS, FEATURES, CLASSES = 8, 4, 5, 3
PEAK, WARMUP, WARMUP_START = 0.5, 1, 0.1
MOMENTUM, DECAY, CLIP, AVERAGE = 0.9, 0.02, 0.3, 0.8
SCHEDULES = {
    "constant": [],
    "cosine": [],
    "polynomial": ["schedule.power=2"],
    "step": ["schedule.every_epochs=1", "schedule.factor=0.5"],
}


def expected_rate(schedule: str, update: int, per_epoch: int) -> float:
    """Returns the rate of an update by the schedule's definition."""
    warm, all_of_it = WARMUP * per_epoch, EPOCHS * per_epoch
    if update < warm:
        return PEAK * (WARMUP_START + (1 - WARMUP_START) * update / warm)
    done = (update - warm) / (all_of_it - warm)
    return (
        PEAK
        * {
            "constant": 1.0,
            "cosine": (1 + math.cos(math.pi * done)) / 2,
            "polynomial": (1 - done) ** 2,
            "step": 0.5 ** (update // per_epoch),
        }[schedule]
    )


def draw(count: int) -> tuple[Any, Any]:
    """Returns images without the image, (count, 5), and labels."""
    generator = np.random.default_rng(count)
    return (
        generator.normal(size=(count, FEATURES)).astype("float32"),
        generator.integers(0, CLASSES, count).astype("int32"),
    )


def iterate(x: Any, y: Any) -> Iterator[tuple[Any, Any]]:
    """Yields the batches of all epochs; an epoch's last one may be smaller."""
    for _ in range(EPOCHS):
        for begin in range(0, len(x), BATCH):
            yield x[begin : begin + BATCH], y[begin : begin + BATCH]


@dataclass
class Oracle:
    """The formulas above, from the same start; everything after each update."""

    schedule: str
    kernel: Any
    bias: Any
    rates: list[float] = field(default_factory=list)
    weights: list[list[Any]] = field(default_factory=list)
    averages: list[list[Any]] = field(default_factory=list)

    def train(self, x: Any, y: Any) -> "Oracle":
        weights = [self.kernel.astype("float64"), self.bias.astype("float64")]
        velocities = [np.zeros_like(w) for w in weights]
        per_epoch = -(-len(x) // BATCH)
        for update, (inputs, labels) in enumerate(iterate(x, y)):
            rate = expected_rate(self.schedule, update, per_epoch)
            gradients = self._differentiate(weights, inputs, labels)
            norm = math.sqrt(sum((g**2).sum() for g in gradients))
            gradients = [g * min(1.0, CLIP / norm) for g in gradients]
            kernel, bias = weights
            weights = [kernel * (1 - rate * DECAY), bias]  # a bias is not decayed
            velocities = [
                MOMENTUM * v - rate * g
                for v, g in zip(velocities, gradients, strict=True)
            ]
            weights = [w + v for w, v in zip(weights, velocities, strict=True)]
            former = self.averages[-1] if self.averages else weights
            self.rates.append(rate)
            self.weights.append(weights)
            self.averages.append(
                [
                    AVERAGE * a + (1 - AVERAGE) * w
                    for a, w in zip(former, weights, strict=True)
                ]
            )
        return self

    @staticmethod
    def _differentiate(weights: list[Any], x: Any, y: Any) -> list[Any]:
        scores = np.exp(x.astype("float64") @ weights[0] + weights[1])
        wrong = scores / scores.sum(1, keepdims=True) - np.eye(CLASSES)[y]
        return [x.T @ wrong / len(x), wrong.mean(0)]


class Recorder(keras.callbacks.Callback):
    """Keeps the rates that updates are made with, and what each left."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.rates: list[float] = []
        self.weights: list[list[Any]] = []
        self.averages: list[list[Any]] = []
        optimizer = model.optimizer
        update = optimizer._backend_update_step

        def record(gradients: Any, variables: Any, rate: Any) -> None:
            self.rates.append(float(rate))
            update(gradients, variables, rate)

        optimizer._backend_update_step = record

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        averages = self.model.optimizer._model_variables_moving_average
        self.weights.append(self.model.get_weights())
        self.averages.append([average.numpy() for average in averages])


def batches_from(x: Any, y: Any) -> Callable[[int], Any]:
    batches = tf.data.Dataset.from_tensor_slices((x, y)).batch(BATCH).repeat()
    return batches.skip


def build_regression(check: Any, count: int, schedule: str, micro: int | None) -> Any:
    """Compiles a softmax regression with the optimizer of the config."""
    run = check(
        "optimizer=sgd",
        f"optimizer.lr={PEAK}",
        f"optimizer.momentum={MOMENTUM}",
        f"optimizer.weight_decay={DECAY}",
        f"optimizer.global_clip_norm={CLIP}",
        f"optimizer.ema_momentum={AVERAGE}",
        f"schedule={schedule}",
        f"schedule.warmup_epochs={WARMUP}",
        f"schedule.warmup_start={WARMUP_START}",
        *SCHEDULES[schedule],
        f"trainer.epochs={EPOCHS}",
        f"trainer.batch_size={BATCH}",
        f"trainer.accumulate_steps={BATCH // micro if micro else 1}",
    ).run
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((FEATURES,)), keras.layers.Dense(CLASSES)])
    per_epoch = -(-count // BATCH)
    optimizer = build_optimizer(run, model, steps_per_epoch=per_epoch)
    return finish(model, optimizer, micro)


def finish(model: Any, optimizer: Any, micro: int | None, **options: Any) -> Any:
    loss = build_loss(from_logits=True, label_smoothing=0.0, num_classes=CLASSES)
    compile_model(
        model,
        optimizer=optimizer,
        loss=loss,
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
        micro_batch=micro,
        **{"jit": False, **options},
    )
    return model


def assert_close(found: Any, expected: Any) -> None:
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-4, atol=2e-6)


def pair(schedule: str, other: Any, *, quick: bool) -> Any:
    """Returns parameters of a test; the larger part of a matrix is slow."""
    marks = () if quick else pytest.mark.slow
    return pytest.param(schedule, other, id=f"{schedule}-{other}", marks=marks)


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize(
    ("schedule", "count"),
    [
        # Of 17 and 19 images a batch is left of 1, fewer than there are parts, and 3.
        pair(schedule, count, quick=count == 19 or schedule == "cosine")
        for schedule in SCHEDULES
        for count in (16, 17, 19)
    ],
)
def test_each_update_follows_the_formulas(
    check: Any, schedule: str, count: int
) -> None:
    x, y = draw(count)
    model = build_regression(check, count, schedule, micro=2)
    recorder = Recorder(model)
    oracle = Oracle(schedule, *model.get_weights()).train(x, y)
    per_epoch = -(-count // BATCH)

    history = fit(
        model,
        train_from=batches_from(x, y),
        validation=None,
        epochs=EPOCHS,
        steps_per_epoch=per_epoch,
        callbacks={"lr_monitor": LearningRateMonitor(), "recorder": recorder},
    )

    assert recorder.rates == pytest.approx(oracle.rates, rel=1e-5)
    for update in range(EPOCHS * per_epoch):
        assert_close(recorder.weights[update], oracle.weights[update])
        assert_close(recorder.averages[update], oracle.averages[update])
    assert [epoch["lr"] for epoch in history.epochs] == pytest.approx(
        oracle.rates[per_epoch - 1 :: per_epoch], rel=1e-5
    )
    assert_close(model.get_weights(), oracle.averages[-1])


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize(("first", "then"), [(None, 2), (4, None)])
def test_a_job_goes_on_in_the_middle_of_an_epoch_in_other_parts(
    check: Any, tmp_path: Path, first: int | None, then: int | None
) -> None:
    x, y = draw(19)

    def train(micro: int | None, limits: Limits) -> Any:
        model = build_regression(check, 19, "cosine", micro)
        history = fit(
            model,
            train_from=batches_from(x, y),
            validation=None,
            epochs=EPOCHS,
            steps_per_epoch=3,
            callbacks={
                "lr_monitor": LearningRateMonitor(),
                "checkpoint": Checkpoint(
                    output_dir=tmp_path, monitor="loss", mode="min"
                ),
            },
            state=load_last(tmp_path / job_files.CHECKPOINTS),
            limits=limits,
        )
        return model, history

    start = build_regression(check, 19, "cosine", None).get_weights()
    oracle = Oracle("cosine", *start).train(x, y)
    with pytest.raises(Preempted, match="max_steps=5"):
        train(first, Limits(max_steps=5))
    state = load_last(tmp_path / job_files.CHECKPOINTS)
    assert state is not None
    assert (state.position.epoch, state.position.step) == (1, 2)

    model, history = train(then, Limits())

    assert int(model.optimizer.iterations) == 3 * EPOCHS
    assert_close(model.get_weights(), oracle.averages[-1])
    assert [epoch["lr"] for epoch in history.epochs] == pytest.approx(
        oracle.rates[2::3], rel=1e-5
    )


def test_exhausted_memory_changes_the_parts_and_nothing_else(
    check: Any, tmp_path: Path
) -> None:
    plan = check(
        "model.width=8",
        "trainer.oom=accumulate",
        "trainer.batch_size=8",
        "schedule.warmup_epochs=1",
    )
    job = Job(resolved=resolve(plan.config), output_dir=tmp_path, name="a")
    (tmp_path / job_files.ACCUMULATE).write_text('{"accumulate_steps": 4}')
    parts = fit_to_memory(job).run
    assert parts.trainer.accumulate_steps == 4
    dataset = build_dataset(job.run)
    model = keras.Sequential([keras.Input((FEATURES,)), keras.layers.Dense(CLASSES)])

    rates, steps, clocks = [], [], []
    for run in (job.run, parts):
        steps.append(build_pipelines(run, dataset).steps_per_epoch)
        optimizer = build_optimizer(run, model, steps_per_epoch=steps[-1])
        rates.append([float(optimizer._learning_rate(n)) for n in (0, 100, 700)])
        clocks.append(build_callbacks(run, {"output_dir": tmp_path})["timing"])

    assert steps[0] == steps[1]
    assert rates[0] == rates[1]
    assert clocks[0]._batch_size == clocks[1]._batch_size == 8


OPTIMIZERS = ("adam", "adamw", "sgd", "rmsprop", "lion")


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize(
    ("schedule", "optimizer"),
    [
        pair(schedule, optimizer, quick=schedule == "cosine")
        for schedule in SCHEDULES
        for optimizer in OPTIMIZERS
    ],
)
def test_each_optimizer_makes_the_whole_batchs_update(
    check: Any, schedule: str, optimizer: str
) -> None:
    x, y = draw(19)
    ends = []
    for micro in (None, 3):
        run = check(
            f"optimizer={optimizer}",
            "optimizer.lr=0.01",
            "optimizer.clip_norm=0.2",
            f"schedule={schedule}",
            "schedule.warmup_epochs=1",
            *SCHEDULES[schedule],
            "trainer.epochs=2",
            f"trainer.batch_size={BATCH}",
        ).run
        model = build_network()
        built = build_optimizer(run, model, steps_per_epoch=3)
        finish(model, built, micro)
        history = model.fit(
            batches_from(x, y)(0),
            epochs=2,
            steps_per_epoch=3,
            shuffle=False,
            verbose=0,
        )
        ends.append([*model.get_weights(), history.history["loss"]])

    assert_close(*ends)


def build_network() -> Any:
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((FEATURES,)),
            keras.layers.Dense(6, activation="tanh", kernel_regularizer="l2"),
            keras.layers.Dense(CLASSES),
        ]
    )


GRAPHS = {
    "graph": {},
    "xla": {"jit": True},
    "executions": {"steps_per_execution": 3},
    "scaled": {"scaled": True},
}


@pytest.mark.parametrize(
    ("kind", "sizes"),
    [
        ("graph", "static"),
        ("graph", "unknown"),
        ("xla", "unknown"),
        ("executions", "unknown"),
        ("scaled", "static"),
        pytest.param("xla", "static", marks=pytest.mark.slow),
        pytest.param("executions", "static", marks=pytest.mark.slow),
        pytest.param("scaled", "unknown", marks=pytest.mark.slow),
    ],
)
def test_each_kind_of_graph_makes_the_whole_batchs_update(
    kind: str, sizes: str
) -> None:
    options = dict(GRAPHS[kind])
    x, y = draw(16 if sizes == "static" else 23)
    data = tf.data.Dataset.from_tensor_slices((x, y))
    batches = data.batch(BATCH, drop_remainder=sizes == "static").repeat()
    steps = -(-len(x) // BATCH)
    scaled = options.pop("scaled", False)
    ends = []
    for micro in (None, 3):
        model = build_network()
        optimizer: Any = keras.optimizers.Adam(0.02)
        if scaled:
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        compilation = options if micro else {}
        finish(model, optimizer, micro, **compilation)
        history = model.fit(
            batches, steps_per_epoch=3 * steps, shuffle=False, verbose=0
        ).history
        ends.append([*model.get_weights(), history["loss"], history["accuracy"]])

    assert_close(*ends)


def test_two_replicas_divide_their_shares() -> None:
    """Two logical CPU devices stand in for two GPUs."""
    done = run_to_the_end([sys.executable, "-c", REPLICAS])
    assert done.returncode == 0, done.stderr
    whole, parts = (json.loads(line) for line in done.stdout.splitlines())
    np.testing.assert_allclose(parts, whole, rtol=2e-4, atol=2e-6)


REPLICAS = """
import keras, tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
halves = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(cpu, halves)
from tests.oracles.test_accumulation import build_network, draw, finish
x, y = draw(22)
data = tf.data.Dataset.from_tensor_slices((x, y)).batch(8)
for micro in (None, 4):
    with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
        model = finish(build_network(), keras.optimizers.Adam(0.02), micro)
    history = model.fit(data, epochs=2, verbose=0, shuffle=False).history
    print([*history["loss"], *history["accuracy"], *model.get_weights()[-1].tolist()])
"""


@pytest.mark.skipif(
    importlib.util.find_spec("jax") is None, reason="JAX is an optional extra"
)
def test_jax_makes_the_whole_batchs_update_part_by_part() -> None:
    result = subprocess.run(
        [sys.executable, "-c", ON_JAX],
        env={**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    whole, parts, sizes = (json.loads(line) for line in result.stdout.splitlines())
    np.testing.assert_allclose(parts, whole, rtol=2e-4, atol=2e-6)
    assert sizes == [2, 3]  # of batches of 8, 8 and 3 images


ON_JAX = """
import keras, numpy as np
from experiments.training.loop.fit import compile_model
from experiments.training.losses import build_loss
from experiments.training.optimizers.keras_classes import build_optimizer
from experiments.training.schedules import CosineSchedule

sizes = []

def build(micro):
    init = keras.initializers.GlorotUniform
    model = keras.Sequential([
        keras.Input((5,)),
        keras.layers.Dense(6, activation="tanh", kernel_initializer=init(seed=1)),
        keras.layers.Dropout(0.0, seed=1),
        keras.layers.Dense(3, kernel_initializer=init(seed=2))])
    if micro:
        call = model.layers[0].call
        def record(inputs, training=None):
            sizes.extend([inputs.shape[0]] if training else [])
            return call(inputs)
        model.layers[0].call = record
    schedule = CosineSchedule(peak_lr=0.02, steps_per_epoch=3, epochs=2)
    optimizer = build_optimizer(
        keras.optimizers.AdamW, lr=schedule, model=model, weight_decay=0.1,
        global_clip_norm=0.1, ema_momentum=0.9)
    compile_model(
        model, optimizer=optimizer, metrics=["accuracy"], jit=True, micro_batch=micro,
        loss=build_loss(from_logits=True, label_smoothing=0.0, num_classes=3))
    return model

generator = np.random.default_rng(0)
x, y = generator.normal(size=(19, 5)).astype("float32"), np.arange(19) % 3
for micro in (None, 3):
    model = build(micro)
    history = model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0).history
    averages = [np.asarray(v).ravel() for v in model.optimizer.variables]
    print([*history["loss"], *history["accuracy"], *np.concatenate(averages).tolist(),
           *np.asarray(model.get_weights()[-1]).tolist()])
print(sorted(set(sizes)))
"""
