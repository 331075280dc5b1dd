"""What leaves is the trained network in float32, with names of its own."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.special import expit, softmax

from experiments.errors import ExperimentError
from experiments.export.formats import FORMATS
from experiments.export.network import (
    build_exported,
    copy_in_float32,
    without_scaling,
)
from experiments.export.runtimes import load_exported
from experiments.export.write import write_format

SHAPE = (12, 12, 3)
IMAGES = np.random.default_rng(0).integers(0, 256, (4, *SHAPE), np.uint8)


def build(*, policy="float32", activation=None):
    keras.utils.set_random_seed(3)
    images = keras.Input(SHAPE, dtype="uint8", name="image")
    x = keras.layers.Rescaling(1 / 255, dtype=policy)(images)
    x = keras.layers.Conv2D(4, 3, dtype=policy)(x)
    x = keras.layers.BatchNormalization(dtype=policy)(x)
    x = keras.layers.GlobalAveragePooling2D(dtype=policy)(x)
    outputs = keras.layers.Dense(3, dtype="float32", activation=activation)(x)
    model = keras.Model(images, outputs)
    model.compile(optimizer="sgd", loss="sparse_categorical_crossentropy")
    return model


def export(model, **changes):
    options = {
        "kind": "logits",
        "output": "probabilities",
        "any_size": False,
        "crop_ratio": 1.0,
    }
    return build_exported(model, **(options | changes))


def test_probabilities_are_the_softmax_of_the_logits():
    model = build()
    given = export(model)(IMAGES)
    assert list(given) == ["probabilities"]
    wanted = softmax(np.asarray(model(IMAGES)), axis=1)
    np.testing.assert_allclose(np.asarray(given["probabilities"]), wanted, atol=1e-6)


@pytest.mark.parametrize("form", ["saved_model", "onnx", "litert"])
def test_every_form_holds_grouped_convolutions(tmp_path, monkeypatch, form):
    """As of a ResNeXt, and with a map a group as of a ConvNeXt."""
    keras.utils.set_random_seed(3)
    images = keras.Input(SHAPE, dtype="uint8")
    x = keras.layers.Rescaling(1 / 255)(images)
    x = keras.layers.Conv2D(6, 3, groups=3, padding="same", strides=2)(x)
    x = keras.layers.Conv2D(6, 3, groups=2, padding="same")(x)
    x = keras.layers.Conv2D(6, 7, groups=6, padding="same")(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    model = keras.Model(images, keras.layers.Dense(3)(x))
    said = []
    monkeypatch.setattr(tf.get_logger(), "handle", said.append)
    network = export(model, output="logits")
    path = tmp_path / FORMATS[form].file
    write_format(network, FORMATS[form], path)
    assert not said  # of what is compiled again and again
    given = load_exported(FORMATS[form], path, "logits").ask(IMAGES)
    np.testing.assert_allclose(given, np.asarray(model(IMAGES)), atol=1e-5)


def test_probabilities_of_several_labels_are_sigmoids_of_the_logits():
    model = build()
    given = export(model, kind="several_labels")(IMAGES)["probabilities"]
    wanted = expit(np.asarray(model(IMAGES)))
    np.testing.assert_allclose(np.asarray(given), wanted, atol=1e-6)


@pytest.mark.parametrize("kind", ["logits", "several_labels"])
def test_logits_are_those_of_the_model(kind):
    model = build()
    given = export(model, kind=kind, output="logits")(IMAGES)
    np.testing.assert_allclose(
        np.asarray(given["logits"]), np.asarray(model(IMAGES)), atol=1e-6
    )


def test_a_softmax_of_the_model_is_its_answer_and_has_no_logits():
    model = build(activation="softmax")
    given = export(model, kind="probabilities")(IMAGES)["probabilities"]
    np.testing.assert_allclose(np.asarray(given), np.asarray(model(IMAGES)), atol=1e-6)
    with pytest.raises(ExperimentError, match=r"task\.output at probabilities"):
        export(model, kind="probabilities", output="logits")


def test_what_was_trained_in_half_precision_leaves_in_full():
    model = build(policy="mixed_bfloat16")
    copy = copy_in_float32(model)
    assert {layer.compute_dtype for layer in copy.layers if layer.weights} == {
        "float32"
    }
    plain = build()
    plain.set_weights(model.get_weights())
    np.testing.assert_allclose(
        np.asarray(copy(IMAGES)), np.asarray(plain(IMAGES)), atol=1e-6
    )


def test_any_size_has_no_size():
    network = export(build(), any_size=True)
    assert network.input_shape == (None, None, None, 3)
    large = np.repeat(np.repeat(IMAGES, 3, axis=1), 3, axis=2)
    # Each pixel three times as large: the mean over an area gives the image back.
    np.testing.assert_allclose(
        np.asarray(network(large)["probabilities"]).sum(axis=1), 1, atol=1e-6
    )


@pytest.mark.parametrize("name", ["onnx", "litert"])
def test_gelu_is_in_every_form(name, tmp_path):
    """TensorFlow's `erfc` is not; its numbers are those of Keras."""
    images = keras.Input(SHAPE, dtype="uint8", name="image")
    x = keras.layers.Rescaling(1 / 25)(images)
    x = keras.layers.Conv2D(8, 3, activation="gelu")(x)
    x = keras.layers.Activation("gelu")(x)
    outputs = keras.layers.Dense(3)(keras.layers.GlobalAveragePooling2D()(x))
    model = keras.Model(images, outputs)
    form = FORMATS[name]
    write_format(export(model, output="logits"), form, tmp_path / form.file)
    given = load_exported(form, tmp_path / form.file, "logits").ask(IMAGES)
    np.testing.assert_allclose(given, np.asarray(model(IMAGES)), atol=1e-5)


def test_a_normalization_by_known_numbers_leaves_as_the_rescaling_that_it_is():
    mean, variance = [0.4, 0.5, 0.6], [0.04, 0.09, 1e-20]
    images = keras.Input(SHAPE, dtype="uint8")
    x = keras.layers.Rescaling(1 / 255)(images)
    x = keras.layers.Normalization(mean=mean, variance=variance)(x)
    model = keras.Model(images, keras.layers.GlobalAveragePooling2D()(x))
    copy = copy_in_float32(model)
    assert [type(layer).__name__ for layer in copy.layers[1:3]] == ["Rescaling"] * 2
    np.testing.assert_allclose(
        np.asarray(copy(IMAGES)), np.asarray(model(IMAGES)), rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize("any_size", [True, False])
def test_a_network_that_was_saved_leaves_as_one_that_was_not(tmp_path, any_size):
    model = build()
    listed = keras.Model(model.inputs, [model.outputs[0]])
    listed.save(tmp_path / "mine.keras")
    saved = keras.saving.load_model(tmp_path / "mine.keras")
    network = export(saved, any_size=any_size)
    wanted = softmax(np.asarray(model(IMAGES)), axis=1)
    for one in (network, without_scaling(network)):
        given = np.asarray(one(IMAGES)["probabilities"])
        np.testing.assert_allclose(given, wanted, atol=1e-6)
