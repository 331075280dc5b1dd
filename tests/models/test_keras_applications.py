"""`variant=v1` is the network of Keras Applications."""

import keras
import numpy as np
import pytest

from tests.models.conftest import build_option, randomize_weights, relative_error


def build_pair(depth, image):
    reference = getattr(keras.applications, f"ResNet{depth}")(
        weights=None, input_shape=image, classes=10, classifier_activation=None
    )
    ours = build_option(
        f"resnet{depth}",
        "variant=v1",
        "stem=imagenet",
        "bn_momentum=0.99",
        image=image,
        classes=10,
    )
    randomize_weights(reference)
    ours.set_weights(reference.get_weights())
    return ours, reference


@pytest.mark.parametrize(
    ("depth", "parameters", "modes"),
    [
        # The deeper ones have the same blocks: one mode shows their places.
        (50, 25_636_712, (False, True)),
        pytest.param(101, 44_707_176, (False,), marks=pytest.mark.slow),
        pytest.param(152, 60_419_944, (False,), marks=pytest.mark.slow),
    ],
)
def test_outputs_and_parameters_equal_keras_applications(depth, parameters, modes):
    ours, reference = build_pair(depth, (64, 64, 3))
    images = np.random.default_rng(1).normal(size=(4, 64, 64, 3)).astype("float32")
    assert [layer.name for layer in ours.layers[1:]] == [
        layer.name for layer in reference.layers[1:]
    ]
    assert ours.count_params() + (1000 - 10) * 2049 == parameters
    for training in modes:
        expected = reference(images, training=training)
        assert relative_error(ours(images, training=training), expected) < 1e-4
    for weight, expected in zip(ours.weights, reference.weights, strict=True):
        assert weight.path.partition("/")[2] == expected.path.partition("/")[2]
        if True in modes:  # moving statistics that training has changed
            np.testing.assert_allclose(weight, expected, rtol=1e-3, atol=1e-4)


def test_default_options_equal_keras_applications_at_224_pixels():
    reference = keras.applications.ResNet50(weights=None, classifier_activation=None)
    ours = build_option("resnet50", "variant=v1", image=(224, 224, 3), classes=1000)
    randomize_weights(reference)
    for layer in reference.layers:  # by name, as a user would
        if layer.weights:
            ours.get_layer(layer.name).set_weights(layer.get_weights())
    image = np.random.default_rng(1).normal(size=(1, 224, 224, 3)).astype("float32")
    assert ours.count_params() == 25_636_712
    assert relative_error(ours(image), reference(image)) < 1e-4
