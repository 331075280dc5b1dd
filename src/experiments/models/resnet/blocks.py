"""One residual block: a branch of convolutions beside a shortcut."""

from dataclasses import dataclass
from typing import Any

import keras

from experiments.models.resnet.blur import blur
from experiments.models.resnet.layers import (
    LayerFactory,
    Namer,
    average,
    drop_branch,
    subsample,
)
from experiments.models.resnet.squeeze import squeeze_and_excite

BOTTLENECK_EXPANSION = 4


@dataclass(frozen=True, kw_only=True)
class ResidualBlock:
    """A block of any kind, variant and shortcut.

    Attributes:
        layers: Makes the layers.
        kind: `basic` or `bottleneck`.
        variant: `v1`, `v1_5` or `v2`.
        shortcut: `A`, `B`, `C` or `none`.
        zero_init_last_scale: Whether the branch starts as zero.
        shortcut_first: Whether the shortcut is the first operand of the addition.
        groups: Of a bottleneck's 3×3.
        squeeze_excitation: How many times fewer numbers squeeze and excitation has in
            between; `None` for none.
        average_shortcut: Whether a shortcut averages the positions that it merges.
        anti_aliasing: `none`, `branch` or `all`, which blurs the shortcut too.

    Reference:
        Deep Residual Learning, arXiv:1512.03385, Figures 2 and 5, section 4.1 for the
        shortcuts; Identity Mappings, arXiv:1603.05027, Figure 1b and appendix;
        ResNeXt, arXiv:1611.05431, Figure 3c; Bag of Tricks, arXiv:1812.01187, Figure
        2c, for the averaging shortcut.
    """

    layers: LayerFactory
    kind: str
    variant: str
    shortcut: str
    zero_init_last_scale: bool
    shortcut_first: bool
    groups: int
    squeeze_excitation: int | None
    average_shortcut: bool
    anti_aliasing: str

    def add_to(
        self,
        x: Any,
        *,
        filters: int,
        inner: int,
        stride: int,
        name: Namer,
        activated: bool,
        drop_rate: float,
    ) -> Any:
        """Adds the block.

        Args:
            x: Maps, (B, H, W, C).
            filters: Maps that come out, of a bottleneck a quarter of them.
            inner: Maps inside of a bottleneck.
            stride: Of the block, in both directions.
            name: Gives the layers' names.
            activated: Whether `x` comes out of an activation, so that a v2 block needs
                none of its own; v1 blocks always get such an `x`.
            drop_rate: How often training leaves a sample's branch out, in [0, 1).

        Returns:
            Maps, (B, ceil(H / stride), ceil(W / stride), filters or 4 * filters).
        """
        plan = self._plan(filters, inner, stride)
        changes = stride != 1 or x.shape[-1] != plan[-1][0]
        projects = self.shortcut == "C" or (self.shortcut == "B" and changes)
        source = x
        if self.variant == "v2" and not activated:
            x = self.layers.normalize_and_activate(x, name, "preact")
        branch = self._branch(x, plan, name, seeded=projects)
        if self.squeeze_excitation is not None:
            reduction = self.squeeze_excitation
            branch = squeeze_and_excite(branch, reduction, self.layers, name)
        if drop_rate:
            branch = drop_branch(branch, drop_rate, name("drop"))
        if self.shortcut != "none":
            # v2 keeps the identity clean; a shortcut that changes its input shares
            # the branch's activation, as in the authors' code.
            shortcut = x if changes or projects else source
            rest = stride
            if stride > 1 and self._merges_positions:
                shortcut, rest = self._merge_positions(shortcut, stride, name), 1
            if projects:
                shortcut = self._project(shortcut, plan[-1][0], rest, name)
            elif changes:
                shortcut = _pad_with_zeros(shortcut, plan[-1][0], rest, name)
            operands = [shortcut, branch] if self.shortcut_first else [branch, shortcut]
            branch = keras.layers.Add(name=name("add"))(operands)
        if self.variant == "v2":
            return branch
        return self.layers.activate(branch, name("out"))

    def _plan(
        self, filters: int, inner: int, stride: int
    ) -> tuple[tuple[int, int, int], ...]:
        """Returns (filters, size, stride) of each convolution."""
        if self.kind == "basic":
            return ((filters, 3, stride), (filters, 3, 1))
        first, second = (1, stride) if self.variant == "v1_5" else (stride, 1)
        wide = BOTTLENECK_EXPANSION * filters
        return ((inner, 1, first), (inner, 3, second), (wide, 1, 1))

    def _branch(
        self,
        x: Any,
        plan: tuple[tuple[int, int, int], ...],
        name: Namer,
        *,
        seeded: bool,
    ) -> Any:
        """Adds the convolutions, batch norm and activation between each two."""
        for k, (filters, size, stride) in enumerate(plan, start=1):
            place = str(k)
            blurs = stride > 1 and self.anti_aliasing != "none"
            x = self.layers.convolve(
                x,
                filters,
                size=size,
                stride=1 if blurs else stride,
                name=name,
                place=place,
                seeded=seeded,
                groups=self.groups if size > 1 else 1,
            )
            if k < len(plan):
                x = self.layers.normalize_and_activate(x, name, place)
            if blurs:
                x = blur(x, name, place)
        if self.variant == "v2":
            return x
        return self.layers.normalize(
            x, name(f"{place}_bn"), zero_scale=self.zero_init_last_scale
        )

    @property
    def _merges_positions(self) -> bool:
        return self.average_shortcut or self.anti_aliasing == "all"

    def _merge_positions(self, x: Any, stride: int, name: Namer) -> Any:
        """Adds what makes the shortcut's maps smaller in place of a stride."""
        if self.average_shortcut:
            return average(x, stride, name("0_pool"))
        return blur(x, name, "0")

    def _project(self, x: Any, filters: int, stride: int, name: Namer) -> Any:
        """Adds a 1×1 convolution, normalised unless the block is pre-activated."""
        x = self.layers.convolve(
            x, filters, size=1, stride=stride, name=name, place="0", seeded=True
        )
        return x if self.variant == "v2" else self.layers.normalize(x, name("0_bn"))


def _pad_with_zeros(x: Any, filters: int, stride: int, name: Namer) -> Any:
    """Adds option A: every `stride`-th position, then maps of zeros; no parameters."""
    if stride > 1:
        x = subsample(x, stride, name("0_pool"))
    missing = filters - x.shape[-1]
    if missing:
        x = keras.ops.pad(x, ((0, 0), (0, 0), (0, 0), (0, missing)))
    return x
