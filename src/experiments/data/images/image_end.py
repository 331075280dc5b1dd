"""Follows an image file to its end mark, behind which anything may lie.

Phones put a film behind a photograph, other writers zeros; every viewer shows the
image all the same.
"""

import re
from collections.abc import Iterator

_JPEG_START, _PNG_START = 2, 8
# In a JPEG's compressed data 0xFF is followed by 0 or by one of the restart marks.
_JPEG_MARKER = re.compile(rb"\xff+[^\x00\xff\xd0-\xd7]")
_END_OF_IMAGE = 0xD9
_GIF_EXTENSION, _GIF_IMAGE, _GIF_END = 0x21, 0x2C, 0x3B


def jpeg_segments(content: bytes) -> Iterator[tuple[int, int, int]]:
    """Yields marker, start and end of each segment of a JPEG, up to its end mark.

    `content[start:end]` is what follows the marker, its length included; nothing for
    markers that stand alone. Compressed data lie between segments.
    """
    position = _JPEG_START
    while found := _JPEG_MARKER.search(content, position):
        marker, start = content[found.end() - 1], found.end()
        position = start
        if marker not in (0x01, _END_OF_IMAGE):  # the only ones left without a length
            position += int.from_bytes(content[start : start + 2], "big")
        yield marker, start, position
        if marker == _END_OF_IMAGE:
            return


def jpeg_ends(content: bytes) -> bool:
    """Tells whether a JPEG goes on to its end mark; that of a thumbnail is none."""
    return any(marker == _END_OF_IMAGE for marker, _, _ in jpeg_segments(content))


def png_chunks(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yields name, start and end of each whole chunk of a PNG, up to its `IEND`.

    A chunk is its length, name, data and checksum: `content[start:end]` is all four.
    """
    start = _PNG_START
    while start + 12 <= len(content):
        length = int.from_bytes(content[start : start + 4], "big")
        name, end = content[start + 4 : start + 8], start + 12 + length
        if end > len(content):
            return
        yield name, start, end
        if name == b"IEND":
            return
        start = end


def png_ends(content: bytes) -> bool:
    """Tells whether a PNG goes on to its last chunk."""
    return any(name == b"IEND" for name, _, _ in png_chunks(content))


def gif_ends(content: bytes) -> bool:
    """Tells whether a GIF goes on to its end mark."""
    position = 13 + _colour_table_bytes(content, 10)
    while position < len(content):
        kind = content[position]
        if kind == _GIF_END:
            return True
        if kind == _GIF_EXTENSION:
            position += 2
        elif kind == _GIF_IMAGE:
            position += 11 + _colour_table_bytes(content, position + 9)
        else:
            return False
        while position < len(content) and content[position]:
            position += 1 + content[position]
        position += 1
    return False


def _colour_table_bytes(content: bytes, position: int) -> int:
    """Returns the size of the colour table that the flags at a position announce."""
    flags = content[position] if position < len(content) else 0
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0
