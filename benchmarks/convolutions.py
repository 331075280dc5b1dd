"""Convolutions over small maps: TensorFlow's CPU kernels against one product each.

Both take turns in one process: layers in the shapes of a ResNet's late stages, on both
sides of the limits of `speedups/convolution.py`, and whole training steps.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from experiments.builders.data import build_dataset, build_pipelines
from experiments.builders.devices import claim_devices, configure_framework
from experiments.builders.model import build_model
from experiments.command.plan import check_command_line
from experiments.runtime.environment import prepare_environment
from results import describe_machine, store_plain

CONFIG_DIR = Path(__file__).resolve().parent.parent / "conf"
# Kernel's side, stride, channels, filters.
LAYERS = (
    (1, 1, 256, 1024),
    (1, 1, 1024, 256),
    (1, 1, 512, 2048),
    (1, 1, 2048, 512),
    (1, 2, 512, 1024),
    (1, 2, 1024, 2048),
    (3, 1, 256, 256),
    (3, 1, 512, 512),
    (3, 2, 512, 512),
)
SIDES = (2, 3, 4, 7)  # of the map that a layer gives
BATCHES = (16, 64)
NETWORKS = {
    "the default run": (),
    "notebook, 64 px": (
        "experiment=notebook",
        "debug=one_step",
        "dataset.image_size=64",
    ),
    "resnet18, 32 px": (
        "model=resnet18",
        "dataset=synthetic",
        "dataset.image_size=32",
    ),
    "resnet50, 32 px": (
        "model=resnet50",
        "dataset=synthetic",
        "dataset.image_size=32",
    ),
}


def main() -> int:
    """Measures and stores layers and networks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.0, help="of a layer")
    parser.add_argument("--steps", type=int, default=20, help="of a network, each way")
    parser.add_argument("--machine", help="added to the result's name")
    options = parser.parse_args()
    prepare_environment(
        gpu="cpu", backend="tensorflow", onednn="auto", deterministic=False
    )
    result = {**describe_machine(), "settings": vars(options)}
    result["networks"] = {
        name: measure_network(name, steps=options.steps) for name in NETWORKS
    }
    result["layers"] = [
        measure_layer(*layer, side=side, batch=batch, seconds=options.seconds)
        for layer in LAYERS
        for side in SIDES
        for batch in BATCHES
    ]
    suffix = f"-{options.machine}" if options.machine else ""
    return store_plain(f"convolutions{suffix}", result)


def measure_layer(
    kernel: int,
    stride: int,
    channels: int,
    filters: int,
    *,
    side: int,
    batch: int,
    seconds: float,
) -> dict[str, Any]:
    """Times a layer with its two gradients, both ways in turn."""
    import keras
    import tensorflow as tf

    from experiments.speedups.convolution import is_faster, multiply

    steps = []
    size = side * stride
    maps = tf.random.normal((batch, size, size, channels))
    upstream = tf.random.normal((batch, side, side, filters))
    for product in (False, True):
        layer = keras.layers.Conv2D(
            filters, kernel, strides=stride, padding="same", use_bias=False
        )
        layer.build(maps.shape)
        convolve = partial(multiply, layer) if product else layer.convolution_op
        steps.append(make_step(convolve, layer.kernel, maps, upstream))
    plain, product = take_turns(steps, seconds=seconds)
    name = f"{kernel} x {kernel}{f' / {stride}' * (stride > 1)}"
    figures = {
        "layer": f"{name}, {channels} to {filters}",
        "positions": side * side,
        "batch_size": batch,
        "milliseconds": round(1000 * plain, 2),
        "milliseconds_of_the_product": round(1000 * product, 2),
        "lowered": is_faster((kernel, kernel, channels, filters), side * side),
    }
    print(figures, flush=True)
    return figures


def make_step(
    convolve: Callable[[Any, Any], Any], kernel: Any, maps: Any, upstream: Any
) -> Callable[[], Any]:
    """Returns what computes a convolution and the gradients of maps and kernel."""
    import tensorflow as tf

    @tf.function(autograph=False)
    def step(maps: Any, upstream: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(maps)
            result = convolve(maps, kernel)
        return tape.gradient(result, [maps, kernel.value], upstream)

    return partial(step, maps, upstream)


def measure_network(name: str, *, steps: int) -> dict[str, Any]:
    """Times whole training steps of a configured network, both ways in turn."""
    takes = []
    for lowered in (False, True):
        switch = f"trainer.lowered_convolutions={lowered}"
        overrides = [*NETWORKS[name], "gpu=cpu", "trainer.batch_size=16", switch]
        takes.append(make_training_step(overrides))
    plain, product = take_turns(takes, rounds=steps)
    figures = {
        "images_per_second": round(16 / plain, 1),
        "images_per_second_lowered": round(16 / product, 1),
        "ratio": round(plain / product, 3),
    }
    print(name, figures, flush=True)
    return figures


def make_training_step(overrides: Sequence[str]) -> Callable[[], Any]:
    """Returns what takes the next step of the run of these overrides."""
    run = check_command_line(overrides, config_dir=CONFIG_DIR).run
    devices = configure_framework(run, claim_devices(run))
    dataset = build_dataset(run)
    pipelines = build_pipelines(run, dataset)
    model = build_model(
        run, dataset, steps_per_epoch=pipelines.steps_per_epoch, devices=devices
    )
    model.make_train_function()
    return partial(model.train_function, iter(pipelines.train_from(0)))


def take_turns(
    steps: Sequence[Callable[[], Any]], *, seconds: float = 0.0, rounds: int = 5
) -> list[float]:
    """Returns the median time of each, in seconds, warmed up."""
    samples: list[list[float]] = [[] for _ in steps]
    for step in steps:
        step()
        step()
    end = time.perf_counter() + seconds
    while len(samples[0]) < rounds or time.perf_counter() < end:
        for step, times in zip(steps, samples, strict=True):
            begin = time.perf_counter()
            step()
            times.append(time.perf_counter() - begin)
    return [statistics.median(times) for times in samples]


if __name__ == "__main__":
    raise SystemExit(main())
