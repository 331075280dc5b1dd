"""How large a residual network is, from its keys alone."""

from collections.abc import Iterator
from dataclasses import dataclass

from experiments.config.schema.models.depths import choose_layout
from experiments.config.schema.models.model import ResNetConfig
from experiments.config.schema.models.resnet import (
    choose_stem,
    count_inner,
    final_map_size,
)

_EXPANSION = 4  # of a bottleneck


@dataclass(frozen=True, kw_only=True)
class NetworkSize:
    """What a network holds.

    Attributes:
        parameters: Elements of all kernels; biases and batch norms, below 1 % of
            them in a usual network, are left out.
        largest_map: Elements of an image's maps between two blocks, of the largest.
        block_inputs: The same, summed up over all blocks.
    """

    parameters: int
    largest_map: int
    block_inputs: int


@dataclass(frozen=True)
class _BlockSize:
    kernels: int
    inputs: int


def measure_resnet(
    config: ResNetConfig, *, size: int, channels: int, classes: int
) -> NetworkSize:
    """Returns the size of a network that was checked.

    Args:
        config: Its keys.
        size: Height and width of the images.
        channels: Of the images.
        classes: How many.
    """
    layout = choose_layout(config.depth, config.blocks, config.block)
    stem = choose_stem(config.stem, size)
    blocks = list(_list_blocks(config, size, stem))
    features = _count_out(config, len(layout.blocks) - 1)
    if config.head == "notebook":
        final = final_map_size(size, stem=stem, stages=len(layout.blocks))
        features *= (final // 2) ** 2
    kernels = _count_stem(stem, channels, config.width) + features * classes
    return NetworkSize(
        parameters=kernels + sum(block.kernels for block in blocks),
        largest_map=max(block.inputs for block in blocks),
        block_inputs=sum(block.inputs for block in blocks),
    )


def _count_stem(stem: str, channels: int, width: int) -> int:
    """Returns the elements of the stem's kernels."""
    if stem == "deep":
        half = max(width // 2, 1)
        return 9 * (channels * half + half**2 + half * width)
    return (9 if stem == "cifar" else 49) * channels * width


def _count_out(config: ResNetConfig, stage: int) -> int:
    """Returns how many maps the blocks of a stage put out."""
    kind = choose_layout(config.depth, config.blocks, config.block).block
    expansion = _EXPANSION if kind == "bottleneck" else 1
    return int(config.width * 2**stage * expansion)


def _list_blocks(config: ResNetConfig, size: int, stem: str) -> Iterator[_BlockSize]:
    layout = choose_layout(config.depth, config.blocks, config.block)
    maps = config.width
    side = final_map_size(size, stem=stem, stages=1)
    inner = count_inner(config.width, config.groups, config.width_per_group)
    for stage, count in enumerate(layout.blocks):
        inside = inner * 2**stage
        filters, out = config.width * 2**stage, _count_out(config, stage)
        for index in range(count):
            stride = 2 if stage > 0 and index == 0 else 1
            if layout.block == "basic":
                kernels = 9 * maps * filters + 9 * filters**2
            else:
                kernels = maps * inside + 9 * inside**2 // config.groups
                kernels += inside * out
            changes = stride != 1 or maps != out
            if config.shortcut == "C" or (config.shortcut == "B" and changes):
                kernels += maps * out
            if config.squeeze_excitation is not None:
                kernels += 2 * out * max(out // config.squeeze_excitation, 1)
            yield _BlockSize(kernels, side**2 * maps)
            maps, side = out, (side + stride - 1) // stride
