"""Reads any number of image files in constant memory, in order, and says which fail."""

import itertools
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from experiments.data.files.scanning.scan import is_text, scan_files
from experiments.data.images.background import WHITE, Colour
from experiments.data.images.decode import decode_image
from experiments.data.images.image_size import MAX_PIXELS

_FILES_AT_ONCE = 128


@dataclass(frozen=True, kw_only=True, eq=False)
class ReadImage:
    """A file that was read.

    Attributes:
        path: As it was named.
        digest: Hash of its content, see `ScannedFile`.
        pixels: uint8 `(H, W, C)`; `None` for one that is no usable image.
        fault: Why it is none, half a sentence.
    """

    path: str
    digest: str
    pixels: npt.NDArray[np.uint8] | None
    fault: str | None = None


def read_images(
    paths: Iterable[str],
    *,
    image_shape: tuple[int, int, int],
    crop_ratio: float,
    background: Colour = WHITE,
    max_pixels: int = MAX_PIXELS,
    threads: int | None = None,
) -> Iterator[ReadImage]:
    """Decodes files as a training does, see `decode_image`.

    Args:
        paths: Files in any number; they are asked for as they are needed.
        image_shape: `(H, W, C)` to deliver.
        crop_ratio: Share of the shorter side that the central window has.
        background: Behind what is transparent.
        max_pixels: A file that declares more is not decoded.
        threads: Files decoded at once; `None` for one per CPU core.

    Yields:
        Each file in its order, those that cannot be used included.
    """

    @tf.function(input_signature=[tf.TensorSpec((), tf.string)])
    def decode(content: Any) -> Any:
        return decode_image(
            content,
            image_shape=image_shape,
            crop_ratio=crop_ratio,
            background=background,
            max_pixels=max_pixels,
        )

    def read(path: str, digest: str, fault: str | None) -> ReadImage:
        if fault is None and not is_text(path):
            fault = "has a name that is no UTF-8"
        if fault is not None:
            return ReadImage(path=path, digest=digest, pixels=None, fault=fault)
        try:
            with tf.device("/CPU:0"):
                pixels = traced(tf.constant(Path(path).read_bytes())).numpy()
        except (tf.errors.OpError, OSError) as error:
            reason = getattr(error, "message", str(error)).splitlines()[0]
            fault = f"cannot be read ({reason})"
            return ReadImage(path=path, digest=digest, pixels=None, fault=fault)
        return ReadImage(path=path, digest=digest, pixels=pixels)

    with tf.device("/CPU:0"):
        # Once, and not by each thread that finds it untraced.
        traced = decode.get_concrete_function()
    names = iter(paths)
    with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        while chunk := list(itertools.islice(names, _FILES_AT_ONCE)):
            # Absolute names stay what they are when joined to a root.
            scanned = scan_files(
                Path(), chunk, verify="full", max_pixels=max_pixels, threads=threads
            )
            arguments = [(file.name, file.digest, file.fault) for file in scanned]
            yield from pool.map(read, *zip(*arguments, strict=True))
