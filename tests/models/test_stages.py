"""Stages by the names that Keras Applications and this project give their layers."""

import pytest

from experiments.models.stages import _STAGE, list_stages, split_off_head
from tests.models.conftest import build_option, build_small


@pytest.mark.parametrize(
    ("layer", "stage"),
    [
        ("conv3_block1_1_conv", "conv3"),
        ("conv1_conv", "conv1"),
        ("res3a_branch2a", "res3"),
        ("block3a_project_bn", "block3"),  # EfficientNet
        ("block_3_expand", "block_3"),  # MobileNetV2
        ("block_13_expand", "block_13"),
        ("convnext_tiny_stage_2_block_0_layernorm", "convnext_tiny_stage_2"),
        ("conv2d_5", None),  # counted by Keras
        ("conv1", "conv1"),
        ("post_bn", None),
        ("batch_normalization_3", None),
    ],
)
def test_stage_is_what_the_name_of_a_layer_begins_with(
    layer: str, stage: str | None
) -> None:
    found = _STAGE.match(layer)
    assert (found and found[1]) == stage


def test_every_layer_of_the_body_is_in_one_stage() -> None:
    network = build_small("variant=v2")
    stages = list_stages(network)
    assert [stage.name for stage in stages] == ["conv1", "conv2", "conv3"]
    assert stages[-1].layers[-1].name == "post_bn"
    body, head = split_off_head(network)
    assert head.name == "predictions"
    assert [layer for stage in stages for layer in stage.layers] == body


@pytest.mark.parametrize("names", ["keras", "notebook"])
def test_stages_are_those_that_the_config_knows(names: str, check) -> None:
    words = ["depth=null", "blocks=[1,1,1]", "block=basic", f"layer_names={names}"]
    run = check("model=resnet", *(f"model.{word}" for word in words)).run
    network = build_option("resnet", *words, image=(16, 16, 3), classes=3)
    assert [stage.name for stage in list_stages(network)] == run.model.list_stages()
