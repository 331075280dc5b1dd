import numpy as np
import pytest

from experiments.weights.torch_names import are_torch_names, name_as_keras
from tests.models.conftest import build_small, randomize_weights
from tests.weights.torch_writer import name_as_torch


@pytest.mark.parametrize(
    "overrides",
    [
        ["block=basic"],
        ["block=bottleneck"],
        ["block=bottleneck", "groups=4", "width_per_group=2"],
        ["block=bottleneck", "stem=deep", "average_shortcut=true"],
        ["block=basic", "stem=deep", "average_shortcut=true"],
        ["block=bottleneck", "squeeze_excitation=4"],
    ],
    ids=" ".join,
)
def test_each_array_gets_the_place_that_keras_has_for_it(overrides: list[str]) -> None:
    stem = [] if "stem=deep" in overrides else ["stem=imagenet"]
    network = build_small(*overrides, "blocks=[2,1]", "width=16", *stem)
    randomize_weights(network)
    arrays = name_as_torch(network)
    assert are_torch_names(arrays)
    layers = name_as_keras(arrays)
    own = {layer.name: layer.weights for layer in network.layers if layer.weights}
    assert layers.keys() == own.keys()
    for name, variables in own.items():
        assert layers[name].keys() == {variable.name for variable in variables}
        for variable in variables:
            np.testing.assert_array_equal(layers[name][variable.name], variable)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("conv1.weight", ("conv1_conv", "kernel")),
        ("bn1.running_var", ("conv1_bn", "moving_variance")),
        ("layer1.0.conv1.weight", ("conv2_block1_1_conv", "kernel")),
        ("layer3.22.bn3.bias", ("conv4_block23_3_bn", "beta")),
        ("layer4.0.downsample.0.weight", ("conv5_block1_0_conv", "kernel")),
        ("layer4.0.downsample.1.running_mean", ("conv5_block1_0_bn", "moving_mean")),
        ("fc.bias", ("predictions", "bias")),
        ("layer1.0.se.fc1.weight", ("conv2_block1_se_reduce", "kernel")),
        ("layer2.3.se.fc2.bias", ("conv3_block4_se_expand", "bias")),
        ("layer4.0.downsample.2.bias", ("conv5_block1_0_bn", "beta")),
        ("conv1.0.weight", ("conv1_1_conv", "kernel")),
        ("conv1.4.running_mean", ("conv1_2_bn", "moving_mean")),
        ("conv1.6.weight", ("conv1_conv", "kernel")),
        ("layer1.0.attn.fc.weight", ("layer1.0.attn.fc", "weight")),
        ("conv1.2.weight", ("conv1.2", "weight")),
    ],
)
def test_names_are_those_of_keras_applications(
    theirs: str, ours: tuple[str, str]
) -> None:
    layers = name_as_keras({theirs: np.zeros((1,))})
    assert {name: list(found) for name, found in layers.items()} == {ours[0]: [ours[1]]}


def test_counters_that_keras_does_without_are_left_out() -> None:
    assert name_as_keras({"bn1.num_batches_tracked": np.array(3)}) == {}
    assert not are_torch_names({"features.0.0.weight": 0})
