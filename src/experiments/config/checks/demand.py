"""What a training needs of memory at least, told before anything is allocated.

Only what is certain is counted, hence a job that could run is never refused. That the
rest does not fit either shows in the run.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from experiments.config.checks.resnet_size import NetworkSize, measure_resnet
from experiments.config.schema.datasets.dataset import (
    ArchiveConfig,
    DatasetConfig,
    DigitsConfig,
    FilesConfig,
    SyntheticConfig,
)
from experiments.config.schema.models.model import ResNetConfig
from experiments.config.schema.optimizer import OptimizerConfig, SGDConfig
from experiments.config.schema.run import RunConfig
from experiments.config.schema.task import TrainTaskConfig
from experiments.counts import count_of
from experiments.errors import Problem

_FLOAT = 4  # bytes


@dataclass(frozen=True, kw_only=True)
class Demand:
    """Memory that one part of a job needs.

    Attributes:
        key: The key that asks for it.
        purpose: What it is for, as in `for the images of one batch`.
        size: Bytes.
        hint: What to do when there are not as many.
        on_device: Whether a GPU holds it where there is one.
    """

    key: str
    purpose: str
    size: int
    hint: str
    on_device: bool = False


def find_excess(
    run: RunConfig, memory: int | None, *, on_device: bool | None = None
) -> Iterator[Problem]:
    """Yields a problem when a job needs more memory than there is.

    Args:
        run: The job.
        memory: Bytes; `None` when unknown.
        on_device: `True` for what a GPU holds, `False` for the rest, `None` for all of
            it, where the CPU computes.
    """
    demands = [
        demand
        for demand in list_demands(run)
        if on_device is None or demand.on_device == on_device
    ]
    needed = sum(demand.size for demand in demands)
    if memory is None or needed <= memory:
        return
    largest = max(demands, key=lambda demand: demand.size)
    place = "the GPU" if on_device else "this machine"
    has = f"{place} has {write_bytes(memory)}."
    reason = f"would need about {write_bytes(largest.size)} of memory {largest.purpose}"
    if largest.size <= memory:
        total = write_bytes(needed)
        reason += f", and the whole job at least {total}"
    yield Problem(largest.key, f"{reason}; {has}", largest.hint)


def list_demands(run: RunConfig) -> Iterator[Demand]:
    """Yields what a training certainly needs; nothing for other tasks."""
    recorded = run.from_search is not None  # another config decides
    if isinstance(run.task, TrainTaskConfig) and not recorded:
        yield from _list_of_images(run)
        yield from _list_of_network(run)


def write_bytes(count: int) -> str:
    """Returns a size in words: `3.1 TB`."""
    for unit, size in (("EB", 10**18), ("PB", 10**15), ("TB", 10**12), ("GB", 10**9)):
        if count >= size:
            number = count / size
            return f"{number:,.1f} {unit}" if number < 10 else f"{number:,.0f} {unit}"
    return f"{count / 1e6:.3g} MB"


def _list_of_images(run: RunConfig) -> Iterator[Demand]:
    dataset = run.dataset
    bytes_each = _count_pixels(dataset)
    if bytes_each is None:
        return
    if isinstance(dataset, SyntheticConfig):
        yield Demand(
            key="dataset.images",
            purpose=f"for {count_of(dataset.images, 'made-up image')}",
            # Those that are made, and as many divided into splits.
            size=2 * dataset.images * bytes_each,
            hint="Lower it or dataset.image_size.",
        )
    elif (images := _count_cached(dataset)) > 0:
        yield Demand(
            key="dataset.cache",
            purpose=f"for {count_of(images, 'scaled image')}",
            size=images * bytes_each,
            hint="Set it to none, or lower dataset.image_size.",
        )
    yield Demand(
        key="trainer.batch_size",
        purpose="for the images of one batch",
        size=_count_batch(run) * bytes_each,
        hint="Lower it or dataset.image_size.",
    )


def _list_of_network(run: RunConfig) -> Iterator[Demand]:
    network = measure_network(run)
    if network is None:
        return
    copies = 1 + _count_slots(run.optimizer)
    yield Demand(
        key="model",
        purpose=f"for {count_of(network.parameters, 'weight')} and what "
        f"{run.optimizer._target_.rpartition('.')[2]} keeps of each",
        size=_FLOAT * network.parameters * copies,
        hint="Take a smaller network, such as model=resnet18, or a lower model.width.",
        on_device=True,
    )
    element = _FLOAT if run.trainer.precision == "float32" else _FLOAT // 2
    # XLA may compute a map again instead of keeping it.
    keeps_all = run.backend == "tensorflow" and run.gpu == "cpu"
    keeps_all = keeps_all and run.trainer.jit is not True
    elements = network.block_inputs if keeps_all else network.largest_map
    images = _count_micro_batch(run)
    yield Demand(
        key="trainer.batch_size",
        purpose=f"for the maps between the blocks of {count_of(images, 'image')}",
        size=images * elements * element,
        hint="Lower it, dataset.image_size or model.width, or set trainer.oom=accum"
        "ulate.",
        on_device=True,
    )


def measure_network(run: RunConfig) -> NetworkSize | None:
    """Returns the size of a network of this project; `None` when it is not known."""
    dataset, model = run.dataset, run.model
    size, channels = dataset.known_size, dataset.known_channels
    if not isinstance(model, ResNetConfig) or size is None or channels is None:
        return None
    classes = dataset.known_classes or 0  # only the data can tell
    return measure_resnet(model, size=size, channels=channels, classes=classes)


def _count_cached(dataset: DatasetConfig) -> int:
    """Returns how many training images are kept in memory at least."""
    if not isinstance(dataset, DigitsConfig | ArchiveConfig):
        return 0
    known = dataset.known_images
    if known is None or dataset.cache != "memory":
        return 0
    # Of what is published, a sixth or less are test images.
    test = dataset.test_fraction if isinstance(dataset, DigitsConfig) else 1 / 6
    return int(known * (1 - test - dataset.validation_fraction))


def _count_pixels(dataset: DatasetConfig) -> int | None:
    """Returns the bytes of an image, one a pixel and channel."""
    size, channels = dataset.known_size, dataset.known_channels
    return None if size is None or channels is None else size**2 * channels


def _count_batch(run: RunConfig) -> int:
    """Returns how many images a batch holds at least.

    Of arrays it is cut where they end, of files it is made whole first.
    """
    wanted, known = run.trainer.batch_size, run.dataset.known_images
    if isinstance(run.dataset, FilesConfig):
        return wanted
    return 0 if known is None else min(wanted, known)


def _count_micro_batch(run: RunConfig) -> int:
    """Returns how many images one device sees at once at least."""
    if run.trainer.oom == "accumulate":
        return 1
    gpus = len(run.gpu) if isinstance(run.gpu, list) else 1
    if run.gpu == "all":
        return 1
    images = _count_batch(run)
    return math.ceil(images / run.trainer.accumulate_steps / gpus)


def _count_slots(optimizer: OptimizerConfig) -> int:
    """Returns how many values an optimizer keeps of each weight at least."""
    average = int(optimizer.ema_momentum is not None)
    if isinstance(optimizer, SGDConfig):
        return int(optimizer.momentum > 0) + average
    return optimizer.slots + average
