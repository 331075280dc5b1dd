"""What the backend could break, in a process of its own on JAX."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import json, sys
from pathlib import Path
import keras, numpy as np
from experiments import job_files
from experiments.errors import Preempted
from experiments.training.callbacks.monitors import LearningRateMonitor, TerminateOnNaN
from experiments.training.callbacks.checkpoint import Checkpoint
from experiments.training.callbacks.early_stopping import EarlyStopping
from experiments.training.loop.fit import choose_jit, compile_model, fit
from experiments.training.losses import build_loss
from experiments.training.metrics import build_metrics
from experiments.training.optimizers.keras_classes import build_optimizer
from experiments.training.callbacks.progress import ProgressDisplay
from experiments.training.schedules import CosineSchedule
from experiments.training.loop.supervisor import Limits
from experiments.training.checkpoints.state import digest
from experiments.training.checkpoints.store import load_last
from experiments.training.callbacks.timing import Timing

def build():
    # Not `keras.utils.set_random_seed`, which imports TensorFlow on any backend.
    seeded = keras.initializers.GlorotUniform(seed=0)
    model = keras.Sequential([
        keras.Input((4,)),
        keras.layers.Dense(16, activation="relu", kernel_initializer=seeded),
        keras.layers.BatchNormalization(momentum=0.9),
        keras.layers.Dropout(0.1, seed=1),
        keras.layers.Dense(12, kernel_initializer=seeded.clone())])
    schedule = CosineSchedule(
        peak_lr=0.02, steps_per_epoch=20, epochs=4, warmup_epochs=1, warmup_start=0.1)
    optimizer = build_optimizer(
        keras.optimizers.AdamW, lr=schedule, model=model, weight_decay=0.1,
        ema_momentum=0.5)
    compile_model(
        model, optimizer=optimizer,
        loss=build_loss(from_logits=True, label_smoothing=0.1, num_classes=12),
        metrics=build_metrics(12), steps_per_execution=1,
        jit=choose_jit("auto", on_gpu=False, deterministic=False))
    return model

class Batches(keras.utils.PyDataset):
    def __init__(self, count, first=0):
        super().__init__()
        self.count, self.first = count, first
    def __len__(self):
        return self.count
    def __getitem__(self, index):
        index += self.first
        x = np.random.default_rng(index).normal(size=(8, 4)).astype("float32")
        return x, x[:, :3].argmax(1).astype("int32")

def train(folder, limits):
    model = build()
    checkpoint = Checkpoint(output_dir=folder, monitor="val_loss", mode="min")
    history = fit(
        model, train_from=lambda step: Batches(80 - step, step), validation=Batches(4),
        epochs=4, steps_per_epoch=20, limits=limits,
        state=load_last(folder / job_files.CHECKPOINTS),
        callbacks={
            "timing": Timing(batch_size=8), "lr": LearningRateMonitor(),
            "nan": TerminateOnNaN(), "checkpoint": checkpoint,
            "early_stopping": EarlyStopping(
                monitor="val_loss", mode="min", patience=9),
            "display": ProgressDisplay(
                mode="off", epochs=4, steps_per_epoch=20, batch_size=8)})
    ends = [digest(model), checkpoint.load_best(model), digest(model)]
    model.evaluate(Batches(4), verbose=0)
    return history.epochs, *ends, digest(model)

whole = train(Path(sys.argv[1], "whole"), Limits())
folder = Path(sys.argv[1], "stopped")
for max_steps in (27, 40):
    try:
        train(folder, Limits(max_steps=max_steps))
    except Preempted as stop:
        print(stop)
epochs, *end = train(folder, Limits())
clock = {"epoch_seconds", "images_per_second", "first_step_seconds"}
print(json.dumps({
    "backend": keras.backend.backend(), "tensorflow": "tensorflow" in sys.modules,
    "same_end": end == list(whole[1:]), "unharmed": end[2] == end[3],
    "epochs": whole[0],
    "same_epochs": all(
        a[name] == b[name]
        for a, b in zip(epochs, whole[0], strict=True) for name in a.keys() - clock)}))
"""


@pytest.mark.skipif(
    importlib.util.find_spec("jax") is None, reason="JAX is an optional extra"
)
def test_training_works_and_continues_on_jax_without_tensorflow(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path)],
        env={
            **os.environ,
            "KERAS_BACKEND": "jax",
            "JAX_PLATFORMS": "cpu",
            "JAX_COMPILATION_CACHE_DIR": str(tmp_path / "compiled"),
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        },
        capture_output=True,
        text=True,
    )

    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout.splitlines()[-1])
    first, *_, last = report["epochs"]
    stops = result.stdout.splitlines()[:-1]
    assert stops == ["trainer.max_steps=27", "trainer.max_steps=40"]
    assert report["backend"] == "jax"
    assert not report["tensorflow"]
    assert report["same_epochs"]
    assert report["same_end"]
    assert report["unharmed"]  # no array is shared that an evaluation gives away
    assert last["loss"] < 0.7 * first["loss"]
    assert first["lr"] == pytest.approx(0.02 * (0.1 + 0.9 * 19 / 20))
    assert last["images_per_second"] > 0
    assert last["top5_accuracy"] > 0.9


SHARED = """
import json
import keras, numpy as np
from experiments.runtime.devices import Devices
from experiments.speedups.scope import variable_scope

def build(gpus):
    with variable_scope(Devices(gpus), "jax"):
        seeded = keras.initializers.GlorotUniform(seed=0)
        model = keras.Sequential([
            keras.Input((4,)),
            keras.layers.Dense(8, activation="relu", kernel_initializer=seeded),
            keras.layers.BatchNormalization(momentum=0.5),
            keras.layers.Dense(3, kernel_initializer=seeded.clone())])
        model.compile(
            keras.optimizers.SGD(0.1, momentum=0.9),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model

x = np.random.default_rng(0).normal(size=(15, 4)).astype("float32")
y = x[:, :3].argmax(1)
found = []
for gpus in ((), ("0", "1")):  # one device, then as if two GPUs were claimed
    model = build(gpus)
    model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0)
    loss = model.evaluate(x[:9], y[:9], batch_size=4, verbose=0)
    found.append([loss, *(np.asarray(w).ravel().tolist() for w in model.get_weights())])
shards = {len(v.value.sharding.device_set) for v in model.trainable_variables}
print(json.dumps({"one": found[0], "two": found[1], "shards": list(shards)}))
"""


@pytest.mark.skipif(
    importlib.util.find_spec("jax") is None, reason="JAX is an optional extra"
)
def test_two_devices_take_batches_that_they_cannot_share_evenly() -> None:
    """Batches of 4, 4, 4, 3 images and 4, 4, 1: the last ones are no halves."""
    flags = f"{os.environ['XLA_FLAGS']} --xla_force_host_platform_device_count=2"
    result = subprocess.run(
        [sys.executable, "-c", SHARED],
        env={
            **os.environ,
            "KERAS_BACKEND": "jax",
            "JAX_PLATFORMS": "cpu",
            "XLA_FLAGS": flags,
        },
        capture_output=True,
        text=True,
    )

    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout.splitlines()[-1])
    assert report["shards"] == [2]
    for one, two in zip(report["one"], report["two"], strict=True):
        assert two == pytest.approx(one, abs=1e-5)
