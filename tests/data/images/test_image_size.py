import io
import struct

import pytest
from omegaconf import OmegaConf

from experiments.data.images.image_size import (
    MAX_PIXELS,
    describe_excess,
    read_pixel_count,
    read_size,
    refuse_excess,
)
from tests.conftest import CONF
from tests.data.pictures import all_forms, encode, photograph


def count(content):
    return read_pixel_count(io.BytesIO(content))


@pytest.mark.parametrize("form", all_forms())
def test_every_form_states_how_many_pixels_it_has(form):
    assert count(all_forms()[form]) == 60 * 40


@pytest.mark.parametrize("form", all_forms())
def test_size_is_that_of_the_upright_image(form):
    assert read_size(io.BytesIO(all_forms()[form])) == (60, 40)


@pytest.mark.parametrize("content", [b"", b"no image at all, but some letters of it"])
def test_what_is_no_image_has_no_size(content):
    assert read_size(io.BytesIO(content)) is None


def test_the_frame_behind_long_segments_is_found():
    jpeg = encode(photograph(), "JPEG", icc_profile=bytes(300_000))

    assert count(jpeg) == 60 * 40


def test_a_size_is_not_taken_from_a_thumbnail():
    small = encode(photograph(16, 16), "JPEG")
    segment = b"Exif\x00\x00" + small
    length = struct.pack(">H", len(segment) + 2)
    jpeg = encode(photograph(), "JPEG")

    assert count(jpeg[:2] + b"\xff\xe1" + length + segment + jpeg[2:]) == 60 * 40


def test_garbage_and_fill_bytes_between_segments_are_skipped():
    jpeg = encode(photograph(), "JPEG")

    assert count(jpeg[:20] + b"abc\xff\xff" + jpeg[20:]) == 60 * 40


def test_a_frame_beyond_the_canvas_of_a_gif_counts():
    gif = encode(photograph().quantize(8), "GIF")

    assert count(gif[:6] + struct.pack("<2H", 1, 1) + gif[10:]) == 60 * 40


def test_an_animation_has_the_size_of_its_canvas():
    content = b"RIFF" + bytes(4) + b"WEBPVP8X" + bytes(8) + b"\xff\xff\x00\x0f\x27\x00"

    assert count(content) == 65536 * 10000


@pytest.mark.parametrize("rows", [40, -40])
def test_the_rows_of_a_bmp_run_up_or_down(rows):
    bmp = encode(photograph(), "BMP")

    assert count(bmp[:22] + struct.pack("<i", rows) + bmp[26:]) == 60 * 40


@pytest.mark.parametrize(
    "content",
    [b"", b"text", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF1234WEBP"],
)
def test_a_header_that_ends_states_nothing(content):
    assert count(content) is None


def test_endless_garbage_is_not_read_to_its_end():
    class Counted(io.BytesIO):
        reads = 0

        def read(self, *size):
            self.reads += 1
            return super().read(*size)

    file = Counted(b"\xff\xd8\xff\xe0\x00\x02" + bytes(2**21))

    assert read_pixel_count(file) is None
    assert file.reads < 2**17


def test_an_image_at_the_limit_is_small_enough():
    assert describe_excess(100, 100) is None
    assert describe_excess(None, 100) is None
    assert describe_excess(101, 100) == (
        "has 101 pixels, more than dataset.max_pixels (100) allows to decode"
    )


def test_too_large_an_image_is_refused_before_it_is_decoded():
    with pytest.raises(ValueError, match=r"2,400 pixels"):
        refuse_excess(encode(photograph(), "PNG"), 2399)


@pytest.mark.parametrize("name", ["folder", "imagenet"])
def test_the_limit_of_the_config_is_that_of_the_code(name):
    config = OmegaConf.load(CONF / "dataset" / f"{name}.yaml")

    assert config.max_pixels == MAX_PIXELS
