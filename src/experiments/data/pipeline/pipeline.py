"""The one input pipeline: stateless, addressed by the step over all epochs."""

import math
import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from experiments.counts import count_of
from experiments.data.augment.until import Until
from experiments.data.augmentation import Augment, MixAugment
from experiments.data.images.decode import decode_image
from experiments.data.images.resize import resize_images
from experiments.data.pipeline.changes import Changes
from experiments.data.pipeline.memory import fixed_options, keep_in_memory
from experiments.data.pipeline.order import SampleOrder
from experiments.data.split import ArraySplit, FileSplit, Split
from experiments.errors import DataError

# One batch is on its way to the device while the next is made.
_PREFETCHED_BATCHES = 2
# Making a batch in parallel with others pays above this size only.
_LARGE_BATCH_BYTES = 2**20
_PARALLEL_BATCHES = 4


def build_pipeline(
    split: Split,
    *,
    image_shape: tuple[int, int, int],
    batch_size: int,
    seed: int,
    augment: Sequence[Augment | MixAugment | Until] = (),
    repeats: int = 1,
    classes: int | None = None,
    shuffle: bool,
    epochs: int | None,
    start_step: int = 0,
    drop_remainder: bool,
    cache: str = "auto",
    parallelism: int | None = None,
    draw: Callable[[int], npt.NDArray[np.int64]] | None = None,
) -> Any:
    """Builds a `tf.data.Dataset` of uint8 images and int32 labels.

    Step `k` is a function of the arguments and `k` alone: `start_step=k` continues an
    earlier run exactly, and the parallelism changes nothing but the speed. All epochs
    are one data set, so that no iterator is torn down between them.

    Args:
        split: Where the images are.
        image_shape: `(H, W, C)` to deliver.
        batch_size: Images in a step.
        seed: Any integer; decides the order and the augmentation.
        augment: Applied to every image, one after another, each with a key from (seed,
            epoch, index) and its place.
        repeats: How often an image comes in a row, see `SampleOrder`.
        classes: How many there are; needed where an augmentation mixes labels.
        shuffle: Another order each epoch; otherwise the split's own.
        epochs: Passes over the split; `None` never ends.
        start_step: First step, counted from the first epoch's beginning.
        drop_remainder: Leave out an epoch's incomplete last batch. Every batch then
            has a static size.
        cache: `auto` keeps up to 1 GiB decoded in memory unless that changes the
            images, `memory` always, `none` never.
        parallelism: Threads; `None` for one per CPU core.
        draw: Which images an epoch has, see `SampleOrder`; with `shuffle` only.

    Returns:
        Batches of images uint8 `(B, H, W, C)` and labels int32 `(B,)`, or float32
        `(B, classes)` where an augmentation mixes them; and weights float32 `(B,)`
        where the split has some.

    Raises:
        DataError: Too few images for a batch, or other channels than the images have.
    """
    _check_channels(split, image_shape)
    steps = steps_per_epoch(split, batch_size, drop_remainder)
    order = SampleOrder(
        count=len(split),
        batch_size=batch_size,
        seed=seed,
        shuffle=shuffle,
        drop_remainder=drop_remainder,
        draw=draw,
        repeats=repeats,
    )
    changes = Changes(augment, classes)
    threads = parallelism or os.cpu_count() or 1
    split = keep_in_memory(
        split,
        image_shape=image_shape,
        cache=cache,
        crops=changes.crops,
        threads=threads,
    )
    last = np.iinfo(np.int64).max // batch_size if epochs is None else steps * epochs
    arguments = (order, changes, image_shape, threads)
    with tf.device("/CPU:0"):
        addressed = order.follow(tf.data.Dataset.range(start_step, last))
        if isinstance(split, ArraySplit):
            batches = _batch_arrays(addressed, split, *arguments)
        else:
            batches = _batch_files(addressed, split, *arguments)
    return batches.prefetch(_PREFETCHED_BATCHES).with_options(fixed_options(threads))


def steps_per_epoch(split: Split, batch_size: int, drop_remainder: bool) -> int:
    """Returns the number of steps in which every image is seen once.

    Raises:
        DataError: There is no step, because the split is smaller than a batch.
    """
    steps = SampleOrder(
        count=len(split),
        batch_size=batch_size,
        seed=0,
        shuffle=False,
        drop_remainder=drop_remainder,
    ).steps_per_epoch
    if steps == 0:
        raise DataError(
            f"The split has {count_of(len(split), 'image')}, fewer than one batch of "
            f"{batch_size}. "
            f"Set trainer.batch_size to at most {max(len(split), 1)}."
        )
    return steps


def _check_channels(split: Split, image_shape: tuple[int, int, int]) -> None:
    channels = split.images.shape[-1] if isinstance(split, ArraySplit) else None
    if channels not in (None, image_shape[-1]):
        raise DataError(
            f"The images have {count_of(channels or 0, 'channel')}. Received: "
            f"image_shape={image_shape}."
        )


def _batch_arrays(
    steps: Any,
    split: ArraySplit,
    order: SampleOrder,
    changes: Changes,
    image_shape: tuple[int, int, int],
    threads: int,
) -> Any:
    """Returns batches that one function gathers and augments as a whole."""
    images, labels = tf.constant(split.images), tf.constant(split.labels)
    weights = None if split.weights is None else tf.constant(split.weights)

    @tf.autograph.experimental.do_not_convert
    def load(step: Any, sequence: Any = None) -> Any:
        indices = order.locate_batch(step, sequence)
        batch = resize_images(tf.gather(images, indices), image_shape[:2])
        keys = order.derive_keys(step, indices)
        return changes.change(
            batch,
            tf.gather(labels, indices),
            keys,
            step,
            weights=None if weights is None else tf.gather(weights, indices),
        )

    large = order.batch_size * math.prod(image_shape) >= _LARGE_BATCH_BYTES
    calls = min(threads, _PARALLEL_BATCHES) if large else None
    return steps.map(load, num_parallel_calls=calls)


def _batch_files(
    steps: Any,
    split: FileSplit,
    order: SampleOrder,
    changes: Changes,
    image_shape: tuple[int, int, int],
    threads: int,
) -> Any:
    """Returns batches of files that are decoded one by one in parallel."""
    paths, labels = tf.constant(split.paths), tf.constant(split.labels)
    has_weights = split.weights is not None
    weights = tf.constant(split.weights) if has_weights else tf.ones(len(split))
    crop = changes.crop

    @tf.autograph.experimental.do_not_convert
    def locate(step: Any, sequence: Any = None) -> Any:
        indices, used = order.locate_places(step, sequence)
        keys = order.derive_keys(step, indices)
        draws = keys if crop is None else crop.draw(keys)
        steps = tf.broadcast_to(step, tf.shape(indices))
        return indices, keys, used, draws, steps

    @tf.autograph.experimental.do_not_convert
    def load(index: Any, key: Any, used: Any, draws: Any, step: Any) -> Any:
        content = tf.io.read_file(paths[index])
        decode = partial(
            decode_image,
            content,
            image_shape=image_shape,
            crop_ratio=split.crop_ratio,
            background=split.background,
            max_pixels=split.max_pixels,
        )
        crops = crop is not None and changes.is_on(0, step)
        if crops is True or crops is False:
            image = decode(crop=crop, draws=draws)
        else:
            image = tf.cond(crops, partial(decode, crop=crop, draws=draws), decode)
        image = tf.ensure_shape(image, image_shape)
        return image, labels[index], weights[index], key, used, step

    @tf.autograph.experimental.do_not_convert
    def finish(
        images: Any, labels: Any, weights: Any, keys: Any, used: Any, steps: Any
    ) -> Any:
        step = steps[0]
        if not order.drop_remainder:
            count = tf.math.count_nonzero(used)
            images, labels, keys = images[:count], labels[:count], keys[:count]
            weights = weights[:count]
        return changes.change(
            images,
            labels,
            keys,
            step,
            is_cropped=crop is not None,
            weights=weights if has_weights else None,
        )

    samples = steps.map(locate).unbatch().map(load, num_parallel_calls=threads)
    batches = samples.batch(order.batch_size, drop_remainder=True)
    return batches.map(finish, num_parallel_calls=min(threads, _PARALLEL_BATCHES))
