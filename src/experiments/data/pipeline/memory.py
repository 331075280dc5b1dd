"""Decodes or resizes a whole split once and keeps it in memory."""

import logging
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from experiments.data.images.decode import decode_image
from experiments.data.images.resize import resize_images
from experiments.data.pipeline.damage import naming_damaged_files
from experiments.data.split import ArraySplit, FileSplit, Split

_log = logging.getLogger(__name__)

# `auto` keeps at most this much of each split; three splits fit a small laptop.
AUTO_LIMIT_BYTES = 2**30
_RESIZE_BATCH = 256


def keep_in_memory(
    split: Split,
    *,
    image_shape: tuple[int, int, int],
    cache: str,
    crops: bool,
    threads: int | None,
) -> Split:
    """Returns the split with its images in memory and in shape, where `cache` says so.

    Args:
        split: The split.
        image_shape: `(H, W, C)` to bring the images to.
        cache: `none` leaves the split as it is. `auto` keeps it when it needs at most
            1 GiB and the result of the augmentation stays the same. `memory` keeps it
            always: then a cropping augmentation cuts its windows out of images that
            are already scaled to `image_shape`.
        crops: Whether a cropping augmentation begins with the original image.
        threads: Decoding threads; `None` for one per CPU core.
    """
    needed = len(split) * int(np.prod(image_shape))
    if cache == "none" or (cache == "auto" and needed > AUTO_LIMIT_BYTES):
        return split
    if cache == "auto" and crops:
        return split
    if isinstance(split, FileSplit):
        _log.info("Decoding %d images into %.2f GB", len(split), needed / 1e9)
        return ArraySplit(
            decode_files(split, image_shape, threads=threads),
            split.labels,
            weights=split.weights,
        )
    if split.images.shape[1:] == image_shape:
        return split
    resized = _resize_all(split.images, image_shape)
    return ArraySplit(resized, split.labels, weights=split.weights)


def decode_files(
    split: FileSplit,
    image_shape: tuple[int, int, int],
    *,
    indices: npt.NDArray[np.int_] | None = None,
    threads: int | None = None,
) -> npt.NDArray[np.uint8]:
    """Returns uint8 `(N, H, W, C)`: the central crop of each file, in order.

    Args:
        split: The files.
        image_shape: `(H, W, C)`.
        indices: Which of them; all by default.
        threads: Decoding threads; `None` for one per CPU core.

    Raises:
        DataError: A file does not decode; names it.
    """
    chosen = np.arange(len(split)) if indices is None else indices
    result = np.empty((len(chosen), *image_shape), np.uint8)
    if not len(chosen):
        return result

    @tf.autograph.experimental.do_not_convert
    def load(path: Any) -> Any:
        return decode_image(
            tf.io.read_file(path),
            image_shape=image_shape,
            crop_ratio=split.crop_ratio,
            background=split.background,
            max_pixels=split.max_pixels,
        )

    with tf.device("/CPU:0"):
        files = tf.data.Dataset.from_tensor_slices([split.paths[i] for i in chosen])
    images = files.map(load, num_parallel_calls=threads or 1, deterministic=True)
    with naming_damaged_files(split):
        for position, image in enumerate(images.with_options(fixed_options(threads))):
            result[position] = image
    return result


def fixed_options(threads: int | None) -> Any:
    """Returns tf.data options: deterministic, a fixed pool, no autotuning.

    Autotuning saves nothing when the parallelism is fixed, and tearing it down can
    block for seconds.

    Args:
        threads: Size of the pool; `None` for one thread per CPU core.
    """
    options = tf.data.Options()
    options.deterministic = True
    options.autotune.enabled = False
    options.threading.max_intra_op_parallelism = 1
    options.threading.private_threadpool_size = threads or 1
    # Steps are numbers, not files: replicas share each batch.
    options.experimental_distribute.auto_shard_policy = (
        tf.data.experimental.AutoShardPolicy.DATA
    )
    return options


def _resize_all(
    images: npt.NDArray[np.uint8], image_shape: tuple[int, int, int]
) -> npt.NDArray[np.uint8]:
    result = np.empty((len(images), *image_shape), np.uint8)
    for start in range(0, len(images), _RESIZE_BATCH):
        part = slice(start, start + _RESIZE_BATCH)
        with tf.device("/CPU:0"):
            result[part] = resize_images(tf.constant(images[part]), image_shape[:2])
    return result
