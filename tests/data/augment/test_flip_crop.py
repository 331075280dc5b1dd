import numpy as np
import tensorflow as tf

from experiments.data.augment.flip_crop import FlipCrop
from experiments.data.pipeline.sample_keys import (
    derive_key,
    draw_uniform,
    key_from_seed,
)


def keys_of(count):
    return derive_key(key_from_seed(3), tf.range(count, dtype=tf.int64))


def images_of(count, shape=(5, 6, 3)):
    random = np.random.RandomState(0)
    return random.randint(1, 255, (count, *shape)).astype(np.uint8)


def cut_by_hand(image, pad, top, left, mirrored):
    padded = np.pad(image, ((pad, pad), (pad, pad), (0, 0)))
    window = padded[top : top + image.shape[0], left : left + image.shape[1]]
    return window[:, ::-1] if mirrored else window


def test_each_image_is_a_window_of_the_padded_one_mirrored_or_not():
    images, keys = images_of(64), keys_of(64)
    tops, lefts, coins = (draw_uniform(keys, n).numpy() for n in range(3))

    result = FlipCrop(pad=2, flip=True)(tf.constant(images), keys).numpy()

    for i, image in enumerate(images):
        expected = cut_by_hand(
            image, 2, int(tops[i] * 5), int(lefts[i] * 5), coins[i] < 0.5
        )
        np.testing.assert_array_equal(result[i], expected)


def test_half_of_the_images_are_mirrored():
    images = images_of(400)

    result = FlipCrop(pad=0, flip=True)(tf.constant(images), keys_of(400)).numpy()

    kept = (result == images).all(axis=(1, 2, 3))
    mirrored = (result == images[:, :, ::-1]).all(axis=(1, 2, 3))
    assert (kept | mirrored).all()
    assert 160 < mirrored.sum() < 240


def test_nothing_asked_changes_nothing():
    images = images_of(4)

    result = FlipCrop(pad=0, flip=False)(tf.constant(images), keys_of(4))

    np.testing.assert_array_equal(result, images)
