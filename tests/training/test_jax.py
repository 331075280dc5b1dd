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
from experiments.training.callbacks import LearningRateMonitor, TerminateOnNaN
from experiments.training.checkpoint import Checkpoint, load_checkpoint
from experiments.training.fit import choose_jit, compile_model, fit
from experiments.training.losses import build_loss
from experiments.training.metrics import build_metrics
from experiments.training.optimizers import build_optimizer
from experiments.training.progress import ProgressDisplay
from experiments.training.schedules import CosineSchedule
from experiments.training.timing import Timing

def build():
    # Not `keras.utils.set_random_seed`, which imports TensorFlow on any backend.
    seeded = keras.initializers.GlorotUniform(seed=0)
    model = keras.Sequential([
        keras.Input((4,)),
        keras.layers.Dense(16, activation="relu", kernel_initializer=seeded),
        keras.layers.BatchNormalization(momentum=0.9),
        keras.layers.Dense(12, kernel_initializer=seeded.clone())])
    schedule = CosineSchedule(
        peak_lr=0.02, steps_per_epoch=20, epochs=4, warmup_epochs=1, warmup_start=0.1)
    optimizer = build_optimizer(
        keras.optimizers.AdamW, lr=schedule, model=model, weight_decay=0.1)
    compile_model(
        model, optimizer=optimizer,
        loss=build_loss(from_logits=True, label_smoothing=0.1, num_classes=12),
        metrics=build_metrics(12), steps_per_execution=1,
        jit=choose_jit("auto", on_gpu=False, deterministic=False))
    return model

class Batches(keras.utils.PyDataset):
    def __init__(self, count):
        super().__init__()
        self.count = count
    def __len__(self):
        return self.count
    def __getitem__(self, index):
        x = np.random.default_rng(index).normal(size=(8, 4)).astype("float32")
        return x, x[:, :3].argmax(1).astype("int32")

folder = Path(sys.argv[1])
model = build()
history = fit(
    model, train=Batches(20), validation=Batches(4), epochs=4, steps_per_epoch=20,
    callbacks=[
        Timing(batch_size=8), LearningRateMonitor(), TerminateOnNaN(),
        Checkpoint(output_dir=folder, monitor="val_loss", mode="min"),
        ProgressDisplay(mode="off", epochs=4, steps_per_epoch=20, batch_size=8)])
copy = build()
load_checkpoint(folder / "checkpoints", copy, which="last")
same = all(
    np.array_equal(a, b) for a, b in zip(
        map(keras.ops.convert_to_numpy, model.optimizer.variables),
        map(keras.ops.convert_to_numpy, copy.optimizer.variables)))
print(json.dumps({
    "backend": keras.backend.backend(), "tensorflow": "tensorflow" in sys.modules,
    "same": same, "epochs": history.epochs}))
"""


@pytest.mark.skipif(
    importlib.util.find_spec("jax") is None, reason="JAX is an optional extra"
)
def test_training_works_on_jax_without_tensorflow(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path)],
        env={**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
    )

    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout.splitlines()[-1])
    first, *_, last = report["epochs"]
    assert report["backend"] == "jax"
    assert not report["tensorflow"]
    assert report["same"]
    assert last["loss"] < 0.7 * first["loss"]
    assert first["lr"] == pytest.approx(0.02 * (0.1 + 0.9 * 19 / 20))
    assert last["images_per_second"] > 0
    assert last["top5_accuracy"] > 0.9
