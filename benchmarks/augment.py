"""What each augmentation costs an image, beside torchvision's where that is installed.

Ours run as the pipeline runs them, a batch at a time in a compiled function;
torchvision's as its users run them, one image tensor at a time, its mixtures a batch.
Both take turns in one process for each number of threads. CPU seconds tell what an
image costs where other processes take turns at the cores.
"""

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np

from experiments.runtime.environment import prepare_environment
from results import describe_machine, store_plain

SEED = 0
CLASSES = 10


def main() -> int:
    """Measures and stores microseconds an image, on one thread and on two."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, help="measure in this process alone")
    parser.add_argument("--keep", action="store_true", help="record the result")
    options = parser.parse_args()
    if options.threads is not None:
        print(json.dumps(measure(options)))
        return 0
    result = {**describe_machine(), "settings": vars(options)}
    for threads in (1, 2):
        result[f"threads_{threads}"] = found = ask_child(threads)
        show(threads, found["microseconds_an_image"])
    result["load_average_after"] = [round(value, 2) for value in os.getloadavg()]
    return store_plain("augment", result) if options.keep else 0


def ask_child(threads: int) -> dict[str, Any]:
    """Returns what a process of its own, with so many threads, measures."""
    command = [sys.executable, *sys.argv, "--threads", str(threads)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def show(threads: int, figures: dict[str, dict[str, list[float]]]) -> None:
    """Prints CPU microseconds an image and their ratio, a line an augmentation."""
    print(f"\n{threads} threads, CPU us an image: ours, torchvision's, ratio")
    for name, figure in figures.items():
        ours, *others = (cpu for cpu, _ in figure.values())
        text = "".join(f"{other:10.1f}{ours / other:8.2f}" for other in others)
        print(f"{name:18}{ours:10.1f}{text}")


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Returns medians of CPU and wall time by augmentation and contender."""
    prepare_environment(
        gpu="cpu", backend="tensorflow", onednn="auto", deterministic=False
    )
    images = make_images(options.batch, options.size)
    contenders = {"ours": build_ours(images, options.threads)}
    found: dict[str, Any] = {}
    if importlib.util.find_spec("torchvision") is None:
        print("torchvision is not installed: ours only", file=sys.stderr)
    else:
        contenders["torchvision"] = build_torchvision(images, options.threads)
        found["versions"] = {name: version(name) for name in ("torch", "torchvision")}
    samples: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for number in range(options.rounds + 1):
        for name in contenders["ours"]:
            for whose, runs in contenders.items():
                if name in runs:
                    seconds = time_once(runs[name])
                    kept = samples.setdefault((name, whose), [])
                    kept.extend([seconds] if number else [])  # the first warms up
    figures: dict[str, Any] = {}
    for (name, whose), times in samples.items():
        medians = [statistics.median(each) for each in zip(*times, strict=True)]
        figures.setdefault(name, {})[whose] = [
            round(seconds / options.batch * 1e6, 1) for seconds in medians
        ]
    return {**found, "unit": ["CPU", "wall"], "microseconds_an_image": figures}


def make_images(count: int, size: int) -> Any:
    """Returns smooth images with some noise, uint8 `(count, size, size, 3)`."""
    random = np.random.default_rng(SEED)
    y, x = np.mgrid[:size, :size] / size
    waves = random.uniform(1, 9, (count, 1, 1, 3))
    smooth = 127 + 100 * np.sin(waves * (x + 2 * y)[None, ..., None])
    noise = random.normal(0, 10, smooth.shape)
    return np.clip(smooth + noise, 0, 255).astype(np.uint8)


def build_ours(images: Any, threads: int) -> dict[str, Callable[[], Any]]:
    """Returns each file of `conf/augment/` as it is, on the whole batch."""
    import tensorflow as tf

    from experiments import compose
    from experiments.builders.data import build_augmentation
    from experiments.data.pipeline.changes import Changes
    from experiments.data.pipeline.sample_keys import derive_key, key_from_seed

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
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
        changes = Changes(build_augmentation(run, 1), CLASSES)
        compiled = tf.function(changes.change)
        found[name] = lambda f=compiled: f(batch, labels, keys, step)
    return found


def build_torchvision(images: Any, threads: int) -> dict[str, Callable[[], Any]]:
    """Returns torchvision's transforms of the same settings."""
    import torch
    from torchvision.transforms import v2

    torch.set_num_threads(threads)
    torch.manual_seed(SEED)
    batch = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()
    labels = torch.zeros(len(images), dtype=torch.int64)
    size = images.shape[1]
    jitter = {"brightness": 0.4, "contrast": 0.4, "saturation": 0.4}
    three = [
        v2.Grayscale(3),
        v2.RandomSolarize(128, p=1),
        v2.GaussianBlur(7, sigma=(0.1, 2.0)),
    ]
    flip = v2.RandomHorizontalFlip()
    transforms = {
        "flip_crop": v2.Compose([v2.RandomCrop(size, padding=4), flip]),
        "inception_crop": v2.Compose([v2.RandomResizedCrop(size), flip]),
        "affine": v2.RandomAffine(15, translate=(0.1, 0.1), scale=(0.9, 1.1)),
        "color_jitter": v2.ColorJitter(**jitter),
        "three_augment": v2.RandomChoice(three),
        "randaugment": v2.RandAugment(),
        "trivialaugment": v2.TrivialAugmentWide(),
        "random_erasing": v2.RandomErasing(p=0.25, value="random"),
    }
    mixup = v2.MixUp(alpha=0.2, num_classes=CLASSES)
    cutmix = v2.CutMix(num_classes=CLASSES)
    found: dict[str, Callable[[], Any]] = {
        name: lambda t=transform: [t(image) for image in batch]
        for name, transform in transforms.items()
    }
    found["mixup"] = lambda: mixup(batch.float(), labels)  # it takes no integers
    found["cutmix"] = lambda: cutmix(batch, labels)
    return found


def time_once(run: Callable[[], Any]) -> tuple[float, float]:
    """Returns the CPU and the wall seconds of a call."""
    cpu, wall = time.process_time(), time.perf_counter()
    run()
    return time.process_time() - cpu, time.perf_counter() - wall


if __name__ == "__main__":
    raise SystemExit(main())
