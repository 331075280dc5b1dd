"""`variant=v1_5` is the network that onnx ships for its backend tests."""

import re
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from experiments.weights.fit import load_into
from experiments.weights.source import read_weights
from tests.models.conftest import (
    build_option,
    randomize_weights,
    relative_error,
    share_option,
)
from tests.weights.torch_writer import save

LIGHT = Path(onnx.__file__).parent / "backend/test/data/light/light_resnet50.onnx"
PARTS = {"branch2a": "1", "branch2b": "2", "branch2c": "3", "branch1": "0"}


@pytest.fixture(scope="module")
def ours():
    model = share_option("resnet50", image=(224, 224, 3), classes=1000)
    randomize_weights(model)
    return model


def onnx_weight(name, model):
    """Returns the value of our weight that has the given name in the ONNX file."""
    name = name.removeprefix("gpu_0/").removesuffix("_0").removeprefix("res_")
    place, kind = re.fullmatch(r"(.+?)_(bn_s|bn_b|bn_rm|bn_riv|w|b)", name).groups()
    found = re.fullmatch(r"res(\d)_(\d+)_(\w+)", place)
    if found:
        stage, block, branch = found.groups()
        place = f"conv{stage}_block{int(block) + 1}_{PARTS[branch]}"
    if place == "pred":
        kernel, bias = model.get_layer("predictions").get_weights()
        return kernel.T if kind == "w" else bias
    if kind == "w":
        (kernel,) = model.get_layer(f"{place}_conv").get_weights()
        return kernel.transpose(3, 2, 0, 1)
    index = ["bn_s", "bn_b", "bn_rm", "bn_riv"].index(kind)
    return model.get_layer(f"{place}_bn").get_weights()[index]


def fill(graph, model):
    """Replaces each weight of the graph, constant or stored, by ours."""
    names = {n for node in graph.node for n in node.input if n.endswith("_0")}
    names.discard("gpu_0/data_0")
    computed = [node for node in graph.node if node.op_type == "ConstantOfShape"]
    for node in computed:
        graph.node.remove(node)
    for tensor in [t for t in graph.initializer if t.name in names]:
        graph.initializer.remove(tensor)
    values = {name: onnx_weight(name, model) for name in names}
    graph.initializer.extend(
        numpy_helper.from_array(np.ascontiguousarray(value), name)
        for name, value in values.items()
    )
    return sum(value.size for name, value in values.items() if "_bn_r" not in name)


def return_logits(graph):
    """Cuts off the softmax, which would hide differences."""
    softmax = graph.node[-1]
    assert softmax.op_type == "Softmax"
    del graph.output[:]
    graph.output.append(
        helper.make_tensor_value_info(softmax.input[0], onnx.TensorProto.FLOAT, None)
    )
    graph.node.remove(softmax)


def set_training_mode(network, training):
    """States the mode of batch norm, which opset 14 brought.

    onnx's reference evaluator runs the file's own opset 9 in neither mode: on moving
    statistics that it first updates with the image.
    """
    network.opset_import[0].version = 15
    for node in network.graph.node:
        if node.op_type == "BatchNormalization" and training:
            node.attribute.append(helper.make_attribute("training_mode", 1))
            node.output.extend([f"{node.output[0]}_mean", f"{node.output[0]}_var"])


@pytest.mark.parametrize("training", [False, True])
def test_outputs_equal_the_onnx_network(ours, training):
    network = onnx.load(LIGHT)
    assert fill(network.graph, ours) == 25_557_032
    return_logits(network.graph)
    set_training_mode(network, training)
    image = np.random.default_rng(1).normal(size=(1, 224, 224, 3)).astype("float32")
    (expected,) = ReferenceEvaluator(network).run(
        None, {"gpu_0/data_0": image.transpose(0, 3, 1, 2)}
    )
    assert relative_error(ours(image, training=training), expected) < 1e-4


TORCH_PARTS = {"branch2a": "1", "branch2b": "2", "branch2c": "3"}
TORCH_KINDS = {
    "w": "weight",
    "b": "bias",
    "bn_s": "weight",
    "bn_b": "bias",
    "bn_rm": "running_mean",
    "bn_riv": "running_var",
}


def name_as_torchvision(name):
    """Returns what torchvision calls an array of the ONNX file, which lays it alike."""
    name = name.removeprefix("gpu_0/").removesuffix("_0").removeprefix("res_")
    place, kind = re.fullmatch(r"(.+?)_(bn_s|bn_b|bn_rm|bn_riv|w|b)", name).groups()
    variable, is_norm = TORCH_KINDS[kind], kind.startswith("bn")
    found = re.fullmatch(r"res(\d)_(\d+)_(\w+)", place)
    if found is None:
        layer = {"pred": "fc", "conv1": "bn1" if is_norm else "conv1"}[place]
        return f"{layer}.{variable}"
    stage, block, branch = found.groups()
    if branch == "branch1":
        part = f"downsample.{int(is_norm)}"
    else:
        part = ("bn" if is_norm else "conv") + TORCH_PARTS[branch]
    return f"layer{int(stage) - 1}.{block}.{part}.{variable}"


@pytest.mark.slow
def test_file_as_torchvisions_gives_the_outputs_of_the_onnx_network(ours, tmp_path):
    """Through the names and the layout of PyTorch, which the ONNX file has too."""
    network = onnx.load(LIGHT)
    fill(network.graph, ours)
    arrays = {
        name_as_torchvision(tensor.name): numpy_helper.to_array(tensor)
        for tensor in network.graph.initializer
        if re.search(r"_(bn_s|bn_b|bn_rm|bn_riv|w|b)_0$", tensor.name)
    }
    save(tmp_path / "resnet50.pth", arrays)
    weights = read_weights(tmp_path / "resnet50.pth")
    assert weights.variant == "v1_5"
    loaded = build_option("resnet50", image=(224, 224, 3), classes=1000)
    assert load_into(loaded, weights.layers).share == 1
    return_logits(network.graph)
    set_training_mode(network, False)
    image = np.random.default_rng(1).normal(size=(1, 224, 224, 3)).astype("float32")
    (expected,) = ReferenceEvaluator(network).run(
        None, {"gpu_0/data_0": image.transpose(0, 3, 1, 2)}
    )
    assert relative_error(loaded(image, training=False), expected) < 1e-4
