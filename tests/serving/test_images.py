"""What a request brings: refused before it is decoded, or read as a training does."""

import base64
import io
import struct
import tracemalloc
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image

from experiments.serving.images import ImageReader, Limits, list_cells
from experiments.serving.refused import RefusedError

LIMITS = Limits(max_pixels=10_000, max_bytes=20_000, max_images=3)


@pytest.fixture(scope="module")
def reader() -> ImageReader:
    return ImageReader(
        image_shape=(4, 6, 1), crop_ratio=1.0, background=(255, 255, 255), limits=LIMITS
    )


def make_png(width: int, height: int, data: bytes = b"") -> bytes:
    """Returns a PNG whose header may declare more than there is."""

    def chunk(name: bytes, content: bytes) -> bytes:
        checksum = zlib.crc32(name + content)
        return (
            struct.pack(">I", len(content))
            + name
            + content
            + struct.pack(">I", checksum)
        )

    header = struct.pack(">2I5B", width, height, 8, 0, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", data), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def test_a_decompression_bomb_is_refused_by_its_header(reader: ImageReader) -> None:
    bomb = make_png(60_000, 60_000, zlib.compress(bytes(10_000_000), 9))
    assert len(bomb) < LIMITS.max_bytes
    tracemalloc.start()
    with pytest.raises(RefusedError, match=r"^has 3,600,000,000 pixels, more than"):
        reader.read(base64.b64encode(bomb).decode())
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 1_000_000


def test_a_stream_that_goes_on_behind_its_size_is_refused(reader: ImageReader) -> None:
    with pytest.raises(RefusedError, match="too many for its size"):
        reader.read(make_png(8, 8, zlib.compress(bytes(10_000_000), 9)))


@pytest.mark.parametrize("size", [LIMITS.max_bytes + 1, 10 * LIMITS.max_bytes])
def test_too_many_bytes_are_refused_unread(reader: ImageReader, size: int) -> None:
    for cell in (bytes(size), base64.b64encode(bytes(size)).decode()):
        with pytest.raises(RefusedError, match=r"^has more than 20,000 bytes$"):
            reader.read(cell)


def test_text_may_have_lines_and_an_address_in_front(reader: ImageReader) -> None:
    pixels = np.arange(24, dtype=np.uint8).reshape(4, 6)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    lines = base64.encodebytes(file.getvalue()).decode()
    for text in (lines, f"data:image/png;base64,{lines}"):
        np.testing.assert_array_equal(reader.read(text)[..., 0], pixels)


def test_arrays_keep_their_numbers(reader: ImageReader) -> None:
    pixels = np.arange(24, dtype=np.uint8).reshape(4, 6)
    rows = np.empty(4, dtype=object)
    rows[:] = list(pixels[..., None])
    for cell in (pixels, pixels[..., None], pixels.tolist(), rows):
        read = reader.read(cell)
        assert (read.shape, read.dtype) == ((4, 6, 1), np.uint8)
        np.testing.assert_array_equal(read[..., 0], pixels)


@pytest.mark.parametrize("cell", [[[1, 2], [3]], [["SECRET"]], 5.5, None, {"a": 1}])
def test_what_is_neither_text_nor_numbers_is_refused(
    reader: ImageReader, cell: Any
) -> None:
    with pytest.raises(RefusedError, match=r"neither base64 text nor an array|shape"):
        reader.read(cell)


def test_too_many_images_are_refused_before_one_is_read() -> None:
    assert list_cells({"image": ["a"] * 3}, most=3) == ["a"] * 3
    with pytest.raises(RefusedError, match="at most 3 images"):
        list_cells({"image": ["a"] * 4}, most=3)


def test_a_reason_stays_what_it_is() -> None:
    error = RefusedError("is no image")
    error.message = "Failed to predict data 'SECRET'"
    assert "SECRET" not in error.serialize_as_json()
    assert error.get_http_status_code() == 400
