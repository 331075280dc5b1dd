"""What is measured of one image, so that it need not be looked at again."""

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.ndimage import laplace

Grey = npt.NDArray[np.float32]

PREVIEW = 16  # pixels a side of what two images are compared by
_SHARPNESS = 256  # pixels a side to which a larger image is shrunk before


@dataclass(frozen=True, kw_only=True, eq=False)
class Measurement:
    """An image in numbers.

    Attributes:
        pixels: Hash of its pixels and shape, as they are decoded.
        file: Hash of its file's bytes; empty for an image in memory.
        phash: 64 bits of the perceptual hash of ImageHash.
        preview: float32 `(256,)`, the image in grey at 16 x 16, with a mean of 0 and a
            length of 1: the product of two is their correlation.
        width: Of the upright image, in pixels.
        height: Likewise.
        contrast: Standard deviation of its grey levels, 0..127.5.
        sharpness: Variance of its Laplacian at no more than 256 pixels a side.
    """

    pixels: str
    file: str
    phash: int
    preview: Grey
    width: int
    height: int
    contrast: float
    sharpness: float


def measure_image(image: npt.NDArray[np.uint8], *, file: bytes = b"") -> Measurement:
    """Measures an image.

    Args:
        image: uint8 `(H, W, C)` of one or three channels.
        file: The file that it is of.

    Reference:
        Zauner (2010), Implementation and benchmarking of perceptual image hash
        functions; Pech-Pacheco et al. (2000), Diatom autofocusing in brightfield
        microscopy (the variance of the Laplacian).
    """
    import imagehash

    grey = Image.fromarray(image[..., 0]) if image.shape[2] == 1 else None
    grey = grey or Image.fromarray(image).convert("L")
    bits = np.packbits(imagehash.phash(grey).hash.reshape(-1))
    return Measurement(
        pixels=_hash(str(image.shape).encode() + np.ascontiguousarray(image).tobytes()),
        file=_hash(file) if file else "",
        phash=int.from_bytes(bits.tobytes()),
        preview=_preview(grey),
        width=image.shape[1],
        height=image.shape[0],
        contrast=float(np.asarray(grey, np.float32).std()),
        sharpness=_measure_sharpness(grey),
    )


def _preview(grey: Image.Image) -> Grey:
    small = grey.resize((PREVIEW, PREVIEW), Image.Resampling.BOX)
    values = np.asarray(small, np.float32).reshape(-1)
    centred = values - values.mean()
    length = float(np.linalg.norm(centred))
    return centred / length if length else centred


def _measure_sharpness(grey: Image.Image) -> float:
    """Returns it by the kernel 0 1 0, 1 -4 1, 0 1 0, mirrored at the border."""
    small = grey.copy()
    small.thumbnail((_SHARPNESS, _SHARPNESS), Image.Resampling.BOX)
    return float(laplace(np.asarray(small, np.float32), mode="reflect").var())


def _hash(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()
