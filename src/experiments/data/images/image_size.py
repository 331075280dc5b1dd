"""Tells how many pixels an image file declares, before anything is decoded.

A file of a megabyte may ask for gigabytes: decoders believe what its header says.
"""

import io
import struct
from collections.abc import Iterator
from typing import BinaryIO

from experiments.data.images.image_header import detect_format
from experiments.data.images.orientation import read_jpeg_orientation

# The largest phones' photographs have 16,320 x 12,240. The config's default is the same
# number, see `dataset.max_pixels`.
MAX_PIXELS = 200_000_000
_HEAD_BYTES = 32
_EXIF_BYTES = 2**16  # hold the segment, see `read_jpeg_orientation`
_LYING = range(5, 9)  # orientations that exchange width and height
# A decoder skips what lies between two segments, and so do we up to here.
_MOST_GARBAGE = 2**16
_MOST_BLOCKS = 2**16
_FRAME_MARKERS = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_BARE_MARKERS = {0x01, *range(0xD0, 0xD8)}
_LAST_MARKERS = {0xD9, 0xDA}
_OLD_BMP_HEADER = 12
_GIF_EXTENSION, _GIF_IMAGE = 0x21, 0x2C


def read_pixel_count(file: BinaryIO) -> int | None:
    """Returns width times height that an image file declares.

    A GIF's is that of its canvas, grown by what its first frame reaches beyond it.

    Args:
        file: A seekable file; some dozens of bytes of it are read.

    Returns:
        `None` when the header says nothing, because it is damaged or of no supported
        format: no decoder reads such a file.
    """
    file.seek(0)
    head = file.read(_HEAD_BYTES)
    try:
        size = _read_size(head, file)
    except struct.error:  # the file ends within its header
        return None
    return None if size is None else abs(size[0] * size[1])


def read_size(file: BinaryIO) -> tuple[int, int] | None:
    """Returns width and height of an image as it stands upright, by its header.

    Args:
        file: As `read_pixel_count` takes it. The EXIF orientation of a JPEG is asked.

    Returns:
        `None` when the header says nothing.
    """
    file.seek(0)
    head = file.read(_HEAD_BYTES)
    try:
        size = _read_size(head, file)
    except struct.error:
        return None
    if size is None:
        return None
    width, height = abs(size[0]), abs(size[1])
    if detect_format(head) != "JPEG":
        return width, height
    file.seek(0)
    orientation = read_jpeg_orientation(file.read(_EXIF_BYTES))
    return (height, width) if orientation in _LYING else (width, height)


def describe_excess(pixels: int | None, max_pixels: int) -> str | None:
    """Returns why an image is too large, half a sentence; `None` if it is not."""
    if pixels is None or pixels <= max_pixels:
        return None
    return (
        f"has {pixels:,} pixels, more than dataset.max_pixels ({max_pixels:,}) allows "
        "to decode"
    )


def refuse_excess(content: bytes, max_pixels: int) -> None:
    """Raises before an image is decoded that would take too much memory.

    Raises:
        ValueError: It declares more pixels than allowed.
    """
    excess = describe_excess(read_pixel_count(io.BytesIO(content)), max_pixels)
    if excess:
        raise ValueError(f"it {excess}.")


def _read_size(head: bytes, file: BinaryIO) -> tuple[int, ...] | None:
    """Returns width and height; a BMP's is negative when its rows run down."""
    match detect_format(head):
        case "JPEG":
            return _read_jpeg(file)
        case "PNG":
            return struct.unpack_from(">2I", head, 16)
        case "GIF":
            return _read_gif(file)
        case "BMP":
            return _parse_bmp(head)
        case "WebP":
            return _parse_webp(head)
    return None


def _read_jpeg(file: BinaryIO) -> tuple[int, int] | None:
    file.seek(2)
    for marker in _jpeg_markers(file):
        if marker in _FRAME_MARKERS:
            height, width = struct.unpack(">3x2H", file.read(7))
            return width, height
        if marker in _LAST_MARKERS:
            return None
        if marker not in _BARE_MARKERS:
            (length,) = struct.unpack(">H", file.read(2))
            file.seek(max(length - 2, 0), io.SEEK_CUR)
    return None


def _jpeg_markers(file: BinaryIO) -> Iterator[int]:
    """Yields the second byte of each marker from where the file stands."""
    garbage, filled = 0, False
    while garbage < _MOST_GARBAGE and (byte := file.read(1)):
        if byte == b"\xff":
            filled = True
        elif filled and byte != b"\x00":
            filled = False
            yield byte[0]
        else:
            garbage, filled = garbage + 1, False


def _read_gif(file: BinaryIO) -> tuple[int, int] | None:
    file.seek(6)
    width, height, flags = struct.unpack("<2HB", file.read(5))
    file.seek(2 + _colour_table_bytes(flags), io.SEEK_CUR)
    blocks = 0
    while (kind := file.read(1)) and blocks < _MOST_BLOCKS:
        if kind[0] == _GIF_IMAGE:
            left, top, wide, high = struct.unpack("<4H", file.read(8))
            return max(width, left + wide), max(height, top + high)
        if kind[0] != _GIF_EXTENSION:
            break
        file.seek(1, io.SEEK_CUR)
        while (length := file.read(1)) and length[0]:
            file.seek(length[0], io.SEEK_CUR)
            blocks += 1
    return width, height


def _colour_table_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _parse_bmp(head: bytes) -> tuple[int, ...]:
    (length,) = struct.unpack_from("<I", head, 14)
    kind = "<2H" if length == _OLD_BMP_HEADER else "<2i"
    return struct.unpack_from(kind, head, 18)


def _parse_webp(head: bytes) -> tuple[int, int] | None:
    kind = head[12:16]
    if kind == b"VP8X":
        width = int.from_bytes(head[24:27], "little")
        return width + 1, int.from_bytes(head[27:30], "little") + 1
    if kind == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 ":
        wide, high = struct.unpack_from("<2H", head, 26)
        return wide & 0x3FFF, high & 0x3FFF
    return None
