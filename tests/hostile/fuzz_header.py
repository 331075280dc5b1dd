"""Fuzzes what tells from a file's bytes whether it is a whole image.

python tests/hostile/fuzz_header.py -max_total_time=600
"""

import io
import sys
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.hostile.fuzzing import fuzz, instrumented

with instrumented():
    from experiments.data.files.scanning import scan
    from experiments.data.images import image_end, image_header

assert image_end
_END = scan._END_BYTES


def read(data: bytes) -> None:
    """Judges a file as a whole and by its ends, as the two ways of verifying do."""
    for head, tail in ((data, data[-_END:]), (data[:_END], data[-_END:])):
        fault = image_header.find_fault(head, tail, len(data))
        if fault is not None and not fault.strip():
            raise AssertionError("a fault without words")
    list(image_end.png_chunks(data))


def good() -> Iterator[bytes]:
    """Yields one small file of each kind."""
    picture = Image.new("RGB", (9, 7), (200, 30, 90))
    for kind in ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF"):
        stream = io.BytesIO()
        picture.save(stream, kind)
        yield stream.getvalue()
    stream = io.BytesIO()
    picture.save(stream, "JPEG", progressive=True, exif=b"Exif\0\0MM\0*" + bytes(40))
    yield stream.getvalue()


if __name__ == "__main__":
    fuzz(read, good())
