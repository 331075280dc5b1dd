import keras
import numpy as np
import pytest

from experiments.weights.faults import WeightsError
from experiments.weights.fit import load_into
from experiments.weights.keras_file import read_layers
from tests.models.conftest import build_small, randomize_weights, relative_error


@pytest.fixture(scope="module")
def source():
    network = build_small()
    randomize_weights(network)
    return network


def test_network_of_the_same_kind_gives_the_same_outputs(source, images) -> None:
    network = build_small()
    table = load_into(network, read_layers(source))
    assert relative_error(network(images), source(images)) == 0
    assert table.share == 1
    total = len(network.weights)
    assert table.describe() == f"{total} of {total} arrays loaded"


def test_head_of_other_classes_begins_new_and_is_told(source, images) -> None:
    inner = keras.Model(source.input, source.layers[-2].output)
    head = keras.layers.Dense(7, name="predictions")
    network = keras.models.clone_model(keras.Model(source.input, head(inner.output)))
    before = np.array(network.get_layer("predictions").kernel)
    table = load_into(network, read_layers(source))
    np.testing.assert_array_equal(network.get_layer("predictions").kernel, before)
    body = keras.Model(network.input, network.layers[-2].output)
    assert relative_error(body(images), inner(images)) == 0
    assert table.share == 1
    words = (
        "the last layer, predictions, begins new: the file has 5 classes, here are 7"
    )
    assert table.describe().endswith(words)
    (row,) = [row for row in table.of_state("skipped") if row.variable == "kernel"]
    assert (row.shape, row.file_shape) == ((8, 7), (8, 5))


def test_head_of_as_many_other_classes_begins_new_and_is_told(source) -> None:
    network = build_small()
    before = np.array(network.get_layer("predictions").kernel)
    table = load_into(network, read_layers(source), other_classes=True)
    np.testing.assert_array_equal(network.get_layer("predictions").kernel, before)
    assert table.share == 1
    assert table.describe().endswith(": the file has 5 classes, here are others")
    assert {row.layer for row in table.of_state("skipped")} == {"predictions"}


def test_other_networks_are_refused_and_nothing_is_changed(source) -> None:
    layers = read_layers(source)
    deeper, wider = build_small("blocks=[3,2]"), build_small("width=8")
    biased = build_small("conv_bias=true")
    for network in (deeper, wider, biased):
        before = [np.array(weight) for weight in network.weights]
        with pytest.raises(WeightsError, match="does not fit the network"):
            load_into(network, layers)
        for weight, value in zip(network.weights, before, strict=True):
            np.testing.assert_array_equal(weight, value)
    # All of its own arrays are in the file, which has more.
    with pytest.raises(WeightsError, match=r"only in the file: conv2_block3"):
        load_into(source, read_layers(deeper))


def test_misfit_is_told_with_both_shapes(source) -> None:
    with pytest.raises(WeightsError) as caught:
        load_into(build_small("width=8"), read_layers(source))
    told = "conv1_conv/kernel (3 x 3 x 3 x 8, in the file 3 x 3 x 3 x 4)"
    assert told in str(caught.value)


def test_layer_is_loaded_whole_or_not_at_all(source) -> None:
    layers = {name: dict(found) for name, found in read_layers(source).items()}
    layers["conv2_block1_1_bn"]["gamma"] = np.zeros(5)
    network = build_small()
    table = load_into(network, layers)
    skipped = {row.variable for row in table.of_state("skipped")}
    assert skipped == {"gamma", "beta", "moving_mean", "moving_variance"}
    assert (np.array(network.get_layer("conv2_block1_1_bn").beta) == 0).all()
    assert "new: conv2_block1_1_bn" in table.describe()


def test_variables_may_be_told_by_their_number(source, images) -> None:
    layers = {
        name: {str(k): array for k, array in enumerate(found.values())}
        for name, found in read_layers(source).items()
    }
    network = build_small()
    assert load_into(network, layers).share == 1
    assert relative_error(network(images), source(images)) == 0


def test_weights_for_blue_green_red_take_red_green_blue(source, images) -> None:
    network = build_small()
    table = load_into(network, read_layers(source), reversed_channels=True)
    assert relative_error(network(images), source(images[..., ::-1])) < 1e-5
    assert "red and blue change places" in table.describe()


def test_grey_images_are_seen_as_grey_images_in_colour(source, images) -> None:
    network = build_small(image=(8, 8, 1))
    table = load_into(network, read_layers(source))
    grey = images[..., :1]
    colour = np.repeat(grey, 3, axis=-1)
    assert relative_error(network(grey), source(colour)) < 1e-5
    assert "summed over the colours" in table.describe()


def test_numbers_that_are_none_are_refused(source) -> None:
    layers = {name: dict(found) for name, found in read_layers(source).items()}
    layers["conv1_bn"]["beta"] = np.array([0, np.nan, 0, 0])
    with pytest.raises(WeightsError, match="not finite: conv1_bn/beta"):
        load_into(build_small(), layers)
