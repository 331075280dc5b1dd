"""Random crops against their definition: cut the window out, then scale it alone.

Scaling is bilinear with half-pixel centres: sample k of n of a window of m pixels lies
at (k + 1/2) m / n - 1/2, and what lies beyond the centre of the outermost pixel is that
pixel. NumPy computes it in double precision; Pillow, which smooths only where it
shrinks, computes the same with two roundings. The central window of an image that no
drawn one fits is that of torchvision's RandomResizedCrop: the whole image with its
longer side shortened to the permitted proportions, at the halved rest, rounded down.
"""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from experiments.data.augment.inception_crop import InceptionCrop
from experiments.data.pipeline.pipeline import build_pipeline
from experiments.data.pipeline.sample_keys import derive_key, key_from_seed
from experiments.data.split import ArraySplit, FileSplit

RATIO = (3 / 4, 4 / 3)
# Smallest and largest, odd and even, around powers of two; then any.
SIZES = [
    *((n, n) for n in (1, 2, 3, 4, 5, 8, 28, 31, 32, 33, 63, 64, 65, 224, 257, 512)),
    *np.random.default_rng(0).integers(1, 513, (24, 2)).tolist(),
    (1, 512),
    (511, 1),
]


def build(area=(0.08, 1.0), flip=False):
    return InceptionCrop(area=area, ratio=RATIO, flip=flip)


def make_keys(count, seed=5):
    return derive_key(key_from_seed(seed), tf.range(count, dtype=tf.int64))


def count_for(size):
    """More images of small sizes, for about as many pixels of each."""
    return int(np.clip(2**18 // (size[0] * size[1]), 4, 64))


def place(augment, sizes, keys):
    draws = augment.draw(keys)
    return augment.place_windows(tf.constant(sizes, tf.int32), draws).numpy()


def place_alike(augment, size, count):
    return place(augment, [size] * count, make_keys(count))


def crop(augment, images):
    return augment(tf.constant(images), make_keys(len(images))).numpy()


def make_noise(size, count, channels=3):
    shape = (count, *size, channels)
    return np.random.default_rng(1).integers(0, 256, shape, np.uint8)


def interpolate(pixels, axis, count):
    length = pixels.shape[axis]
    places = np.clip((np.arange(count) + 0.5) * length / count - 0.5, 0, length - 1)
    below = np.floor(places).astype(int)
    above = np.minimum(below + 1, length - 1)
    share = (places - below).reshape((-1, 1, 1) if axis == 0 else (-1, 1))
    return pixels.take(below, axis) * (1 - share) + pixels.take(above, axis) * share


def cut_and_scale(image, window):
    top, left, height, width = window
    cut = image[top : top + height, left : left + width].astype(np.float64)
    return interpolate(interpolate(cut, 1, image.shape[1]), 0, image.shape[0])


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_crop_is_the_window_scaled_by_itself(size):
    images = make_noise(size, count_for(size))
    windows = place_alike(build(), size, len(images))

    results = crop(build(), images)

    for image, window, result in zip(images, windows, results, strict=True):
        exact = cut_and_scale(image, window)
        assert np.abs(result - exact).max() <= 0.5 + 0.02  # rounded to the nearest


@pytest.mark.parametrize("size", [(28, 28), (33, 64), (5, 3), (127, 90)], ids=str)
def test_a_crop_is_what_pillow_makes_of_the_window(size):
    images = make_noise(size, 16)
    windows = place_alike(build(), size, len(images))

    results = crop(build(), images)

    for image, window, result in zip(images, windows, results, strict=True):
        top, left, height, width = window.tolist()
        cut = Image.fromarray(image[top : top + height, left : left + width])
        by_pillow = cut.resize(size[::-1], Image.Resampling.BILINEAR)
        assert np.abs(result - np.asarray(by_pillow, np.int16)).max() <= 1


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_nothing_outside_the_window_is_seen(size, flip):
    count = count_for(size)
    images = np.full((count, *size, 1), 255, np.uint8)
    for image, window in zip(images, place_alike(build(), size, count), strict=True):
        top, left, height, width = window
        image[top : top + height, left : left + width] = 100

    assert np.unique(crop(build(flip=flip), images)).tolist() == [100]


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_constant_image_stays_constant(size):
    images = np.full((count_for(size), *size, 3), 255, np.uint8)

    np.testing.assert_array_equal(crop(build(flip=True), images), images)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_ramp_stays_within_its_window_and_rises(size):
    count = count_for(size)
    images = np.zeros((count, *size, 2), np.uint8)
    downwards, rightwards = (np.arange(length) * 255 // 511 for length in size)
    images[..., 0], images[..., 1] = downwards[:, None], rightwards
    windows = place_alike(build(), size, count)

    results = crop(build(), images).astype(int)

    for (top, left, height, width), result in zip(windows, results, strict=True):
        rows, columns = result[..., 0], result[..., 1]
        assert (rows[0] == downwards[top]).all()
        assert (rows[-1] == downwards[top + height - 1]).all()
        assert (columns[:, 0] == rightwards[left]).all()
        assert (columns[:, -1] == rightwards[left + width - 1]).all()
        assert (np.diff(rows, axis=0) >= 0).all()
        assert (np.diff(columns, axis=1) >= 0).all()


def test_a_mirrored_crop_is_the_crop_mirrored():
    images = make_noise((29, 40), 64)
    mirrored = build(flip=True)
    chosen = mirrored.choose_mirrored(mirrored.draw(make_keys(64))).numpy()

    plain, results = (crop(a, images).astype(int) for a in (build(), mirrored))

    assert 16 < chosen.sum() < 48
    expected = np.where(chosen[:, None, None, None], plain[:, :, ::-1], plain)
    assert np.abs(results - expected).max() <= 1  # the sum of two, in another order


def test_windows_lie_inside_images_of_any_size():
    sizes = [(n, n) for n in range(1, 513) for _ in range(8)]
    sizes += np.random.default_rng(2).integers(1, 513, (4000, 2)).tolist()
    whole = np.array(sizes)

    windows = place(build(), sizes, make_keys(len(sizes)))

    assert windows[:, :2].min() == 0
    assert windows[:, 2:].min() == 1
    assert (windows[:, :2] + windows[:, 2:] <= whole).all()


def test_the_central_window_is_that_of_torchvision():
    sizes = np.random.default_rng(3).integers(1, 513, (2000, 2)).tolist()

    windows = place(build(area=(2, 2)), sizes, make_keys(len(sizes)))  # none fits

    for (height, width), window in zip(sizes, windows.tolist(), strict=True):
        cut_height, cut_width = height, width
        if width / height < min(RATIO):
            cut_height = round(width / min(RATIO))
        elif width / height > max(RATIO):
            cut_width = round(height * max(RATIO))
        top, left = (height - cut_height) // 2, (width - cut_width) // 2
        assert window == [top, left, cut_height, cut_width]


@pytest.mark.parametrize("flip", [False, True])
def test_files_and_images_in_memory_are_cropped_alike(flip, tmp_path):
    size, count = (37, 52), 12
    images = make_noise(size, count)
    labels = np.arange(count, dtype=np.int32)
    paths = tuple(str(tmp_path / f"{number}.png") for number in labels)
    for path, image in zip(paths, images, strict=True):
        Image.fromarray(image).save(path)
    splits = ArraySplit(images, labels), FileSplit(paths, labels, ("",) * count)

    (in_memory, numbers), (decoded, others) = (
        next(
            iter(
                build_pipeline(
                    split,
                    image_shape=(*size, 3),
                    batch_size=count,
                    seed=0,
                    augment=[build(flip=flip)],
                    shuffle=True,
                    epochs=1,
                    drop_remainder=True,
                    cache="none",
                )
            )
        )
        for split in splits
    )

    assert numbers.numpy().tolist() == others.numpy().tolist()
    difference = in_memory.numpy().astype(int) - decoded.numpy()
    assert np.abs(difference).max() <= 1
