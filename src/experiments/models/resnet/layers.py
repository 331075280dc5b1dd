"""The few layers a residual network is made of, with its settings filled in."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras

from experiments.models.onednn import NARROW

NOTEBOOK_SEED = 10

# Names a layer after its part, such as `1_conv`; `None` leaves the name to Keras.
Namer = Callable[[str], str | None]


@dataclass(frozen=True, kw_only=True)
class LayerFactory:
    """Adds layers that share the settings of one network.

    Attributes:
        conv_bias: Whether convolutions have a bias.
        bn_momentum: Share of the old moving statistics kept at each step, in [0, 1).
        bn_epsilon: Added to the variance, > 0.
        initializer: Name of the initialiser of the convolutions' kernels.
        activation: Name of a Keras activation.
    """

    conv_bias: bool
    bn_momentum: float
    bn_epsilon: float
    initializer: str
    activation: str

    def convolve(
        self,
        x: Any,
        filters: int,
        *,
        size: int,
        stride: int,
        name: Namer,
        place: str,
        seeded: bool,
        groups: int = 1,
    ) -> Any:
        """Adds a `size` × `size` convolution, padded by `size // 2` on each side.

        A strided one gets its padding from a layer of its own: `padding="same"` would
        pad an even map on the right and bottom only, unlike the papers' networks. A
        strided 1×1 of few channels leaves its stride to a pooling of size 1: the same
        numbers, and right gradients (see `experiments.models.onednn`).

        Args:
            x: Maps, (B, H, W, C).
            filters: Number of maps that come out.
            size: Odd side of the kernel.
            stride: 1 or more, in both directions.
            name: Gives the layers' names.
            place: What their names begin with.
            seeded: Whether the notebook's initialiser has its seed here.
            groups: Into which maps and filters are divided, each with its own.

        Returns:
            Maps, (B, ceil(H / stride), ceil(W / stride), filters).
        """
        pads = size > 1 and stride > 1
        if pads:
            x = keras.layers.ZeroPadding2D(size // 2, name=name(f"{place}_pad"))(x)
        elif size == 1 and stride > 1 and x.shape[-1] < NARROW:
            x, stride = subsample(x, stride, name(f"{place}_pool")), 1
        return keras.layers.Conv2D(
            filters,
            size,
            strides=stride,
            padding="valid" if pads else "same",
            groups=groups,
            use_bias=self.conv_bias,
            kernel_initializer=make_initializer(self.initializer, seeded=seeded),
            name=name(f"{place}_conv"),
        )(x)

    def mix(self, x: Any, filters: int, name: str | None) -> Any:
        """Adds a 1 × 1 convolution with a bias, whatever the others have."""
        kernel = make_initializer(self.initializer, seeded=False)
        return keras.layers.Conv2D(filters, 1, kernel_initializer=kernel, name=name)(x)

    def normalize(self, x: Any, name: str | None, *, zero_scale: bool = False) -> Any:
        """Adds a batch norm, its scale starting at 0 when `zero_scale`, else at 1."""
        return keras.layers.BatchNormalization(
            momentum=self.bn_momentum,
            epsilon=self.bn_epsilon,
            gamma_initializer="zeros" if zero_scale else "ones",
            name=name,
        )(x)

    def activate(self, x: Any, name: str | None) -> Any:
        """Adds the activation."""
        return keras.layers.Activation(self.activation, name=name)(x)

    def normalize_and_activate(self, x: Any, name: Namer, place: str) -> Any:
        """Adds a batch norm and the activation."""
        x = self.normalize(x, name(f"{place}_bn"))
        return self.activate(x, name(f"{place}_relu"))


def subsample(x: Any, stride: int, name: str | None) -> Any:
    """Keeps every `stride`-th position of maps (B, H, W, C), from the first one on."""
    return keras.layers.AveragePooling2D(1, strides=stride, name=name)(x)


def average(x: Any, stride: int, name: str | None) -> Any:
    """Averages squares of `stride` positions, at an odd edge those that there are."""
    return keras.layers.AveragePooling2D(stride, padding="same", name=name)(x)


def drop_branch(x: Any, rate: float, name: str | None) -> Any:
    """Adds stochastic depth: in training a sample's maps are all dropped, or all kept.

    Those that are kept are divided by `1 - rate`, so that nothing has to be changed in
    inference: the paper multiplies there, and draws once a batch.

    Reference:
        Deep Networks with Stochastic Depth, arXiv:1603.09382, sections 3 and 4.
    """
    return keras.layers.Dropout(rate, noise_shape=(None, 1, 1, 1), name=name)(x)


def make_initializer(name: str, *, seeded: bool) -> Any:
    """Returns a new initialiser: Keras repeats the numbers of one used twice.

    Args:
        name: `he_fan_out`, `notebook` or the name of a Keras initialiser.
        seeded: Whether `notebook` has its seed here; the others never have one and
            follow `keras.utils.set_random_seed`.
    """
    if name == "he_fan_out":
        return keras.initializers.VarianceScaling(2.0, "fan_out", "untruncated_normal")
    if name == "notebook":
        return keras.initializers.GlorotUniform(seed=NOTEBOOK_SEED if seeded else None)
    return keras.initializers.get(name)
