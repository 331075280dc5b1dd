"""Layers of a network that Keras ships, by the size of their maps."""

from typing import Any

import keras
import pytest

from experiments.inspection.stages import Stage, gather_stages
from experiments.models.cost import measure_cost, measure_layers


@pytest.fixture(scope="module")
def network() -> Any:
    """ResNet-50 inside another model, as networks are here."""
    inner = keras.applications.ResNet50(weights=None, input_shape=(64, 64, 3))
    images = keras.Input((64, 64, 3))
    return keras.Model(images, inner(keras.layers.Rescaling(1 / 255)(images)))


@pytest.fixture(scope="module")
def stages(network: Any) -> list[Stage]:
    return gather_stages(measure_layers(network, precision="float32"))


def test_stages_are_those_of_the_paper(stages: list[Stage]) -> None:
    """Table 1 of arXiv:1512.03385 at 64 pixels: sides halve, channels double."""
    assert [(stage.name, stage.channels) for stage in stages] == [
        ("64 x 64", 3),
        ("resnet50: 64 x 64", 3),
        ("resnet50: 32 x 32", 64),
        ("resnet50: 16 x 16", 256),
        ("resnet50: 8 x 8", 512),
        ("resnet50: 4 x 4", 1024),
        ("resnet50: 2 x 2", 2048),
        ("resnet50: vectors", 2048),
    ]
    convolutions = [
        sum(layer.kind == "Conv2D" for layer in stage.layers) for stage in stages
    ]
    # Three a block of 3, 4, 6 and 3, and one on each stage's first shortcut.
    assert convolutions == [0, 0, 1, 10, 13, 19, 10, 0]


def test_nothing_is_lost_between_layers_stages_and_the_whole(
    network: Any, stages: list[Stage]
) -> None:
    cost = measure_cost(network, batch_size=1, precision="float32")
    assert sum(stage.parameters for stage in stages) == network.count_params()
    assert sum(stage.flops for stage in stages) == cost.flops_per_image
    whole = sum(stage.activation_bytes for stage in stages)
    assert whole == cost.activation_bytes_per_image
