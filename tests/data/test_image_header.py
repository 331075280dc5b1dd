import pytest

from experiments.data.image_header import detect_format, find_fault
from tests.data.pictures import all_forms, encode, photograph

FORMS = all_forms()


def fault_of(content):
    return find_fault(content[:4096], content[-4096:], len(content))


@pytest.mark.parametrize("form", FORMS)
def test_whole_images_of_every_form_are_accepted(form):
    assert fault_of(FORMS[form]) is None


@pytest.mark.parametrize(
    ("form", "kind"),
    [
        ("cmyk_jpeg", "JPEG"),
        ("16_bit_png", "PNG"),
        ("gif", "GIF"),
        ("bmp", "BMP"),
        ("webp", "WebP"),
    ],
)
def test_the_content_tells_the_format(form, kind):
    assert detect_format(FORMS[form]) == kind


@pytest.mark.parametrize("form", ["jpeg", "progressive", "png", "bmp", "webp"])
def test_a_file_that_is_cut_off_is_noticed(form):
    content = FORMS[form]

    assert "cut off" in fault_of(content[: len(content) * 2 // 3])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"just text, nothing to see", "is no image"),
        (b"\xff", "is no image"),
        (encode(photograph(), "TIFF"), "is TIFF"),
        (b"\x00\x00\x00\x1cftypheic" + bytes(40), "is HEIC or AVIF"),
        (encode(photograph().quantize(16), "BMP"), "is a BMP with a palette"),
    ],
)
def test_the_reason_says_what_the_file_is(content, reason):
    assert fault_of(content).startswith(reason)


def test_bytes_after_the_end_of_a_jpeg_are_no_fault():
    assert fault_of(FORMS["jpeg"] + bytes(100)) is None
