import numpy as np
import pytest
import tensorflow as tf

from experiments.data.augment.inception_crop import InceptionCrop
from experiments.data.augmentation import CropAugment
from experiments.data.pipeline.sample_keys import derive_key, key_from_seed


def keys_of(count):
    return derive_key(key_from_seed(3), tf.range(count, dtype=tf.int64))


def crop(**changes):
    arguments = {"area": [0.08, 1.0], "ratio": [0.75, 4 / 3], "flip": False}
    return InceptionCrop(**{**arguments, **changes})


def draw(augment, size, count):
    sizes = tf.tile(tf.constant([size]), (count, 1))
    return augment.place_windows(sizes, augment.draw(keys_of(count))).numpy()


def test_it_is_what_the_decoder_asks_for_windows():
    assert isinstance(crop(), CropAugment)


@pytest.mark.parametrize("size", [(300, 400), (1, 1), (2, 500), (37, 20)])
def test_windows_lie_inside_the_image(size):
    top, left, height, width = draw(crop(), size, 500).T

    assert min(top.min(), left.min()) >= 0
    assert min(height.min(), width.min()) >= 1
    assert (top + height).max() <= size[0]
    assert (left + width).max() <= size[1]


def test_area_and_ratio_are_drawn_from_their_ranges():
    windows = draw(crop(area=[0.2, 0.5]), (400, 400), 5000)

    shares = windows[:, 2] * windows[:, 3] / 400**2
    ratios = windows[:, 3] / windows[:, 2]
    assert 0.19 < shares.min() < 0.21
    assert 0.49 < shares.max() < 0.51
    assert shares.mean() == pytest.approx(0.35, abs=0.01)
    assert np.log(ratios).mean() == pytest.approx(0, abs=0.01)
    assert 0.74 < ratios.min() < 0.77
    assert 1.30 < ratios.max() < 1.35


def test_the_place_of_a_window_is_uniform():
    windows = draw(crop(area=[0.25, 0.25], ratio=[1, 1]), (100, 100), 5000)

    counts = np.bincount(windows[:, 0], minlength=51)
    assert len(counts) == 51
    assert abs(counts - 98).max() < 45


def test_an_image_that_no_window_fits_gets_the_largest_central_one():
    windows = draw(crop(area=[1, 1]), (100, 1000), 20)

    assert np.unique(windows, axis=0).tolist() == [[0, 433, 100, 133]]


def test_images_in_memory_are_cut_at_the_drawn_windows():
    ramp = np.arange(0, 256, 4, dtype=np.uint8)
    images = np.zeros((50, 64, 64, 2), np.uint8)
    images[..., 0] = ramp[:, None]
    images[..., 1] = ramp[None]
    top, left, height, width = draw(crop(), (64, 64), 50).T

    result = crop()(tf.constant(images), keys_of(50)).numpy()

    middle = result[:, 31:33, 31:33].astype(float).mean(axis=(1, 2))
    np.testing.assert_allclose(middle[:, 0], 4 * (top + height / 2 - 0.5), atol=1)
    np.testing.assert_allclose(middle[:, 1], 4 * (left + width / 2 - 0.5), atol=1)
    span = result[:, 48, 0, 0].astype(float) - result[:, 16, 0, 0]
    np.testing.assert_allclose(span, 4 * height / 2, atol=1)


def test_the_full_window_changes_nothing():
    images = np.random.RandomState(0).randint(0, 255, (3, 9, 9, 3)).astype(np.uint8)

    result = crop(area=[1, 1], ratio=[1, 1])(tf.constant(images), keys_of(3))

    np.testing.assert_array_equal(result, images)


def test_half_of_the_images_are_mirrored():
    images = np.random.RandomState(0).randint(0, 255, (400, 5, 5, 1)).astype(np.uint8)
    augment = crop(area=[1, 1], ratio=[1, 1], flip=True)

    result = augment(tf.constant(images), keys_of(400)).numpy()

    mirrored = (result == images[:, :, ::-1]).all(axis=(1, 2, 3))
    assert ((result == images).all(axis=(1, 2, 3)) | mirrored).all()
    assert 160 < mirrored.sum() < 240
    chosen = augment.choose_mirrored(augment.draw(keys_of(400)))
    np.testing.assert_array_equal(chosen, mirrored)
