"""Images a second of a ResNet-50 on one GPU: the project on JAX, or Keras alone.

TensorFlow may be absent: images are random, and either on the device or in memory.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "jax"
os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"  # as the project sets it

import keras
import numpy as np

from experiments.builders.model import build_model
from experiments.command.plan import check_command_line
from experiments.data.dataset import ArraySplit, Dataset, build_dataset
from experiments.runtime.devices import choose_gpus, confirm_devices, list_gpus
from experiments.training.loop.fit import fit
from gpu_figures import CLASSES, MEAN, POOL, STD, add_arguments, describe_epochs
from stopwatch import EpochClock

CONFIG_DIR = Path(__file__).resolve().parent.parent / "conf"


def main() -> None:
    """Trains and prints what was measured as one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("network", choices=("project", "applications"))
    add_arguments(parser)
    parser.add_argument("--depth", type=int, default=50)
    parser.add_argument("--precision", default="mixed_bfloat16")
    parser.add_argument("--feed", choices=("device", "host"), default="device")
    parser.add_argument("--overrides", nargs="*", default=[], help="of the project")
    parser.add_argument("--profile", type=Path, help="folder for a trace of 10 steps")
    options = parser.parse_args()

    begin = time.perf_counter()
    keras.config.set_dtype_policy(options.precision)
    keras.utils.set_random_seed(0)
    train = train_project if options.network == "project" else train_applications
    batches = make_batches(options)
    with tempfile.TemporaryDirectory() as folder:
        clock = EpochClock(output_dir=Path(folder))
        model = train(options, batches, clock)
    report(options, clock, begin)
    if options.profile:
        trace(model, batches, options.profile)


def make_batches(options: argparse.Namespace) -> Callable[[int], Iterator[Any]]:
    """Returns what gives batches of (uint8 (B, H, W, 3), int32 (B,)) without an end."""
    import jax

    generator = np.random.default_rng(0)
    shape = (options.batch_size, options.image_size, options.image_size, 3)
    pool = [
        (
            generator.integers(0, 256, shape, "uint8"),
            generator.integers(0, CLASSES, options.batch_size, "int32"),
        )
        for _ in range(POOL)
    ]
    if options.feed == "device":
        pool = jax.device_put(pool)

    def batches_from(step: int) -> Iterator[Any]:
        while True:
            yield pool[step % POOL]
            step += 1

    return batches_from


def train_project(
    options: argparse.Namespace,
    batches: Callable[[int], Iterator[Any]],
    clock: EpochClock,
) -> Any:
    """Trains the network of `experiment=imagenet_resnet50` as `run.py` would."""
    overrides = [
        "experiment=imagenet_resnet50",
        "dataset.path=.",
        "backend=jax",
        f"model=resnet{options.depth}",
        f"trainer.precision={options.precision}",
        f"trainer.batch_size={options.batch_size}",
        f"dataset.image_size={options.image_size}",
        "schedule.milestones=[1]",
        "schedule.warmup_epochs=0",
        f"trainer.epochs={options.epochs}",
        "gpu=auto",
        *options.overrides,
    ]
    run = check_command_line(
        overrides, config_dir=CONFIG_DIR, config_name="config", multirun=False
    ).run
    claimed = choose_gpus(run.gpu, list_gpus())
    devices = confirm_devices(claimed, gpu=run.gpu, backend="jax")
    model = build_model(
        run,
        describe_images(options.image_size),
        steps_per_epoch=options.steps,
        devices=devices,
    )
    fit(
        model,
        train_from=batches,
        validation=None,
        epochs=options.epochs,
        steps_per_epoch=options.steps,
        callbacks={"clock": clock},
    )
    return model


def train_applications(
    options: argparse.Namespace,
    batches: Callable[[int], Iterator[Any]],
    clock: EpochClock,
) -> Any:
    """Trains Keras' own ResNet-50 with Keras' defaults."""
    shape = (options.image_size, options.image_size, 3)
    network = keras.applications.ResNet50(
        weights=None, input_shape=shape, classes=CLASSES, classifier_activation=None
    )
    images = keras.Input(shape, dtype="uint8")
    model = keras.Model(images, network(keras.layers.Rescaling(1 / 127.5, -1)(images)))
    model.compile(
        optimizer=keras.optimizers.SGD(0.1, momentum=0.9),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    model.fit(
        batches(0),
        epochs=options.epochs,
        steps_per_epoch=options.steps,
        callbacks=[clock],
        verbose=0,
    )
    return model


def describe_images(size: int) -> Dataset:
    """Returns a data set of ImageNet's shape, of one black image a class and split."""
    blank = np.zeros((1, 1, 1, 3), "uint8")
    split = ArraySplit(
        images=np.broadcast_to(blank, (CLASSES, 1, 1, 3)),
        labels=np.arange(CLASSES, dtype="int32"),
    )
    return build_dataset(
        name="random",
        class_names=[str(index) for index in range(CLASSES)],
        image_shape=(size, size, 3),
        train=split,
        validation=split,
        mean=MEAN,
        std=STD,
    )


def report(options: argparse.Namespace, clock: EpochClock, begin: float) -> None:
    """Prints the figures."""
    import jax

    device = jax.devices()[0]
    memory = device.memory_stats() or {}
    figures = {
        **describe_epochs(
            options, begin=begin, marks=[wall for wall, _ in clock.marks]
        ),
        "loss": clock.losses[-1]["loss"],
        "peak_gb": round(memory.get("peak_bytes_in_use", 0) / 1e9, 1),
        "device": device.device_kind,
        "versions": {"jax": jax.__version__, "keras": keras.__version__},
    }
    print(json.dumps(figures), flush=True)


def trace(model: Any, batches: Callable[[int], Iterator[Any]], folder: Path) -> None:
    """Writes a profile of ten more steps."""
    import jax

    with jax.profiler.trace(str(folder)):
        model.fit(batches(0), epochs=1, steps_per_epoch=10, verbose=0)


if __name__ == "__main__":
    main()
