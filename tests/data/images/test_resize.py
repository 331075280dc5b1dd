import numpy as np
import tensorflow as tf

from experiments.data.images.resize import resize_images, round_to_uint8


def test_images_of_the_right_size_are_left_alone():
    images = tf.zeros((2, 4, 5, 1), tf.uint8)

    assert resize_images(images, (4, 5)) is images


def test_enlarging_interpolates_between_the_centres_of_the_pixels():
    row = tf.constant([[[0], [100]]], tf.uint8)

    result = resize_images(row, (1, 4)).numpy()

    assert result[0, :, 0].tolist() == [0, 25, 75, 100]


def test_rounding_is_to_the_nearest():
    result = round_to_uint8(tf.constant([0.0, 0.4, 0.6, 254.5, 255.0]))

    assert result.dtype == np.uint8
    assert result.numpy().tolist() == [0, 0, 1, 255, 255]
