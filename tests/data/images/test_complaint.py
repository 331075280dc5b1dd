import struct
import zlib

import pytest

from experiments.data.images import complaint as complaint_module
from experiments.data.images.complaint import find_complaint
from experiments.data.images.image_end import jpeg_segments
from tests.data.pictures import all_forms, encode, photograph

# First column and row, and the steps, of each pass over a PNG.
WHOLE = [(0, 0, 1, 1)]
ADAM7 = [
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
]
ROWS = b"".join(b"\x00" + bytes(range(30)) for _ in range(10))


def jpeg(**options):
    return encode(photograph(200, 150), "JPEG", quality=90, **options)


def at_segment(content, marker):
    """Returns where the content of a segment starts, behind its length."""
    return next(s for m, s, _ in jpeg_segments(content) if m == marker) + 2


def patch(content, position, new):
    return content[:position] + new + content[position + len(new) :]


def chunk(name, data):
    check = struct.pack(">I", zlib.crc32(name + data))
    return struct.pack(">I", len(data)) + name + data + check


def png(data, *, width=10, height=10, colour=2, depth=8, interlace=0):
    header = struct.pack(">2I5B", width, height, depth, colour, 0, 0, interlace)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


@pytest.mark.parametrize("form", all_forms())
def test_nobody_complains_of_a_whole_image(form):
    assert find_complaint(all_forms()[form]) is None


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_every_subsampling_that_pillow_writes_is_whole(mode, subsampling, progressive):
    image = photograph(200, 150).convert(mode)
    options = {"subsampling": subsampling, "progressive": progressive}

    assert find_complaint(encode(image, "JPEG", **options)) is None


@pytest.mark.parametrize("progressive", [False, True])
def test_half_of_a_jpeg_with_an_end_mark_is_complained_of(progressive):
    content = jpeg(progressive=progressive)

    reason = find_complaint(content[: len(content) // 2] + b"\xff\xd9")

    assert reason == ("is damaged: a JPEG decoder says 'premature end of data segment'")


@pytest.mark.parametrize("marker", [0xC0, 0xC2])
@pytest.mark.parametrize(("height", "width"), [(300, 200), (80, 200), (150, 300)])
def test_another_size_than_that_of_the_data_is_complained_of(marker, height, width):
    content = jpeg(progressive=marker == 0xC2)
    size = struct.pack(">2H", height, width)

    assert find_complaint(patch(content, at_segment(content, marker) + 1, size))


def test_arithmetic_coding_is_complained_of():
    content = jpeg()

    reason = find_complaint(patch(content, at_segment(content, 0xC0) - 3, b"\xc9"))

    assert reason == "is a JPEG in arithmetic coding, which viewers do not show"


def test_zeros_in_the_middle_are_complained_of():
    content = jpeg()

    assert find_complaint(content[:2000] + bytes(300) + content[2300:])


def test_a_revision_that_decides_nothing_is_let_pass():
    content = jpeg()

    assert (
        find_complaint(patch(content, at_segment(content, 0xE0) + 5, b"\x00")) is None
    )


def test_parameters_that_a_sequential_scan_ignores_are_let_pass():
    content = jpeg()
    start = at_segment(content, 0xDA)

    assert find_complaint(patch(content, start + 7, b"\x00\x00\x00")) is None


def test_scans_without_end_are_not_decoded(monkeypatch):
    content = jpeg(progressive=True)
    start = at_segment(content, 0xDA) - 4
    # A last pass over the luminance that changes nothing.
    scan = b"\xff\xda\x00\x08\x01\x01\x00\x3f\x3f\x00"
    monkeypatch.setattr(complaint_module.simplejpeg, "decode_jpeg", None)

    reason = find_complaint(content[:start] + scan * 101 + content[start:])

    assert reason.startswith("is a JPEG of 1")
    assert reason.endswith("scans, which takes too long to decode")


@pytest.mark.parametrize("passes", [WHOLE, ADAM7])
@pytest.mark.parametrize(
    ("depth", "colour", "samples", "size"),
    [(1, 0, 1, (9, 5)), (8, 0, 1, (7, 3)), (8, 2, 3, (1, 9)), (16, 6, 4, (13, 8))],
)
def test_as_many_data_are_needed_as_the_size_asks_for(
    depth, colour, samples, size, passes
):
    width, height = size
    needed = 0
    for column, row, across, down in passes:
        columns = len(range(column, width, across))
        line = 1 + (columns * depth * samples + 7) // 8
        needed += line * len(range(row, height, down)) if columns else 0

    def complain(count):
        return find_complaint(
            png(
                zlib.compress(bytes(count)),
                width=width,
                height=height,
                colour=colour,
                depth=depth,
                interlace=int(passes is ADAM7),
            )
        )

    assert complain(needed) is None
    assert complain(needed - 1) == "is damaged: its PNG data are too few for its size"
    assert complain(needed + 1) == "is damaged: its PNG data are too many for its size"


def test_a_stream_without_an_end_is_complained_of():
    reason = find_complaint(png(zlib.compress(ROWS)[:-4]))

    assert reason == "is damaged: its PNG data are too few for its size"


def test_what_lies_behind_the_stream_is_let_pass():
    assert find_complaint(png(zlib.compress(ROWS) + b"abc")) is None


def test_two_headers_are_complained_of():
    content = png(zlib.compress(ROWS))
    other = chunk(b"IHDR", struct.pack(">2I5B", 10, 5, 8, 2, 0, 0, 0))

    assert find_complaint(content[:33] + other + content[33:]) == (
        "is damaged: it has not one PNG header, in front"
    )


def test_a_small_file_that_inflates_to_much_more_is_left_at_once():
    bomb = zlib.compress(bytes(2**27))

    assert find_complaint(png(bomb)).endswith("are too many for its size")
