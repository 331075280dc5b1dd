"""What each augmentation costs an image, beside torchvision's where that is installed.

Ours run as the pipeline runs them, a batch at a time in a compiled function on one
core; torchvision's as its users run them, one image tensor at a time on one core. CPU
seconds tell what an image costs where other processes take turns at the cores.
"""

import argparse
import importlib.util
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from experiments.runtime.environment import prepare_environment
from results import describe_machine, store_plain

SEED = 0


def main() -> int:
    """Measures and stores microseconds of one core an image."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--keep", action="store_true", help="record the result")
    options = parser.parse_args()
    prepare_environment(
        gpu="cpu", backend="tensorflow", onednn="auto", deterministic=False
    )
    images = make_images(options.batch, options.size)
    contenders = build_ours(images)
    if importlib.util.find_spec("torchvision") is None:
        print("torchvision is not installed: ours only")
    else:
        contenders |= build_torchvision(images)
    samples: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(options.rounds + 1):
        for name, run in contenders.items():
            seconds = time_once(run)
            if number:  # the first round warms up
                samples[name].append(seconds)
    figures = {
        name: round(statistics.median(times) / options.batch * 1e6, 1)
        for name, times in samples.items()
    }
    for name, figure in figures.items():
        print(f"{name:32} {figure:10.1f} us an image")
    if options.keep:
        result = {**describe_machine(), "settings": vars(options)}
        store_plain("augment", {**result, "microseconds_an_image": figures})
    return 0


def make_images(count: int, size: int) -> Any:
    """Returns smooth images with some noise, uint8 `(count, size, size, 3)`."""
    random = np.random.default_rng(SEED)
    y, x = np.mgrid[:size, :size] / size
    waves = random.uniform(1, 9, (count, 1, 1, 3))
    smooth = 127 + 100 * np.sin(waves * (x + 2 * y)[None, ..., None])
    noise = random.normal(0, 10, smooth.shape)
    return np.clip(smooth + noise, 0, 255).astype(np.uint8)


def build_ours(images: Any) -> dict[str, Callable[[], Any]]:
    """Returns each file of `conf/augment/` as it is, on the whole batch."""
    import tensorflow as tf

    from experiments import compose
    from experiments.builders.data import build_augmentation
    from experiments.data.pipeline.changes import Changes
    from experiments.data.pipeline.sample_keys import derive_key, key_from_seed

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    batch = tf.constant(images)
    keys = derive_key(key_from_seed(SEED), tf.range(len(images)))
    labels = tf.zeros(len(images), tf.int32)
    step = tf.constant(0, tf.int64)
    names = (
        *("flip_crop", "inception_crop", "affine", "color_jitter", "three_augment"),
        *("randaugment", "trivialaugment", "random_erasing", "mixup", "cutmix"),
    )
    found = {}
    for name in names:
        run = compose([f"augment={name}"]).run
        changes = Changes(build_augmentation(run, 1), 10)
        compiled = tf.function(changes.change)
        found[f"ours {name}"] = lambda f=compiled: f(batch, labels, keys, step)
    return found


def build_torchvision(images: Any) -> dict[str, Callable[[], Any]]:
    """Returns torchvision's transforms of the same settings, image by image."""
    import torch
    from torchvision.transforms import v2

    torch.set_num_threads(1)
    tensors = list(torch.from_numpy(images).permute(0, 3, 1, 2).contiguous())
    size = images.shape[1]
    jitter = {"brightness": 0.4, "contrast": 0.4, "saturation": 0.4}
    transforms = {
        "inception_crop": v2.RandomResizedCrop(size, antialias=True),
        "affine": v2.RandomAffine(15, translate=(0.1, 0.1), scale=(0.9, 1.1)),
        "color_jitter": v2.ColorJitter(**jitter),
        "randaugment": v2.RandAugment(),
        "trivialaugment": v2.TrivialAugmentWide(),
        "random_erasing": v2.RandomErasing(p=0.25),
    }
    return {
        f"torchvision {name}": lambda t=transform: [t(image) for image in tensors]
        for name, transform in transforms.items()
    }


def time_once(run: Callable[[], Any]) -> float:
    """Returns the CPU seconds of a call."""
    begun = time.process_time()
    run()
    return time.process_time() - begun


if __name__ == "__main__":
    raise SystemExit(main())
