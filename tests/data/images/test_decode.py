import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf

from experiments.data.augment.inception_crop import InceptionCrop
from experiments.data.images.decode import decode_image
from experiments.data.images.resize import resize_images
from experiments.data.pipeline.sample_keys import key_from_seed
from tests.data.pictures import all_forms, encode, photograph

FORMS = all_forms()
COLOURLESS = {"grey_jpeg", "grey_png", "grey_alpha_png", "16_bit_png"}


def decode(content, *, shape=(40, 60, 3), crop_ratio=1.0, crop=None, draws=None):
    image = decode_image(
        tf.constant(content),
        image_shape=shape,
        crop_ratio=crop_ratio,
        crop=crop,
        draws=draws,
    )
    return image.numpy()


def difference(left, right):
    return abs(left.astype(float) - right).mean()


@pytest.mark.parametrize("form", FORMS)
def test_every_form_becomes_the_same_rgb_picture(form):
    picture = photograph()
    if form in COLOURLESS:
        picture = picture.convert("L").convert("RGB")

    image = decode(FORMS[form])

    assert image.dtype == np.uint8
    assert difference(image, np.asarray(picture)) < 6


@pytest.mark.parametrize("form", FORMS)
def test_every_form_becomes_one_channel_when_asked(form):
    image = decode(FORMS[form], shape=(40, 60, 1))

    grey = np.asarray(photograph().convert("L"))[..., None]
    assert difference(image, grey) < 6


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_the_central_square_is_kept(kind):
    picture = photograph(64, 48)
    cut = np.asarray(picture)[6:42, 14:50]  # 0.75 of the shorter side

    content = encode(picture, kind, quality=95, subsampling=0)
    image = decode(content, shape=(36, 36, 3), crop_ratio=0.75)

    assert difference(image, cut) < 4


def test_the_window_has_the_proportions_of_the_wanted_shape():
    picture = photograph(64, 48)
    cut = np.asarray(picture)[8:40]

    image = decode(encode(picture, "PNG"), shape=(32, 64, 3))

    np.testing.assert_array_equal(image, cut)


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_decoding_a_random_window_equals_cutting_it_out_afterwards(seed, flip):
    content = encode(photograph(64, 48), "JPEG", quality=95, subsampling=0)
    crop = InceptionCrop(area=[0.1, 0.6], ratio=[0.75, 1.33], flip=flip)
    draws = crop.draw(key_from_seed(seed)[None])
    top, left, height, width = crop.place_windows(tf.constant([[48, 64]]), draws)[0]
    whole = tf.io.decode_jpeg(content, 3, dct_method="INTEGER_ACCURATE")
    window = whole[top : top + height, left : left + width]
    expected = resize_images(window, (32, 32)).numpy()
    if crop.choose_mirrored(draws)[0]:
        expected = expected[:, ::-1]

    image = decode(content, shape=(32, 32, 3), crop=crop, draws=draws[0])

    np.testing.assert_array_equal(image, expected)


@pytest.mark.parametrize("size", [(1, 1), (1, 30), (30, 1)])
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_tiny_images_are_enlarged(size, kind):
    assert decode(encode(photograph(*size), kind), shape=(8, 8, 3)).shape == (8, 8, 3)


@pytest.mark.parametrize("form", ["jpeg", "png"])
def test_plain_bytes_are_read_like_a_tensor_of_them(form):
    content = encode(photograph(), form.upper())

    image = decode_image(content, image_shape=(40, 60, 3), crop_ratio=1.0)

    np.testing.assert_array_equal(image, decode(content))


@pytest.mark.parametrize("form", FORMS)
def test_an_image_at_the_limit_is_decoded_and_a_larger_one_is_refused(form):
    def read(limit):
        return decode_image(
            tf.constant(FORMS[form]),
            image_shape=(8, 8, 3),
            crop_ratio=1.0,
            max_pixels=limit,
        )

    assert read(60 * 40).shape == (8, 8, 3)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"2,400 pixels"):
        read(60 * 40 - 1)


def test_cmyk_without_adobes_marker_is_refused():
    content = FORMS["cmyk_jpeg"]
    start = content.index(b"Adobe") - 4

    with pytest.raises(tf.errors.InvalidArgumentError, match="without Adobe's marker"):
        decode(content[:start] + content[start + 16 :])


def test_a_second_header_does_not_get_round_the_limit():
    png = FORMS["png"]
    large = b"IHDR" + struct.pack(">2I5B", 20_000, 20_000, 8, 2, 0, 0, 0)
    chunk = b"\x00\x00\x00\x0d" + large + struct.pack(">I", zlib.crc32(large))

    with pytest.raises(tf.errors.InvalidArgumentError, match=r"400,000,000 pixels"):
        decode(png[:33] + chunk + png[33:])
