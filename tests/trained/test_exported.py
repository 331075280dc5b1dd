"""Logits of every exported file for real photographs are those of the pipeline."""

import io

import keras
import numpy as np
import pytest
from PIL import Image
from skimage import data

from experiments.data.images.decode import decode_image
from experiments.export.encoded import build_decoder
from experiments.export.formats import FORMATS
from experiments.export.network import build_exported
from experiments.export.runtimes import load_encoded, load_exported
from experiments.export.write import write_format

EXACT = [form for form in FORMATS.values() if form.is_exact]
PHOTOGRAPHS = [data.chelsea(), data.coffee(), data.rocket(), data.astronaut()]
CROP = 0.875
# Policy of the training, channels, standardised by the statistics of a data set.
MODELS = {
    "float32": ("float32", 3, False),
    "bfloat16": ("mixed_bfloat16", 3, True),
    "float16": ("mixed_float16", 3, False),
    "grey": ("float32", 1, True),
}


def build(policy, channels, standardised):
    """A network of non-square images, whose batch norms have seen something."""
    keras.utils.set_random_seed(5)
    former = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        images = keras.Input((40, 56, channels), dtype="uint8")
        x = keras.layers.Rescaling(1 / 255)(images)
        if standardised:
            mean, deviation = np.full(channels, 0.4), np.full(channels, 0.2)
            x = keras.layers.Normalization(mean=mean, variance=deviation**2)(x)
        x = keras.layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(x)
        x = keras.layers.BatchNormalization()(x)
        x = keras.layers.ReLU()(x)
        x = keras.layers.Dropout(0.5)(x)
        x = keras.layers.GlobalAveragePooling2D()(x)
        model = keras.Model(images, keras.layers.Dense(5, dtype="float32")(x))
    finally:
        keras.config.set_dtype_policy(former)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss=loss)
    model.fit(read(channels), np.arange(4), verbose=0)
    return model


def read(channels):
    """What the pipeline reads of the photographs, as a training does."""
    shape = (40, 56, channels)
    files = [write(photograph) for photograph in PHOTOGRAPHS]
    return np.stack(
        [
            np.asarray(decode_image(file, image_shape=shape, crop_ratio=CROP))
            for file in files
        ]
    )


def write(photograph):
    content = io.BytesIO()
    Image.fromarray(photograph).save(content, "png")
    return content.getvalue()


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow if name == "float16" else ())
        for name in MODELS
    ],
)
def test_logits_for_photographs_are_the_models_in_every_format(name, tmp_path):
    policy, channels, standardised = MODELS[name]
    model = build(policy, channels, standardised)
    network = build_exported(
        model, kind="logits", output="logits", any_size=False, crop_ratio=CROP
    )
    plain = build("float32", channels, standardised)
    plain.set_weights(model.get_weights())
    images = read(channels)
    wanted = plain.predict(images, verbose=0)
    if policy == "float32":
        np.testing.assert_array_equal(wanted, model.predict(images, verbose=0))
    assert np.abs(wanted).max() > 0.01
    shape = (40, 56, channels)
    decode = build_decoder(shape, crop_ratio=CROP, background=(255, 255, 255))
    for form in EXACT:
        path = tmp_path / form.file
        write_format(network, form, path, decode=decode)
        given = load_exported(form, path, "logits").ask(images)
        np.testing.assert_allclose(given, wanted, atol=1e-5, err_msg=form.name)
    files = [write(photograph) for photograph in PHOTOGRAPHS]
    answers = load_encoded(tmp_path / FORMATS["saved_model"].file, "logits")(files)
    np.testing.assert_allclose(answers, wanted, atol=1e-5)


def test_a_model_of_any_size_reads_files_in_its_own(tmp_path):
    kind = "probabilities"
    model = build("float32", 3, standardised=True)
    form = FORMATS["saved_model"]
    network = build_exported(
        model, kind="logits", output=kind, any_size=True, crop_ratio=CROP
    )
    decode = build_decoder((40, 56, 3), crop_ratio=CROP, background=(255, 255, 255))
    write_format(network, form, tmp_path / "model", decode=decode)
    files = [write(photograph) for photograph in PHOTOGRAPHS]
    answers = load_encoded(tmp_path / "model", kind)(files)
    whole = load_exported(form, tmp_path / "model", kind)
    for photograph, answer in zip(PHOTOGRAPHS, answers, strict=True):
        # The pixels may differ by one grey level, where one is half way between two.
        given = whole.ask(photograph[None])[0]
        np.testing.assert_allclose(given, answer, atol=1e-3)
