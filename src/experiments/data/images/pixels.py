"""What a viewer shows of an image file, by Pillow: no TensorFlow is needed.

`experiments.data.images.decode.decode_image` reads all but plain JPEGs with it.
"""

import io
import zlib

import numpy as np
import numpy.typing as npt
from PIL import Image
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from experiments.data.images.background import WHITE, Colour
from experiments.data.images.image_end import png_chunks
from experiments.data.images.image_header import detect_format
from experiments.data.images.image_size import (
    MAX_PIXELS,
    describe_excess,
    refuse_excess,
)
from experiments.data.images.orientation import parse_orientation

# Without `Image.open`, which tries formats in turn, makes a stack of pictures of some
# JPEGs and warns of large images.
_READERS: dict[str, type[ImageFile]] = {
    "JPEG": JpegImageFile,
    "PNG": PngImageFile,
    "GIF": GifImageFile,
    "BMP": BmpImageFile,
    "WebP": WebPImageFile,
}
_PNG_SIGNATURE_BYTES = 8
_PNG_DEPTH = 24  # where a PNG says how many bits a sample has
_NEEDED_CHUNKS = {b"IHDR", b"PLTE", b"tRNS", b"eXIf", b"IDAT", b"IEND"}
# What brings an image of that orientation upright.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def read_pixels(
    content: bytes, background: Colour = WHITE, max_pixels: int = MAX_PIXELS
) -> npt.NDArray[np.uint8]:
    """Decodes a whole JPEG, PNG, GIF, BMP or WebP file.

    The image stands upright (EXIF), what is transparent shows the background, of an
    animation the first frame is taken, and of 16 bits the upper eight. Colour
    profiles are not applied.

    Args:
        content: The file's bytes; what lies behind the image's end is ignored.
        background: Red, green and blue, 0 to 255.
        max_pixels: A file that declares more is refused before it is decoded.

    Returns:
        uint8 `(H, W, 3)`.

    Raises:
        ValueError: The content is damaged, of another format or too large, or its
            colours can be understood in two ways.
    """
    try:
        image = _open(content, max_pixels)
        # Asked for before loading, which forgets where a GIF's frame lies.
        tile = image.tile[0].extents if isinstance(image, GifImageFile) else None
        image.load()
        upright = _TURNS.get(parse_orientation(image.info.get("exif", b"")))
        picture = _compose(_make_eight_bit(image, content), tile, background)
        return np.asarray(picture if upright is None else picture.transpose(upright))
    except MemoryError:
        raise
    except Exception as error:  # whatever Pillow stumbles over in damaged data
        raise ValueError(f"The image does not decode: {error}") from error


def _open(content: bytes, max_pixels: int) -> ImageFile:
    kind = detect_format(content)
    if kind is None:
        raise ValueError("it is of no supported format.")
    refuse_excess(content, max_pixels)
    if kind == "PNG":
        content = _keep_needed_chunks(content)
    image = _READERS[kind](io.BytesIO(content))
    # Of a damaged header Pillow may have read more than we.
    excess = describe_excess(image.width * image.height, max_pixels)
    if excess:
        raise ValueError(f"it {excess}.")
    if image.mode == "CMYK" and "adobe" not in image.info:
        raise ValueError(
            "without Adobe's marker nobody can tell whether its CMYK colours are "
            "inverted; make it an RGB image."
        )
    return image


def _keep_needed_chunks(content: bytes) -> bytes:
    """Returns a PNG without texts, profiles and further frames, checksums verified.

    Pillow skips those of `IDAT`, and refuses an image for the size of a text in it.
    """
    kept = [content[:_PNG_SIGNATURE_BYTES]]
    name = b""
    for name, start, end in png_chunks(content):
        if name in _NEEDED_CHUNKS:
            chunk = content[start:end]
            if zlib.crc32(chunk[4:-4]) != int.from_bytes(chunk[-4:], "big"):
                raise ValueError(f"the checksum of {name.decode()} is wrong.")
            kept.append(chunk)
    if name != b"IEND":
        raise ValueError("it is cut off.")
    return b"".join(kept)


def _make_eight_bit(image: Image.Image, content: bytes) -> Image.Image:
    """Returns the image with eight bits a sample; transparency is in proportion.

    Pillow keeps 16 bits of greyscale alone, and the transparent value of a PNG as it
    is in the file, whatever the depth.
    """
    value = image.info.get("transparency")
    if image.mode.startswith("I"):
        wide = np.asarray(image)
        grey = Image.fromarray((wide >> 8).astype(np.uint8))
        if value is not None:
            grey.putalpha(Image.fromarray(np.where(wide == value, 0, 255).astype("u1")))
        return grey
    if isinstance(image, PngImageFile) and value is not None:
        depth = content[_PNG_DEPTH]
        if image.mode == "L" and depth < 8:
            image.info["transparency"] = value * 255 // (2**depth - 1)
        elif image.mode == "RGB" and depth == 16:
            image.info["transparency"] = tuple(number >> 8 for number in value)
    return image


def _compose(
    image: Image.Image,
    tile: tuple[int, int, int, int] | None,
    background: Colour,
) -> Image.Image:
    """Returns an RGB image on the background; outside of its tile it shows nothing."""
    partial = tile is not None and tile != (0, 0, *image.size)
    if not partial and not image.has_transparency_data:
        return image.convert("RGB")
    picture = image.convert("RGBA")
    canvas = Image.new("RGBA", image.size, (*background, 255))
    if tile is None:
        canvas.alpha_composite(picture)
    else:
        canvas.alpha_composite(picture.crop(tile), tile[:2])
    return canvas.convert("RGB")
