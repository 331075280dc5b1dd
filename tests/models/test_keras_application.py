"""Against the networks that Keras Applications builds itself."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from experiments.builders.model import Images, build_model, normalise_inside
from experiments.config.schema.models.applications import (
    ARCHITECTURES,
    family_of,
    published_size,
)
from experiments.errors import ConfigError
from experiments.models.cost import measure_cost
from experiments.models.keras_application import HEAD, build_keras_application
from experiments.runtime.devices import Devices
from experiments.speedups.batch_norm import fuse_batch_norms
from experiments.speedups.convolution import lower_convolutions
from experiments.training.checkpoints.store import load_last
from experiments.weights.preprocessing import PREPROCESSINGS
from tests.models.conftest import randomize_weights, relative_error

_SPREAD = (0.229, 0.224, 0.225)


def build(architecture: str, size: int = 0, channels: int = 3, **keys: Any) -> Any:
    size = size or family_of(architecture).smallest
    options = {"alpha": None, "pooling": "average", "dropout": 0.0, **keys}
    return build_keras_application(
        input_shape=(size, size, channels),
        num_classes=5,
        architecture=architecture,
        **options,
    )


def list_weighted(model: Any) -> list[Any]:
    return [
        variable for variable in model.weights if "predictions" not in variable.path
    ]


def test_every_architecture_of_keras_has_its_name_here() -> None:
    there = [name for name in dir(keras.applications) if name[0].isupper()]
    assert sorted(ARCHITECTURES) == sorted(there)


@pytest.mark.slow
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_sizes_are_those_of_keras(name: str) -> None:
    build_theirs = getattr(keras.applications, name)
    size, smallest = published_size(name), family_of(name).smallest
    shape = (None, None, 3)
    if not name.startswith("MobileNetV3"):  # which leave it open by default
        shape = build_theirs(weights=None).input_shape[1:]
        assert shape == (size, size, 3)
    with pytest.raises(ValueError, match="at least"):
        build_theirs(
            weights=None, include_top=False, input_shape=(smallest - 1, smallest - 1, 3)
        )


@pytest.mark.parametrize(
    "name",
    [
        "EfficientNetV2B0",
        "MobileNetV3Small",
        pytest.param("ConvNeXtTiny", marks=pytest.mark.slow),
        pytest.param("EfficientNetV2S", marks=pytest.mark.slow),
        pytest.param("EfficientNetB0", marks=pytest.mark.slow),
    ],
)
def test_what_keras_has_inside_is_done_before_the_network(name: str) -> None:
    """Plain images give the same features, without a layer that ONNX cannot take."""
    size = 32
    reference = getattr(keras.applications, name)(
        weights=None, include_top=False, pooling="avg", input_shape=(size, size, 3)
    )
    randomize_weights(reference)
    if name == "EfficientNetB0":  # as its file of ImageNet has it, with `/ sqrt(std)`
        norm = next(x for x in reference.layers if x.name.startswith("normalization"))
        norm.adapt_mean.assign([0.485, 0.456, 0.406])
        norm.adapt_variance.assign(np.square(_SPREAD))
        norm.finalize_state()
    network = build(name, size)
    theirs = [w for w in reference.weights if "normalization/" not in w.path[:16]]
    ours = list_weighted(network)
    if name == "EfficientNetB0":
        theirs = theirs[-len(ours) :]
    for variable, value in zip(ours, theirs, strict=True):
        variable.assign(value)
    known = PREPROCESSINGS[family_of(name).preprocessing]
    images = Images(
        class_names=tuple("abcde"),
        image_shape=(size, size, 3),
        mean=known.mean,
        std=known.std,
    )
    model = normalise_inside(network, images)
    features = keras.Model(network.input, network.get_layer(HEAD).input)
    pixels = np.random.default_rng(1).integers(0, 256, (4, size, size, 3))
    prepared = model.get_layer("normalise")(pixels.astype("uint8"))
    expected = reference(pixels.astype("float32"), training=False)
    assert relative_error(features(prepared, training=False), expected) < 1e-5
    kinds = {type(layer).__name__ for layer in [*model.layers, *network.layers]}
    assert "Normalization" not in kinds


def test_layers_have_the_same_names_whatever_was_built_before() -> None:
    first = [w.path for w in build("MobileNetV3Small").weights]
    keras.layers.Conv2D(1, 1)
    assert [w.path for w in build("MobileNetV3Small").weights] == first


def test_other_layers_are_numbered_on_as_if_nothing_had_been_built() -> None:
    number = int(keras.layers.Conv2D(1, 1).name.rpartition("_")[2] or 0)
    build("MobileNetV2", alpha=0.35)
    assert keras.layers.Conv2D(1, 1).name == f"conv2d_{number + 1}"


@pytest.mark.parametrize("pooling", ["average", "max"])
def test_the_head_has_one_logit_a_class_in_float32(pooling: str) -> None:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        network = build("MobileNetV2", alpha=0.35, pooling=pooling, dropout=0.5)
    finally:
        keras.config.set_dtype_policy(before)
    names = [layer.name for layer in network.layers[-3:]]
    assert names == [f"{pooling}_pool", "top_dropout", HEAD]
    assert network.output.dtype == "float32"
    assert network.output_shape == (None, 5)


@pytest.mark.parametrize(
    ("name", "alpha", "parameters"),
    [  # of the table in Keras' documentation, with its 1,000 classes
        ("MobileNetV2", None, 3_538_984),
        pytest.param("ConvNeXtTiny", None, 28_589_128, marks=pytest.mark.slow),
        pytest.param("EfficientNetV2B0", None, 7_200_312, marks=pytest.mark.slow),
        pytest.param("DenseNet121", None, 8_062_504, marks=pytest.mark.slow),
        pytest.param("InceptionV3", None, 23_851_784, marks=pytest.mark.slow),
        pytest.param("NASNetMobile", None, 5_326_716, marks=pytest.mark.slow),
        pytest.param("MobileNet", 0.25, 475_544, marks=pytest.mark.slow),
    ],
)
def test_parameters_are_the_published_ones(
    name: str, alpha: float | None, parameters: int
) -> None:
    size = family_of(name).smallest
    network = build_keras_application(
        input_shape=(size, size, 3),
        num_classes=1000,
        architecture=name,
        alpha=alpha,
        pooling="average",
        dropout=0.0,
    )
    assert network.count_params() == parameters


def test_images_of_one_channel_are_taken() -> None:
    assert build("MobileNetV2", channels=1, alpha=0.35).input_shape[-1] == 1


def test_what_it_cannot_take_is_refused_with_the_key() -> None:
    with pytest.raises(ConfigError, match=r"model\.architecture Xception takes images"):
        build("Xception", 70)
    with pytest.raises(ConfigError, match=r"model\.alpha must be null"):
        build("Xception", alpha=0.5)


QUICK = ("MobileNetV3Small",)  # others take seconds to build each


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(n, marks=() if n in QUICK else pytest.mark.slow)
        for n in ARCHITECTURES
    ],
)
def test_it_takes_a_training_step(check: Any, name: str) -> None:
    size = family_of(name).smallest
    run = check(
        "model=keras_application",
        f"model.architecture={name}",
        "dataset=synthetic",
        f"dataset.image_size={size}",
    ).run
    images = Images(
        class_names=("one", "two"),
        image_shape=(size, size, 3),
        mean=(0.5,) * 3,
        std=(0.25,) * 3,
    )
    model = build_model(run, images, steps_per_epoch=1, devices=Devices(()))
    before = [np.array(variable) for variable in model.trainable_variables]
    pixels = np.random.default_rng(1).integers(0, 256, (4, size, size, 3))
    loss = model.train_on_batch(pixels.astype("uint8"), np.array([0, 1, 0, 1]))
    assert np.isfinite(loss).all()
    changed = [
        not np.array_equal(old, new)
        for old, new in zip(before, model.trainable_variables, strict=True)
    ]
    assert sum(changed) > 0.9 * len(changed)
    cost = measure_cost(model, batch_size=4, precision="float32")
    assert cost.parameters == model.count_params()
    assert not cost.uncounted_layers


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("MobileNetV2", {"alpha": 0.35}),
        pytest.param("EfficientNetV2B0", {}, marks=pytest.mark.slow),
        pytest.param("InceptionV3", {}, marks=pytest.mark.slow),
        pytest.param("ConvNeXtTiny", {}, marks=pytest.mark.slow),
        pytest.param("NASNetMobile", {}, marks=pytest.mark.slow),
    ],
)
def test_what_is_sped_up_has_the_gradients_of_keras(
    name: str, keys: dict[str, Any]
) -> None:
    """Depthwise and separable convolutions, batch norms without a scale."""
    import tensorflow as tf

    plain = build(name, 96, **keys)
    randomize_weights(plain)
    fast = keras.models.clone_model(plain)
    fast.set_weights(plain.get_weights())
    fuse_batch_norms(fast, jit=False)
    lower_convolutions(fast)
    images = np.random.default_rng(1).normal(size=(4, 96, 96, 3)).astype("float32")
    labels = np.array([0, 1, 2, 3])
    found = []
    for network in (plain, fast):
        keras.utils.set_random_seed(0)
        with tf.GradientTape() as tape:
            # others drop out at random
            logits = network(images, training=name == "MobileNetV2")
            loss = keras.losses.sparse_categorical_crossentropy(
                labels, logits, from_logits=True
            )
        given = tape.gradient(loss, network.trainable_variables)
        found.append(np.concatenate([np.ravel(gradient) for gradient in given]))
    expected, ours = found
    assert np.linalg.norm(ours - expected) < 1e-3 * np.linalg.norm(expected)


def read_state(folder: Path) -> dict[str, Any]:
    """Returns the arrays of the last state of the job in an output folder."""
    (checkpoints,) = folder.glob("runs/*/checkpoints")
    state = load_last(checkpoints)
    assert state is not None
    return dict(state.arrays)


@pytest.mark.slow
def test_a_stopped_training_goes_on_to_the_same_bits(
    run_command: Any, tmp_path: Path
) -> None:
    """Though a layer drops out; others: `tests/tasks/test_keras_architectures.py`."""
    typed = [
        "model=keras_application",
        "model.architecture=MobileNetV2",
        "model.alpha=0.35",
        "model.dropout=0.5",
        "dataset=synthetic_small",
        "dataset.image_size=32",
        "dataset.images=48",
        "dataset.classes=3",
        "trainer.epochs=2",
        "trainer.batch_size=8",
        "trainer.max_steps_per_epoch=2",
        "tracking=off",
        "gpu=cpu",
        "task.picture_grid=false",
    ]
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    for words, code in (
        ([f"output_dir={whole}"], 0),
        ([f"output_dir={parts}", "trainer.max_steps=3"], 75),  # it is to go on
        ([f"output_dir={parts}"], 0),
    ):
        done = run_command(*typed, *words, timeout=1200)
        assert done.returncode == code, done.stderr
    expected, found = read_state(whole), read_state(parts)
    assert found.keys() == expected.keys()
    assert any("seed" in name for name in expected)
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array, err_msg=name)
