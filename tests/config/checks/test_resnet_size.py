"""The size of a network is known from its keys: Keras counts the same."""

import math
from typing import Any

import pytest

from experiments.config.checks.resnet_size import measure_resnet

SIZE, CHANNELS, CLASSES = 72, 3, 7
IMAGES = ["dataset=synthetic", f"dataset.image_size={SIZE}"]
CHANGES = [
    ["model=resnet18"],
    ["model=resnet50"],
    ["model=resnet50", "model.width=24", "model.shortcut=C", "model.variant=v2"],
    ["model=resnet18", "model.shortcut=A", "model.stem=cifar"],
    ["model=resnet20_cifar", "model.stem=imagenet"],
    ["model=resnet50_notebook", "model.head=notebook"],
    ["model=plain20_cifar", "model.width=5"],
    ["model=resnet50d", "model.anti_aliasing=all"],
    ["model=seresnet50", "model.width=5", "model.stem=deep"],
    ["model=resnext50_32x4d", "model.squeeze_excitation=99999"],
    ["model=resnet50", "model.groups=8", "model.variant=v2"],
    ["model=wide_resnet50_2", "model.width=16"],
]


@pytest.fixture(params=CHANGES, ids=" ".join)
def built(request: pytest.FixtureRequest, compose: Any) -> Any:
    from experiments.config.code.targets import instantiate

    config = compose(*IMAGES, *request.param).model
    shape = (SIZE, SIZE, CHANNELS)
    network = instantiate(
        config,
        key="model",
        allowed=["experiments"],
        input_shape=shape,
        num_classes=CLASSES,
    )
    size = measure_resnet(config, size=SIZE, channels=CHANNELS, classes=CLASSES)
    return size, network


def test_the_elements_of_all_kernels_are_counted(built: Any) -> None:
    size, network = built
    kernels = [w for w in network.weights if len(w.shape) > 1]
    assert size.parameters == sum(math.prod(w.shape) for w in kernels)


def test_the_inputs_of_all_blocks_are_counted(built: Any) -> None:
    size, network = built
    layers = {layer.name: layer for layer in network.layers}
    convolutions = [
        name
        for name in layers
        if (name.endswith("_1_conv") and not name.startswith("conv1_"))  # of the stem
        or (name[:3] == "res" and name.endswith("branch2a"))
    ]
    starts = [
        # What is padded first is the block's input without its edges.
        layers.get(name.replace("_1_conv", "_1_pad"), layers[name]).input
        for name in convolutions
    ]
    inputs = [math.prod(tensor.shape[1:]) for tensor in starts]
    assert size.block_inputs == sum(inputs)
    assert size.largest_map == max(inputs)
