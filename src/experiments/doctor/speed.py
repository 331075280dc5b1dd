"""How fast photographs are decoded here, as a training decodes them."""

import io
import os
import time

import numpy as np
from PIL import Image

from experiments.doctor.finding import Finding

_SIZE, _SHAPE = (500, 375), (224, 224, 3)  # of ImageNet's photographs, and the usual
_IMAGES = 400


def check_decoding(images: int = _IMAGES) -> Finding:
    """Decodes a JPEG of an ordinary size again and again, on all threads.

    Args:
        images: How often.
    """
    import tensorflow as tf

    from experiments.data.images.decode import decode_image

    def decode(content: object) -> object:
        return decode_image(content, image_shape=_SHAPE, crop_ratio=0.875)

    with tf.device("/CPU:0"):
        contents = tf.data.Dataset.from_tensors(_make_photograph()).repeat(images)
        threads = os.cpu_count() or 1
        decoded = contents.map(decode, num_parallel_calls=threads)
        for _ in decoded.take(threads):  # traces it
            pass
        start = time.perf_counter()
        for _ in decoded:
            pass
        seconds = time.perf_counter() - start
    told = f"{images / seconds:,.0f} photographs/s of 500 x 375 pixels"
    return Finding(level="ok", what="decoding", told=told)


def _make_photograph() -> bytes:
    """Returns a JPEG that is as smooth and as rough as a photograph."""
    rough = np.random.default_rng(0).normal(0, 12, (_SIZE[1], _SIZE[0], 3))
    rows, columns = np.mgrid[: _SIZE[1], : _SIZE[0]]
    smooth = 128 + 60 * np.sin(rows / 40) + 50 * np.cos(columns / 55)
    pixels = np.clip(smooth[..., None] + rough, 0, 255).astype(np.uint8)
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, format="jpeg", quality=90)
    return content.getvalue()
