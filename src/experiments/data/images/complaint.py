"""What a strict reader complains of in an image that decodes all the same.

Decoders fill what is missing with grey and carry on; a viewer shows the rest, and a
network would learn the filling. No TensorFlow is needed.
"""

import re
import struct
import zlib
from collections.abc import Iterator

import simplejpeg

from experiments.data.images.image_end import jpeg_segments, png_chunks
from experiments.data.images.image_header import detect_format

_START_OF_SCAN, _JFIF = 0xDA, 0xE0
_SEQUENTIAL, _ARITHMETIC = {0xC0, 0xC1}, range(0xC9, 0xD0)
# No encoder makes a fifth of it; each takes a pass over the whole image.
_MOST_SCANS = 100
_SEQUENTIAL_SCAN = b"\x00\x3f\x00"
# At an eighth of the size all data are read, in half of the time.
_REDUCTION = 8
_WHOSE = re.compile(r"^(Corrupt JPEG data|Warning|\w+\(\)): ")
# It reads headers of the usual sampling factors only, and Pillow writes CMYK in others.
_NOT_READ = "Could not determine subsampling level"
_WINDOW = 2**16
# Samples of a pixel by a PNG's colour type.
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# Of Adam7: first column and row, and the steps, of each pass.
_PASSES = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)


def find_complaint(content: bytes) -> str | None:
    """Returns why an image that may decode is not whole, half a sentence.

    JPEG: whatever libjpeg warns of. Its revision number and the parameters of a
    sequential scan are left alone, which decide nothing and some cameras get wrong.
    PNG: the compressed data must be as many as the size asks for, with the right
    checksum. Other formats have no reader stricter than the one that shows them.

    What cannot be known: data changed into other valid data, and garbage in the middle
    of a JPEG of rare sampling factors, such as CMYK in 4:2:0.
    """
    kind = detect_format(content)
    if kind == "JPEG":
        return _complain_of_jpeg(content)
    return _complain_of_png(content) if kind == "PNG" else None


def _complain_of_jpeg(content: bytes) -> str | None:
    mended = bytearray(content)
    scans, sequential = 0, False
    for marker, start, end in jpeg_segments(content):
        if marker in _ARITHMETIC:
            return "is a JPEG in arithmetic coding, which viewers do not show"
        sequential = sequential or marker in _SEQUENTIAL
        if marker == _JFIF and content[start + 2 : start + 7] == b"JFIF\x00":
            mended[start + 7] = 1
        if marker == _START_OF_SCAN:
            scans += 1
            if sequential:
                mended[end - 3 : end] = _SEQUENTIAL_SCAN
    if scans > _MOST_SCANS:
        return f"is a JPEG of {scans} scans, which takes too long to decode"
    try:
        simplejpeg.decode_jpeg(
            mended, "GRAY", min_height=1, min_width=1, min_factor=_REDUCTION
        )
    except ValueError as error:
        if _NOT_READ in str(error):
            return None
        return f"is damaged: a JPEG decoder says {_shorten(str(error))!r}"
    return None


def _shorten(warning: str) -> str:
    return _WHOSE.sub("", warning)


def _complain_of_png(content: bytes) -> str | None:
    chunks = list(png_chunks(content))
    headers = [start for name, start, _ in chunks if name == b"IHDR"]
    if len(headers) != 1 or chunks[0][0] != b"IHDR":
        return "is damaged: it has not one PNG header, in front"
    header = struct.unpack_from(">2I5B", content, headers[0] + 8)
    if header[4:6] != (0, 0) or header[6] > 1:
        return "is a PNG of a kind that no standard knows"
    wanted = _count_bytes(*header)
    try:
        found = _inflate(content, chunks, wanted)
    except zlib.error:
        return "is damaged: it does not decode"
    if found == wanted:
        return None
    amount = "too few" if found is None or found < wanted else "too many"
    return f"is damaged: its PNG data are {amount} for its size"


def _inflate(
    content: bytes, chunks: list[tuple[bytes, int, int]], wanted: int
) -> int | None:
    """Returns how many bytes the image data inflate to, counted to the first too many.

    `None` stands for a stream that has no end.
    """
    stream = zlib.decompressobj()
    found = 0
    for piece in _data_of(content, chunks):
        data = piece
        while data and not stream.eof:
            found += len(stream.decompress(data, _WINDOW))
            data = stream.unconsumed_tail
            if found > wanted:
                return found
    return found if stream.eof else None


def _data_of(content: bytes, chunks: list[tuple[bytes, int, int]]) -> Iterator[bytes]:
    for name, start, end in chunks:
        if name == b"IDAT":
            yield content[start + 8 : end - 4]


def _count_bytes(
    width: int, height: int, depth: int, colour: int, *methods: int
) -> int:
    """Returns the size of a PNG's inflated data: rows, each with a byte in front."""
    bits = depth * _SAMPLES.get(colour, 1)
    passes = _PASSES if methods[-1] else ((0, 0, 1, 1),)
    total = 0
    for column, row, across, down in passes:
        columns, rows = -(-(width - column) // across), -(-(height - row) // down)
        if columns > 0:
            total += max(rows, 0) * (1 + -(-columns * bits // 8))
    return total
