"""One residual block: a branch of convolutions beside a shortcut."""

from dataclasses import dataclass
from typing import Any

import keras

from experiments.models.resnet.layers import LayerFactory, Namer, subsample

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

    Reference:
        Deep Residual Learning, arXiv:1512.03385, Figures 2 and 5, section 4.1 for the
        shortcuts; Identity Mappings, arXiv:1603.05027, Figure 1b and appendix.
    """

    layers: LayerFactory
    kind: str
    variant: str
    shortcut: str
    zero_init_last_scale: bool
    shortcut_first: bool

    def add_to(
        self, x: Any, *, filters: int, stride: int, name: Namer, activated: bool
    ) -> Any:
        """Adds the block.

        Args:
            x: Maps, (B, H, W, C).
            filters: Maps inside; a bottleneck puts out four times as many.
            stride: Of the block, in both directions.
            name: Gives the layers' names.
            activated: Whether `x` comes out of an activation, so that a v2 block needs
                none of its own; v1 blocks always get such an `x`.

        Returns:
            Maps, (B, ceil(H / stride), ceil(W / stride), filters or 4 * filters).
        """
        plan = self._plan(filters, stride)
        changes = stride != 1 or x.shape[-1] != plan[-1][0]
        projects = self.shortcut == "C" or (self.shortcut == "B" and changes)
        source = x
        if self.variant == "v2" and not activated:
            x = self.layers.normalize_and_activate(x, name, "preact")
        branch = self._branch(x, plan, name, seeded=projects)
        if self.shortcut != "none":
            # v2 keeps the identity clean; a shortcut that changes its input shares
            # the branch's activation, as in the authors' code.
            shortcut = x if changes or projects else source
            if projects:
                shortcut = self._project(shortcut, plan[-1][0], stride, name)
            elif changes:
                shortcut = _pad_with_zeros(shortcut, plan[-1][0], stride, name)
            operands = [shortcut, branch] if self.shortcut_first else [branch, shortcut]
            branch = keras.layers.Add(name=name("add"))(operands)
        if self.variant == "v2":
            return branch
        return self.layers.activate(branch, name("out"))

    def _plan(self, filters: int, stride: int) -> tuple[tuple[int, int, int], ...]:
        """Returns (filters, size, stride) of each convolution."""
        if self.kind == "basic":
            return ((filters, 3, stride), (filters, 3, 1))
        first, second = (1, stride) if self.variant == "v1_5" else (stride, 1)
        wide = BOTTLENECK_EXPANSION * filters
        return ((filters, 1, first), (filters, 3, second), (wide, 1, 1))

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
            x = self.layers.convolve(
                x,
                filters,
                size=size,
                stride=stride,
                name=name,
                place=place,
                seeded=seeded,
            )
            if k < len(plan):
                x = self.layers.normalize_and_activate(x, name, place)
        if self.variant == "v2":
            return x
        return self.layers.normalize(
            x, name(f"{place}_bn"), zero_scale=self.zero_init_last_scale
        )

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
