"""Which settings of a residual network go together."""

import itertools
from collections.abc import Iterator, Sequence

from experiments.config.schema.models.depths import DEPTHS, Block, choose_layout
from experiments.errors import Problem

# An ImageNet stem shrinks an image to a quarter and four stages to an eighth of that:
# up to 64 pixels the last stage would see 2 × 2 positions or fewer.
CIFAR_STEM_MAX_SIZE = 64
_LARGE_STEMS = {"auto": "imagenet", "auto_deep": "deep"}  # above it


def choose_stem(stem: str, size: int) -> str:
    """Returns the stem that is meant with a shorter side of `size` pixels."""
    if stem not in _LARGE_STEMS:
        return stem
    return "cifar" if size <= CIFAR_STEM_MAX_SIZE else _LARGE_STEMS[stem]


def find_conflicts(
    *,
    depth: int | None,
    blocks: Sequence[int] | None,
    block: Block | None,
    variant: str,
    shortcut: str,
    zero_init_last_scale: bool | str,
    width: int,
    groups: int,
    width_per_group: int | None,
    average_shortcut: bool,
    stochastic_depth: float,
) -> Iterator[Problem]:
    """Yields what is wrong between settings that are fine by themselves.

    The arguments are those of `experiments.models.resnet.builder.build_resnet`; the
    keys of the problems are relative to the `model` group.
    """
    if depth is None:
        yield from _check_blocks(blocks, block)
    else:
        yield from _check_depth(depth, blocks, block)
    if zero_init_last_scale is True:
        yield from _check_zero_init(variant, shortcut)
    if depth is None or depth in DEPTHS:
        kind = choose_layout(depth, blocks, block).block
        yield from _check_groups(kind, width, groups, width_per_group)
    if shortcut == "none":
        yield from _check_shortcut(average_shortcut, stochastic_depth)


def count_inner(width: int, groups: int, width_per_group: int | None) -> int:
    """Returns how many maps are inside of a bottleneck of the first stage."""
    return width if width_per_group is None else groups * width_per_group


def _check_blocks(
    blocks: Sequence[int] | None, block: Block | None
) -> Iterator[Problem]:
    if not blocks:
        yield Problem(
            "depth",
            "must be set when model.blocks is null. Received: null for both.",
            "Set model.depth=50, or model.blocks=[2,2,2] model.block=basic.",
        )
    elif block is None:
        yield Problem(
            "block",
            "must be one of basic, bottleneck when model.blocks is set. "
            "Received: null.",
            "Set model.block=basic.",
        )


def _check_depth(
    depth: int, blocks: Sequence[int] | None, block: Block | None
) -> Iterator[Problem]:
    if blocks is not None:
        yield Problem(
            "depth",
            f"must be null when model.blocks is set. Received: {depth}.",
            "Add model.depth=null.",
        )
    elif depth not in DEPTHS:
        yield Problem(
            "depth",
            f"must be one of {', '.join(map(str, sorted(DEPTHS)))}. Received: {depth}.",
            "Choose a file in conf/model/ or set model.depth=null and model.blocks.",
        )
    elif block not in (None, DEPTHS[depth].block):
        written = ",".join(map(str, DEPTHS[depth].blocks))
        yield Problem(
            "block",
            f"must be null or {DEPTHS[depth].block} at model.depth={depth}. "
            f"Received: {block}.",
            f"For such a network set model.depth=null model.blocks=[{written}].",
        )


def _check_zero_init(variant: str, shortcut: str) -> Iterator[Problem]:
    accepted = "must be auto or false with"
    if variant == "v2":
        yield Problem(
            "zero_init_last_scale",
            f"{accepted} model.variant=v2, whose blocks end in a convolution and not "
            "in a batch-norm scale. Received: true.",
            "Type model.zero_init_last_scale=auto.",
        )
    if shortcut == "none":
        yield Problem(
            "zero_init_last_scale",
            f"{accepted} model.shortcut=none, where a zero scale would let nothing "
            "through. Received: true.",
            "Type model.zero_init_last_scale=auto.",
        )


def _check_groups(
    kind: Block, width: int, groups: int, width_per_group: int | None
) -> Iterator[Problem]:
    given = {"groups": groups, "width_per_group": width_per_group}
    for key, value in given.items():
        if kind == "basic" and value not in (1, None):
            yield Problem(
                key,
                "belongs to bottlenecks, and the blocks of this network are basic. "
                f"Received: {value}.",
                "Type model.width_per_group=null; model.width makes all wider."
                if key == "width_per_group"
                else "Type model.groups=1, or model.depth=50.",
            )
    if kind == "bottleneck" and width_per_group is None and width % groups:
        yield Problem(
            "groups",
            f"must divide model.width={width}. Received: {groups}.",
            "Type model.width_per_group=4 for so many filters in each group.",
        )


def _check_shortcut(
    average_shortcut: bool, stochastic_depth: float
) -> Iterator[Problem]:
    if average_shortcut:
        yield Problem(
            "average_shortcut",
            "must be false with model.shortcut=none, where there is none to average. "
            "Received: true.",
            "Type model.average_shortcut=false, or model.shortcut=B.",
        )
    if stochastic_depth:
        yield Problem(
            "stochastic_depth",
            "must be 0 with model.shortcut=none, where a block without its branch lets "
            f"nothing through. Received: {stochastic_depth:g}.",
            "Type model.stochastic_depth=0, or model.shortcut=B.",
        )


def final_map_size(size: int, *, stem: str, stages: int) -> int:
    """Returns the side of the last maps for images of `size` pixels; 0: none left."""
    if stem != "cifar":
        size = (size + 1) // 2
        size = (size - 1) // 2 if stem == "notebook" else (size + 1) // 2
    for _ in range(stages - 1):
        size = (size + 1) // 2
    return size


def find_image_problems(
    size: int, *, stem: str, head: str, stages: int
) -> Iterator[Problem]:
    """Yields what keeps a network from taking images of `size` pixels.

    Args:
        size: The shorter side.
        stem: A stem that `choose_stem` returns.
        head: The head's key.
        stages: Number of stages; each but the first halves the maps.
    """
    least = 2 if head == "notebook" else 1
    final = final_map_size(size, stem=stem, stages=stages)
    if final >= least:
        return
    larger = itertools.count(size + 1)
    enough = next(
        s for s in larger if final_map_size(s, stem=stem, stages=stages) >= least
    )
    if final == 0:
        fits = final_map_size(size, stem="cifar", stages=stages) >= least
        other = "model.stem=cifar, or " if fits else ""
        yield Problem(
            "stem",
            f"{stem} leaves nothing of an image of {size} pixels.",
            f"Type {other}dataset.image_size={enough}.",
        )
    else:
        yield Problem(
            "head",
            "must be average or max when the last maps are 1 x 1, because notebook "
            f"pools 2 x 2. Received: notebook, with images of {size} pixels.",
            f"Type model.head=average, or dataset.image_size={enough}.",
        )
