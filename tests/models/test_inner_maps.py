"""Which maps are a model's last ones, and how they are heard."""

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers, ops

from experiments.models.inner_maps import (
    find_last_maps,
    list_leaves,
    list_steps,
    listening,
    without_softmax,
)
from experiments.speedups.batch_norm import fuse_batch_norms
from tests.models.conftest import build_small, randomize_weights

IMAGE = np.random.default_rng(0).normal(size=(1, 8, 8, 3)).astype("float32")


def find_name(model: Any) -> str | None:
    """Returns the name of the layer whose output counts as the last maps."""
    steps = list_steps(model, ops.convert_to_tensor(IMAGE))
    number = find_last_maps(steps)
    return None if number is None else str(steps[number].layer.name)


def build(*parts: Any) -> Any:
    return keras.Sequential([keras.Input((8, 8, 3)), *parts])


def test_the_last_maps_are_those_before_pooling() -> None:
    model = build(
        layers.Conv2D(4, 3, name="first"),
        layers.Conv2D(4, 3, name="last"),
        layers.Dropout(0.5),
        layers.ZeroPadding2D(1),
        layers.AveragePooling2D(2),
        layers.Flatten(),
        layers.Dense(2),
    )
    assert find_name(model) == "last"


def test_both_poolings_of_the_same_maps_are_behind_them() -> None:
    inputs = keras.Input((8, 8, 3))
    maps = layers.Conv2D(4, 3, name="maps")(inputs)
    pooled = [layers.GlobalAveragePooling2D()(maps), layers.GlobalMaxPooling2D()(maps)]
    model = keras.Model(inputs, layers.Dense(2)(layers.Concatenate()(pooled)))
    assert find_name(model) == "maps"


def test_maps_that_another_branch_goes_past_do_not_count() -> None:
    inputs = keras.Input((8, 8, 3))
    trunk = layers.Conv2D(4, 3, name="trunk")(inputs)
    one = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3, name="branch")(trunk))
    both = layers.Add()([one, layers.GlobalMaxPooling2D()(trunk)])
    assert find_name(keras.Model(inputs, layers.Dense(2)(both))) == "trunk"


def test_a_single_place_is_no_map() -> None:
    """The stem leaves 2 x 2 of 8 x 8 pixels, the second stage 1 x 1."""
    model = build_small("stem=imagenet", "variant=v1")
    assert model.get_layer("conv2_block2_out").output.shape == (None, 2, 2, 4)
    assert find_name(model) == "conv2_block2_out"


@pytest.mark.parametrize(
    "parts",
    [
        (layers.Rescaling(2.0), layers.Flatten(), layers.Dense(2)),
        (layers.Flatten(), layers.Dense(16), layers.Reshape((4, 4, 1))),
        (layers.Conv2D(4, 8), layers.Flatten(), layers.Dense(2)),
    ],
    ids=["no kernel sees the image", "a kernel sees no image", "it sees one place"],
)
def test_without_maps_there_are_none(parts: tuple[Any, ...]) -> None:
    assert find_name(build(*parts)) is None


def test_image_that_only_branches_of_kernels_see_is_no_map() -> None:
    inputs = keras.Input((8, 8, 3))
    image = layers.Rescaling(2.0)(inputs)
    parts = [layers.Conv2D(4, size)(image) for size in (3, 5)]
    both = layers.Add()([layers.GlobalAveragePooling2D()(part) for part in parts])
    assert find_name(keras.Model(inputs, layers.Dense(2)(both))) is None


def test_a_shared_layer_counts_where_it_was_called_last() -> None:
    inputs = keras.Input((8, 8, 3))
    shared = layers.Conv2D(3, 3, padding="same", name="shared")
    x = layers.GlobalAveragePooling2D()(shared(shared(inputs)))
    steps = list_steps(keras.Model(inputs, layers.Dense(2)(x)), IMAGE)
    number = find_last_maps(steps)
    assert number is not None
    assert (steps[number].layer.name, steps[number].call) == ("shared", 1)


class Subclassed(keras.Model):
    """A model that has no graph."""

    def __init__(self) -> None:
        super().__init__()
        self.inside = build(layers.Conv2D(4, 3, name="inside"))
        self.pool = layers.GlobalMaxPooling2D()
        self.dense = layers.Dense(2)

    def call(self, images: Any) -> Any:
        """Returns two scores."""
        return self.dense(self.pool(self.inside(images)))


def test_subclassed_models_are_taken_apart_too() -> None:
    model = Subclassed()
    model(IMAGE)
    names = [type(layer).__name__ for layer in list_leaves(model)]
    assert names[-3:] == ["Conv2D", "GlobalMaxPooling2D", "Dense"]
    assert find_name(model) == "inside"
    assert find_name(build(Subclassed())) == "inside"


def test_what_is_heard_may_be_changed_and_is_not_afterwards() -> None:
    model = build_small("variant=v2")
    randomize_weights(model)
    fuse_batch_norms(model, jit=False)  # which gives layers a call of their own
    before = {id(layer): vars(layer).get("call") for layer in list_leaves(model)}
    plain = np.asarray(model(IMAGE))
    dense = model.layers[-1]
    with listening([dense], lambda layer, inputs, output: output + 1):
        np.testing.assert_allclose(np.asarray(model(IMAGE)), plain + 1, atol=1e-5)
    with pytest.raises(ZeroDivisionError), listening(list_leaves(model), divide):
        model(IMAGE)
    np.testing.assert_array_equal(np.asarray(model(IMAGE)), plain)
    after = {id(layer): vars(layer).get("call") for layer in list_leaves(model)}
    assert after == before
    assert sum(call is not None for call in after.values()) > 3


def divide(layer: Any, inputs: Any, output: Any) -> Any:
    raise ZeroDivisionError


@pytest.mark.parametrize(
    "head",
    [
        (layers.Dense(3, activation="softmax"),),
        (layers.Dense(3), layers.Softmax()),
        (layers.Dense(3), layers.Activation("softmax")),
    ],
    ids=["within", "layer", "activation"],
)
def test_scores_are_those_before_the_softmax(head: tuple[Any, ...]) -> None:
    model = build(layers.Flatten(), *head)
    shares = np.asarray(model(IMAGE))
    with without_softmax(list_steps(model, IMAGE)):
        scores = np.asarray(model(IMAGE))
    dense = model.layers[1]
    flat = IMAGE.reshape(1, -1)
    np.testing.assert_allclose(
        scores, flat @ np.asarray(dense.kernel) + dense.bias, rtol=1e-4, atol=1e-5
    )
    np.testing.assert_array_equal(np.asarray(model(IMAGE)), shares)
