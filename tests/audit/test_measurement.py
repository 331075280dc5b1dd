import imagehash
import numpy as np
import pytest
from PIL import Image
from scipy.signal import convolve2d

from experiments.audit.measurement import measure_image
from tests.audit.photos import cut, encode


def test_perceptual_hash_is_that_of_imagehash() -> None:
    image = cut("flower", 0)
    expected = int(str(imagehash.phash(image.convert("L"))), 16)
    assert measure_image(np.asarray(image)).phash == expected


def test_bits_that_differ_are_imagehashs_distance() -> None:
    one, other = cut("flower", 0), cut("temple", 0)
    hashes = [measure_image(np.asarray(image)).phash for image in (one, other)]
    distance = imagehash.phash(one) - imagehash.phash(other)
    assert bin(hashes[0] ^ hashes[1]).count("1") == distance


def test_sharpness_is_the_variance_of_the_laplacian() -> None:
    grey = np.random.RandomState(0).randint(0, 256, (20, 30, 1)).astype(np.uint8)
    kernel = [[0, 1, 0], [1, -4, 1], [0, 1, 0]]
    laplacian = convolve2d(grey[..., 0].astype(float), kernel, "same", "symm")
    assert measure_image(grey).sharpness == pytest.approx(laplacian.var(), rel=1e-5)


def test_product_of_two_previews_is_their_correlation() -> None:
    one, other = (cut("temple", n, side=32) for n in (0, 1))
    previews = [measure_image(np.asarray(i)).preview for i in (one, other)]
    small = [
        np.asarray(i.convert("L").resize((16, 16), Image.Resampling.BOX), float)
        for i in (one, other)
    ]
    expected = np.corrcoef(small[0].ravel(), small[1].ravel())[0, 1]
    assert previews[0] @ previews[1] == pytest.approx(expected, abs=1e-5)
    assert previews[0] @ previews[0] == pytest.approx(1)


def test_grey_and_size_are_measured() -> None:
    image = np.zeros((4, 6, 1), np.uint8)
    image[:, 3:] = 100
    found = measure_image(image)
    assert (found.width, found.height, found.contrast) == (6, 4, 50)


def test_image_of_one_colour_resembles_nothing() -> None:
    assert not measure_image(np.full((9, 9, 3), 80, np.uint8)).preview.any()


def test_pixels_count_and_not_how_they_are_stored() -> None:
    image = cut("temple", 0)
    pixels = np.asarray(image)
    files = [encode(image, "PNG"), encode(image, "BMP")]
    one, other = (measure_image(pixels, file=file) for file in files)
    assert one.pixels == other.pixels
    assert one.file != other.file
    assert measure_image(pixels[:, ::-1]).pixels != one.pixels
    reshaped = pixels.reshape(32, 128, 3)
    assert measure_image(reshaped).pixels != one.pixels
