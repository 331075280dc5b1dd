import keras
import numpy as np
import pytest
from keras.applications import imagenet_utils

from experiments.builders.model import Images, normalise_inside
from experiments.weights.preprocessing import (
    PREPROCESSINGS,
    Preprocessing,
    read_preprocessing,
)

PIXELS = np.random.default_rng(0).integers(0, 256, (2, 4, 4, 3)).astype("uint8")


@pytest.mark.parametrize("mode", ["torch", "caffe", "tf"])
def test_images_are_prepared_as_keras_applications_prepare_them(mode: str) -> None:
    known = PREPROCESSINGS[mode]
    ours = (PIXELS / 255 - np.array(known.mean)) / np.array(known.std)
    if known.reversed_channels:
        ours = ours[..., ::-1]
    theirs = imagenet_utils.preprocess_input(PIXELS.astype("float32"), mode=mode)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-4)


def test_none_leaves_the_numbers_of_the_image() -> None:
    known = PREPROCESSINGS["none"]
    np.testing.assert_allclose(PIXELS / 255 / np.array(known.std), PIXELS)
    assert known.mean == (0, 0, 0)


def test_grey_images_get_what_is_between_the_colours() -> None:
    grey = Preprocessing((0.1, 0.2, 0.6), (0.2, 0.2, 0.5)).of_channels(1)
    assert (grey.mean, grey.std) == (pytest.approx((0.3,)), pytest.approx((0.3,)))


@pytest.mark.parametrize("channels", [1, 3])
def test_model_tells_how_it_prepares_images(channels: int) -> None:
    known = PREPROCESSINGS["torch"].of_channels(channels)
    images = Images(
        class_names=("a",), image_shape=(4, 4, channels), mean=known.mean, std=known.std
    )
    inputs = keras.Input((4, 4, channels))
    network = keras.Model(inputs, keras.layers.Flatten()(inputs))
    read = read_preprocessing(normalise_inside(network, images))
    assert read is not None
    assert (read.mean, read.std) == (
        pytest.approx(known.mean),
        pytest.approx(known.std),
    )
    assert read_preprocessing(network) is None
