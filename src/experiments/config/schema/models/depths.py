"""The one table from a network's depth to its blocks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Block = Literal["basic", "bottleneck"]


@dataclass(frozen=True)
class Layout:
    """The part of an architecture that a depth stands for.

    Attributes:
        block: `basic` (two 3×3 convolutions) or `bottleneck` (1×1, 3×3, 1×1).
        blocks: Number of blocks in each stage.
    """

    block: Block
    blocks: tuple[int, ...]


# 18-152: Deep Residual Learning (arXiv:1512.03385), Table 1; 200: Identity Mappings
# (arXiv:1603.05027), section 5. Three stages: CIFAR, 6n+2 layers with basic blocks
# (1512.03385, section 4.2) and 9n+2 with bottlenecks (1603.05027).
DEPTHS: dict[int, Layout] = {
    18: Layout("basic", (2, 2, 2, 2)),
    34: Layout("basic", (3, 4, 6, 3)),
    50: Layout("bottleneck", (3, 4, 6, 3)),
    101: Layout("bottleneck", (3, 4, 23, 3)),
    152: Layout("bottleneck", (3, 8, 36, 3)),
    200: Layout("bottleneck", (3, 24, 36, 3)),
    20: Layout("basic", (3, 3, 3)),
    32: Layout("basic", (5, 5, 5)),
    44: Layout("basic", (7, 7, 7)),
    56: Layout("basic", (9, 9, 9)),
    110: Layout("basic", (18, 18, 18)),
    1202: Layout("basic", (200, 200, 200)),
    164: Layout("bottleneck", (18, 18, 18)),
    1001: Layout("bottleneck", (111, 111, 111)),
}


def choose_layout(
    depth: int | None, blocks: Sequence[int] | None, block: Block | None
) -> Layout:
    """Returns the layout of settings that do not contradict each other."""
    if depth is not None:
        return DEPTHS[depth]
    return Layout(block or "basic", tuple(blocks or ()))
