"""One builder for every residual network."""

import contextlib
import functools
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import keras

from experiments.config.schema.models.depths import Block, choose_layout
from experiments.config.schema.models.resnet import (
    choose_stem,
    count_inner,
    find_conflicts,
    find_image_problems,
)
from experiments.errors import ConfigError, Problem
from experiments.models.resnet.blocks import ResidualBlock
from experiments.models.resnet.head import add_head
from experiments.models.resnet.layers import LayerFactory
from experiments.models.resnet.names import LayerNames, choose_names
from experiments.models.resnet.stem import add_stem

# Keras Applications' batch norm, which its weights were trained with.
KERAS_EPSILON = 1.001e-5
PAPER_EPSILON = 1e-5


def build_resnet(
    *,
    input_shape: tuple[int, int, int],
    num_classes: int,
    depth: int | None,
    blocks: Sequence[int] | None,
    block: Block | None,
    variant: str,
    shortcut: str,
    stem: str,
    width: int,
    head: str,
    conv_bias: bool | str,
    bn_momentum: float,
    bn_epsilon: float | str,
    zero_init_last_scale: bool | str,
    dropout: float,
    initializer: str,
    activation: str,
    layer_names: str,
    groups: int,
    width_per_group: int | None,
    squeeze_excitation: int | None,
    average_shortcut: bool,
    anti_aliasing: str,
    stochastic_depth: float,
) -> keras.Model:
    """Builds a residual network out of Keras' own layers.

    A saved one therefore loads without this package. Its last layer computes in
    float32 under every precision.

    Args:
        input_shape: Height, width and channels of an image.
        num_classes: Number of classes.
        depth: Number of layers, a key of `DEPTHS` in
            `experiments.config.schema.models.depths`; `None` when `blocks` and `block`
            say it.
        blocks: Number of blocks in each of any number of stages.
        block: `basic` or `bottleneck`.
        variant: `v1` (the paper; a bottleneck's stride in its first 1×1), `v1_5` (its
            stride in the 3×3) or `v2` (pre-activation; its stride in the first 1×1).
        shortcut: `A` (zero-padded identity), `B` (projection where the shape changes),
            `C` (projection everywhere) or `none` (the paper's plain network).
        stem: `imagenet` (7×7, stride 2, pooling), `deep` (three 3×3 in place of its
            7×7), `cifar` (3×3), `notebook` (as `imagenet`, its pooling not padded);
            `auto` and `auto_deep` take `cifar` when a side has `CIFAR_STEM_MAX_SIZE`
            pixels or fewer (`experiments.config.schema.models.resnet`), else `imagenet`
            and `deep`.
        width: Filters of the stem and the first stage; each stage doubles them.
        head: `average` or `max` (global pooling) or `notebook` (2×2 average pooling,
            flattened, then softmax).
        conv_bias: Whether convolutions have biases; `auto`: in v1, as in Keras
            Applications.
        bn_momentum: Share of the old moving statistics kept at each step, in [0, 1).
        bn_epsilon: Added to the variance; `auto`: 1.001e-5 in v1, as in Keras
            Applications, else 1e-5.
        zero_init_last_scale: Whether each block starts as its shortcut, the last
            batch-norm scale of its branch at 0; `auto`: where there are both.
        dropout: Rate before the dense layer, in [0, 1).
        initializer: Of the convolutions' kernels: `he_fan_out` (normal, as in
            torchvision), a name Keras knows, or `notebook` (Glorot uniform, seed 10
            on conv1, on blocks with a projection and on the dense layer).
        activation: Name of a Keras activation.
        layer_names: `keras` (as Keras Applications) or `notebook`.
        groups: Of the 3×3 of a bottleneck, ResNeXt's cardinality.
        width_per_group: Filters of each group in the first stage, which each stage
            doubles; `None`: those of the block, divided among the groups.
        squeeze_excitation: Ends each branch by squeeze and excitation, with so many
            times fewer numbers in between (the paper: 16); `None`: none.
        average_shortcut: Whether a shortcut averages the positions that it merges, as
            ResNet-D's do, instead of taking one of them.
        anti_aliasing: Blurs before positions are left out: in the stem's pooling and
            the blocks' branches (`branch`), in the shortcuts too (`all`, the paper's)
            or nowhere (`none`). The stem's first convolution keeps its stride.
        stochastic_depth: How often training leaves a sample out of the last block's
            branch, in [0, 1); the rate grows with each block, from the first one on.

    Returns:
        A network from normalised floats (B, H, W, C) to logits (B, num_classes), to
        probabilities with `head="notebook"`.

    Raises:
        ConfigError: Arguments that contradict each other or the image's size.

    Reference:
        Deep Residual Learning, arXiv:1512.03385; Identity Mappings in Deep Residual
        Networks, arXiv:1603.05027. Every v2 network begins with conv, batch norm,
        activation, so that its first block needs no activation of its own (the
        paper's appendix). Stochastic depth, arXiv:1603.09382, equation 4; the others
        are named where they are made.
    """
    conflicts = find_conflicts(
        depth=depth,
        blocks=blocks,
        block=block,
        variant=variant,
        shortcut=shortcut,
        zero_init_last_scale=zero_init_last_scale,
        width=width,
        groups=groups,
        width_per_group=width_per_group,
        average_shortcut=average_shortcut,
        stochastic_depth=stochastic_depth,
    )
    _refuse(conflicts)
    layout = choose_layout(depth, blocks, block)
    size = min(input_shape[:2])
    stem = choose_stem(stem, size)
    stages = len(layout.blocks)
    _refuse(find_image_problems(size, stem=stem, head=head, stages=stages))
    names = choose_names(layer_names)
    layers = LayerFactory(
        conv_bias=variant == "v1" if conv_bias == "auto" else bool(conv_bias),
        bn_momentum=bn_momentum,
        bn_epsilon=_resolve_epsilon(bn_epsilon, variant),
        initializer=initializer,
        activation=activation,
    )
    residual = ResidualBlock(
        layers=layers,
        kind=layout.block,
        variant=variant,
        shortcut=shortcut,
        zero_init_last_scale=_resolve_zero_init(
            zero_init_last_scale, variant, shortcut
        ),
        shortcut_first=names.shortcut_first,
        groups=groups,
        squeeze_excitation=squeeze_excitation,
        average_shortcut=average_shortcut,
        anti_aliasing=anti_aliasing,
    )
    inputs = keras.Input(input_shape)  # (B, H, W, C)
    # (B, H, W, width) behind the cifar stem, (B, H/4, W/4, width) behind the others
    x = add_stem(
        inputs,
        stem=stem,
        width=width,
        layers=layers,
        names=names,
        blurs=anti_aliasing != "none",
    )
    # Each further stage halves H and W and doubles the filters.
    x = _add_stages(
        x,
        layout.blocks,
        width,
        count_inner(width, groups, width_per_group),
        residual,
        names,
        drop_rate=stochastic_depth,
    )
    if variant == "v2":
        x = layers.normalize_and_activate(x, names.head, "post")
    outputs = add_head(
        x,
        head=head,
        num_classes=num_classes,
        dropout=dropout,
        initializer=initializer,
        names=names,
    )
    with _recursion_allowed(sum(layout.blocks)):
        return keras.Model(inputs, outputs, name=names.model(depth))


def _refuse(problems: Iterator[Problem]) -> None:
    found = [Problem(f"model.{p.key}", p.message, p.hint) for p in problems]
    if found:
        raise ConfigError(found, title="The network")


def _resolve_epsilon(epsilon: float | str, variant: str) -> float:
    if epsilon == "auto":
        return KERAS_EPSILON if variant == "v1" else PAPER_EPSILON
    return float(epsilon)


def _resolve_zero_init(zero_init: bool | str, variant: str, shortcut: str) -> bool:
    if zero_init == "auto":
        return variant != "v2" and shortcut != "none"
    return bool(zero_init)


def _add_stages(
    x: Any,
    blocks: Sequence[int],
    width: int,
    inner: int,
    residual: ResidualBlock,
    names: LayerNames,
    *,
    drop_rate: float,
) -> Any:
    """Adds all blocks; each stage but the first halves the maps' sides."""
    number = 0
    for stage, count in enumerate(blocks):
        for index in range(count):
            number += 1
            x = residual.add_to(
                x,
                filters=width * 2**stage,
                inner=inner * 2**stage,
                drop_rate=drop_rate * number / sum(blocks),
                stride=2 if stage > 0 and index == 0 else 1,
                name=functools.partial(names.block, stage, index),
                activated=stage == 0 and index == 0,
            )
    return x


@contextlib.contextmanager
def _recursion_allowed(blocks: int) -> Iterator[None]:
    """Lets Keras walk a deep graph: it recurses once a layer, 13 in a block at most."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, 1000 + 13 * blocks))
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)
