import pytest

from experiments.data.images.image_header import detect_format, find_fault
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
    ],
)
def test_the_reason_says_what_the_file_is(content, reason):
    assert fault_of(content).startswith(reason)


def test_bytes_after_the_end_of_a_jpeg_are_no_fault():
    assert fault_of(FORMS["jpeg"] + bytes(100)) is None


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("rest", [bytes(9000), b"ftypmp42" * 1000])
def test_any_bytes_after_the_end_are_no_fault_of_a_whole_file(form, rest):
    content = FORMS[form] + rest

    assert find_fault(content, content[-4096:], len(content)) is None


@pytest.mark.parametrize("form", [form for form in FORMS if "bmp" not in form])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.99])
def test_every_form_that_is_cut_off_is_noticed_in_the_whole_file(form, share):
    content = FORMS[form][: int(len(FORMS[form]) * share)]

    assert "cut off" in find_fault(content, content[-4096:], len(content))


def test_the_end_of_a_thumbnail_is_not_the_end_of_the_image():
    thumbnail = encode(photograph(8, 6), "JPEG")
    exif = b"\xff\xe1" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail
    content = FORMS["jpeg"][:2] + exif + FORMS["jpeg"][2:-500]

    assert fault_of(FORMS["jpeg"][:2] + exif + FORMS["jpeg"][2:]) is None
    assert "cut off" in find_fault(content, content, len(content))
