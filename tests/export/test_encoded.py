"""What a SavedModel reads of a file is what the pipeline reads of it, to the bit."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from skimage import data

from experiments.data.images.decode import decode_image
from experiments.export.encoded import build_decoder

RED = (255, 0, 10)
ORIENTATION = 274  # the tag of EXIF
SHAPES = {"colour": ((24, 32, 3), 0.875), "grey": ((48, 32, 1), 1.0)}
PHOTO = data.chelsea()  # 300 x 451


def write(picture, kind="jpeg", **options):
    content = io.BytesIO()
    picture.save(content, kind, **options)
    return content.getvalue()


def with_orientation(value, order):
    exif = Image.Exif()
    exif.endian = order
    exif[271] = "a maker"
    exif[ORIENTATION] = value
    return write(Image.fromarray(PHOTO), exif=exif)


def see_through():
    picture = Image.fromarray(PHOTO)
    alpha = np.random.default_rng(0).integers(0, 256, PHOTO.shape[:2], np.uint8)
    picture.putalpha(Image.fromarray(alpha))
    return write(picture, "png")


def sixteen_bits():
    return write(Image.fromarray(PHOTO[..., 0].astype(np.uint16) * 257), "png")


@pytest.fixture(scope="module")
def decoders():
    return {
        name: tf.function(build_decoder(shape, crop_ratio=ratio, background=RED))
        for name, (shape, ratio) in SHAPES.items()
    }


FILES = {
    **{
        f"turned {value} {order}": with_orientation(value, order)
        for value in range(1, 9)
        for order in "<>"
    },
    "png": write(Image.fromarray(PHOTO), "png"),
    "see-through": see_through(),
    "palette": write(Image.fromarray(PHOTO).quantize(16), "png"),
    "see-through palette": write(
        Image.fromarray(PHOTO).quantize(16), "png", transparency=bytes([0, 100])
    ),
    "one bit": write(Image.fromarray(PHOTO).convert("1"), "png"),
    "grey": write(Image.fromarray(PHOTO).convert("L")),
    "16 bits": sixteen_bits(),
    "progressive": write(Image.fromarray(PHOTO), progressive=True),
}


@pytest.mark.parametrize("kind", SHAPES)
def test_pixels_are_those_of_the_pipeline(decoders, kind):
    shape, ratio = SHAPES[kind]
    wanted = {
        name: np.asarray(
            decode_image(content, image_shape=shape, crop_ratio=ratio, background=RED)
        )
        for name, content in FILES.items()
    }
    given = decoders[kind](tf.constant(list(FILES.values()))).numpy()
    for (name, pixels), found in zip(wanted.items(), given, strict=True):
        np.testing.assert_array_equal(found, pixels, err_msg=name)


BOMB = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + 2 * b"\0\1\0\0" + b"\x08\2\0\0\0"
REFUSED = {
    "empty": (b"", "Neither a JPEG nor a PNG"),
    "text": (b"secret words", "Neither a JPEG nor a PNG"),
    "gif": (write(Image.fromarray(PHOTO), "gif"), "Neither a JPEG nor a PNG"),
    "webp": (write(Image.fromarray(PHOTO), "webp"), "Neither a JPEG nor a PNG"),
    "cut": (FILES["turned 6 <"][:2000], "JPEG"),
    "cmyk": (write(Image.fromarray(PHOTO).convert("CMYK")), "A JPEG in CMYK"),
    "bomb": (BOMB, "More than 200,000,000 pixels"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_it_does_not_read_is_refused_in_a_sentence(decoders, kind):
    content, told = REFUSED[kind]
    with pytest.raises(tf.errors.InvalidArgumentError, match=told) as caught:
        decoders["colour"](tf.constant([content]))
    assert "secret" not in caught.value.message
