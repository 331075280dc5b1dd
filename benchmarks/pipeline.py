"""Images a second from JPEG files to batches, beside decoding them and no more.

All contenders read the same photographs on the same cores, in turn in one process. CPU
seconds tell what an image costs where other processes take turns at the cores.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from experiments.runtime.environment import prepare_environment
from results import describe_machine, store_plain

HEIGHT, WIDTH = 375, 500  # the usual size in ImageNet
QUALITY = 92
SHAPE = (224, 224, 3)
BATCH = 32


def main() -> int:
    """Measures and stores images a second."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    prepare_environment(
        gpu="cpu", backend="tensorflow", onednn="auto", deterministic=False
    )
    result = {**describe_machine(), "settings": vars(options)}
    with tempfile.TemporaryDirectory() as folder:
        paths = write_photographs(Path(folder), options.images)
        passes = build_passes(paths, threads=options.threads)
        samples: dict[str, list[tuple[float, float]]] = {name: [] for name in passes}
        for number in range(options.rounds + 1):
            for name, take in passes.items():
                times = time_pass(take)
                if number:  # the first round warms up
                    samples[name].append(times)
    medians = {
        name: [statistics.median(part) for part in zip(*times, strict=True)]
        for name, times in samples.items()
    }
    raw, raw_cpu = medians["decoding alone"]
    result["pipelines"] = {
        name: {
            "images_per_second": round(options.images / seconds, 1),
            "ratio": round(raw / seconds, 3),
            "ratio_of_cpu": round(raw_cpu / cpu, 3),
        }
        for name, (seconds, cpu) in medians.items()
    }
    for name, figures in result["pipelines"].items():
        print(f"{name:<24}{figures}")
    return store_plain("pipeline", result)


def time_pass(take: Callable[[], None]) -> tuple[float, float]:
    """Returns the seconds that it takes, and those of CPU of all its threads."""
    begin, begin_cpu = time.perf_counter(), time.process_time()
    take()
    return time.perf_counter() - begin, time.process_time() - begin_cpu


def write_photographs(folder: Path, count: int) -> tuple[str, ...]:
    """Writes windows of two real photographs as JPEG files."""
    from PIL import Image
    from sklearn.datasets import load_sample_images

    photographs = load_sample_images().images
    random = np.random.RandomState(0)
    paths = []
    for number in range(count):
        photograph = photographs[number % len(photographs)]
        room = np.subtract(photograph.shape[:2], (HEIGHT, WIDTH))
        top, left = random.randint(0, room + 1)
        window = photograph[top : top + HEIGHT, left : left + WIDTH]
        paths.append(str(folder / f"{number}.jpg"))
        Image.fromarray(window).save(paths[-1], quality=QUALITY)
    return tuple(paths)


def build_passes(
    paths: tuple[str, ...], *, threads: int
) -> dict[str, Callable[[], None]]:
    """Returns contender -> what takes one pass over all images."""
    from experiments.data.augment.inception_crop import InceptionCrop
    from experiments.data.pipeline.pipeline import build_pipeline
    from experiments.data.split import FileSplit

    split = FileSplit(paths, np.zeros(len(paths), np.int32), ("",) * len(paths))
    options: dict[str, Any] = {
        "image_shape": SHAPE,
        "batch_size": BATCH,
        "seed": 0,
        "shuffle": True,
        "epochs": 1,  # whatever is drawn ahead is drawn for this pass
        "drop_remainder": True,
        "parallelism": threads,
    }
    crop = InceptionCrop(area=(0.08, 1.0), ratio=(3 / 4, 4 / 3), flip=True)
    batches = {
        "whole image": build_pipeline(split, cache="none", **options),
        "random crop": build_pipeline(split, cache="none", augment=[crop], **options),
        "kept in memory": build_pipeline(split, cache="memory", **options),
    }
    return {
        name: partial(exhaust, images)
        for name, images in {
            "decoding alone": decode(paths, threads),
            **batches,
        }.items()
    }


def decode(paths: tuple[str, ...], threads: int) -> Any:
    """Returns a data set of decoded images, neither scaled nor batched."""
    import tensorflow as tf

    from experiments.data.pipeline.memory import fixed_options

    images = tf.data.Dataset.from_tensor_slices(list(paths)).map(
        # Only its size leaves the worker: no time goes into handing pixels over.
        lambda path: tf.shape(tf.io.decode_jpeg(tf.io.read_file(path), channels=3)),
        num_parallel_calls=threads,
    )
    return images.with_options(fixed_options(threads))


def exhaust(items: Iterable[Any]) -> None:
    """Takes all of them."""
    for _ in items:
        pass


if __name__ == "__main__":
    raise SystemExit(main())
