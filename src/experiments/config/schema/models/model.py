"""Keys of the `model` group."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Literal

from experiments.config.kinds.freezing import check_freeze
from experiments.config.kinds.weights import (
    IMAGENET,
    IMAGENET_DEPTHS,
    IMAGENET_VARIANT,
    RUN,
    SUFFIXES,
    has_known_suffix,
    is_weights_file,
    settle_variant,
)
from experiments.config.reading.fields import OpenTarget, Target, setting
from experiments.config.schema.models.applications import (
    Architecture,
    find_alpha_problems,
    find_size_problems,
)
from experiments.config.schema.models.depths import choose_layout
from experiments.config.schema.models.resnet import (
    choose_stem,
    find_conflicts,
    find_image_problems,
)
from experiments.counts import write_count
from experiments.errors import Problem

# Some 15,000 layers: Keras takes longer and longer to build them.
MOST_BLOCKS = 5000


@dataclass(frozen=True, kw_only=True)
class ModelConfig(Target):
    """A network that can begin with weights of before.

    Attributes:
        weights: `imagenet`, `run:` and a run, or a file; null for those of the seed.
        preprocessing: What is done to images first: what the weights were trained
            with, the data set's mean and deviation, or one of Keras' three.
        freeze: Layers that stay as they are: `none`, `all` but the head, a stage and
            what comes before it, or a pattern of layer names; one or several.
    """

    weights: str | None = setting(added=4, before=None, path=is_weights_file)
    preprocessing: Literal["auto", "dataset", "torch", "caffe", "tf", "none"] = setting(
        added=4, before="auto"
    )
    freeze: str | list[str] = setting(
        added=5, before="none", min_length=1, max_length=100
    )

    def arguments(self) -> dict[str, Any]:
        """Returns the keyword arguments of what builds the network."""
        values = super().arguments()
        del values["weights"], values["preprocessing"], values["freeze"]
        return values

    def _check_name_of_weights(self) -> Iterator[Problem]:
        """Yields why `weights` names neither a run nor a file."""
        weights = self.weights
        if weights == RUN:
            hint = "Such as model.weights=run:last; task=list shows the runs."
            yield Problem("weights", f"must name a run after {RUN}", hint)
        elif weights and is_weights_file(weights) and not has_known_suffix(weights):
            name = PurePath(weights).name
            yield Problem(
                "weights",
                "must be imagenet, run:, followed by a run, or a file that ends in one "
                f"of {', '.join(SUFFIXES)}. Received: {name!r}.",
                f"Did you mean `model.weights={RUN}{name}`?"
                if name in ("last", "best")
                else "",
            )


@dataclass(frozen=True, kw_only=True)
class ResNetConfig(ModelConfig):
    """A residual network; its builder tells each key."""

    depth: int | None = setting(unbounded="a key of the table of depths")
    blocks: list[int] | None = setting(
        ge=1, most=MOST_BLOCKS, min_length=1, max_length=13
    )
    block: Literal["basic", "bottleneck"] | None
    variant: Literal["auto", "v1", "v1_5", "v2"]
    shortcut: Literal["A", "B", "C", "none"]
    stem: Literal["auto", "auto_deep", "imagenet", "deep", "cifar", "notebook"]
    width: int = setting(ge=1, most=1_000_000)
    head: Literal["average", "max", "notebook"]
    conv_bias: bool | Literal["auto"]
    bn_momentum: float = setting(ge=0, lt=1)
    bn_epsilon: float | Literal["auto"] = setting(gt=0, least=1e-30, most=1.0)
    zero_init_last_scale: bool | Literal["auto"]
    dropout: float = setting(ge=0, lt=1)
    initializer: Literal[
        "he_fan_out",
        "he_normal",
        "he_uniform",
        "glorot_normal",
        "glorot_uniform",
        "lecun_normal",
        "orthogonal",
        "notebook",
    ]
    activation: Literal[
        "relu", "relu6", "leaky_relu", "elu", "selu", "gelu", "silu", "mish", "tanh"
    ]
    layer_names: Literal["keras", "notebook"]
    groups: int = setting(ge=1, most=1_000_000, added=5, before=1)
    width_per_group: int | None = setting(ge=1, most=1_000_000, added=5, before=None)
    squeeze_excitation: int | None = setting(ge=1, most=1_000_000, added=5, before=None)
    average_shortcut: bool = setting(added=5, before=False)
    anti_aliasing: Literal["none", "branch", "all"] = setting(added=5, before="none")
    stochastic_depth: float = setting(ge=0, lt=1, added=5, before=0.0)

    def __post_init__(self) -> None:
        # Typed or left to the weights: the same job.
        object.__setattr__(self, "variant", settle_variant(self.variant, self.weights))

    def check(self) -> Iterator[Problem]:
        """Yields what is wrong between keys that are fine by themselves."""
        if self.blocks is not None and sum(self.blocks) > MOST_BLOCKS:
            reason = f"must be {write_count(MOST_BLOCKS)} blocks in all at most."
            yield Problem("blocks", f"{reason} Received: {sum(self.blocks):,} blocks.")
        yield from self._check_weights()
        conflicts = find_conflicts(
            depth=self.depth,
            blocks=self.blocks,
            block=self.block,
            variant=self.variant,
            shortcut=self.shortcut,
            zero_init_last_scale=self.zero_init_last_scale,
            width=self.width,
            groups=self.groups,
            width_per_group=self.width_per_group,
            average_shortcut=self.average_shortcut,
            stochastic_depth=self.stochastic_depth,
        )
        found = list(conflicts)
        yield from found
        if not found:
            yield from check_freeze(self.freeze, self.list_stages(), key="freeze")

    def list_stages(self) -> list[str]:
        """Returns what the names of the layers of each stage begin with, in order.

        Only for a config in which `check` finds nothing.
        """
        count = len(choose_layout(self.depth, self.blocks, self.block).blocks)
        word = "res" if self.layer_names == "notebook" else "conv"
        return ["conv1", *(f"{word}{number + 2}" for number in range(count))]

    def _check_weights(self) -> Iterator[Problem]:
        """Yields why there are no weights of a name, or none for such a network."""
        weights = self.weights
        if weights == IMAGENET and self.depth not in IMAGENET_DEPTHS:
            yield Problem(
                "weights",
                f"imagenet has none for {self._call()}: they are published for ResNets "
                f"of {_enumerate(IMAGENET_DEPTHS)} layers. Received: imagenet.",
                "Fetch a file of torchvision's or timm's: "
                f"model.weights={self._call()}.pth",
            )
        elif weights == IMAGENET and self.variant != IMAGENET_VARIANT:
            yield Problem(
                "variant",
                "must be v1 with model.weights=imagenet, which are of the paper's "
                f"network. Received: {self.variant}.",
                f"Type model.variant=auto; for {self.variant}, {self._find_others()}",
            )
        yield from self._check_name_of_weights()

    def _find_others(self) -> str:
        """Returns what there is for another variant of a depth that Keras has."""
        if self.variant == "v2":  # whose strides are in the last blocks of stages
            return (
                f"take model=keras_application model.architecture=ResNet{self.depth}V2"
            )
        return (
            f"take a file of torchvision's or timm's: model.weights={self._call()}.pth"
        )

    def _call(self) -> str:
        return f"resnet{self.depth or ''}"

    def check_image(self, size: int) -> Iterator[Problem]:
        """Yields why images whose shorter side is `size` pixels cannot be taken.

        Only for a config in which `check` finds nothing; keys are relative to it.
        """
        layout = choose_layout(self.depth, self.blocks, self.block)
        yield from find_image_problems(
            size,
            stem=choose_stem(self.stem, size),
            head=self.head,
            stages=len(layout.blocks),
        )


def _enumerate(numbers: Sequence[int]) -> str:
    return f"{', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"


@dataclass(frozen=True, kw_only=True)
class KerasApplicationConfig(ModelConfig):
    """A network of Keras Applications; its builder tells each key."""

    architecture: Architecture
    alpha: float | None = setting(gt=0, least=0.01, most=10)
    pooling: Literal["average", "max"]
    dropout: float = setting(ge=0, lt=1)

    def check(self) -> Iterator[Problem]:
        """Yields what is wrong between keys that are fine by themselves."""
        yield from self._check_name_of_weights()
        yield from find_alpha_problems(
            self.architecture, self.alpha, published=self.weights == IMAGENET
        )

    def check_image(self, size: int) -> Iterator[Problem]:
        """Yields why images whose shorter side is `size` pixels cannot be taken."""
        yield from find_size_problems(self.architecture, size)


@dataclass(frozen=True, kw_only=True)
class ViTConfig(ModelConfig):
    """A vision transformer; its builder tells each key."""

    patch_size: int = setting(ge=1, most=1000)
    width: int = setting(ge=1, most=1_000_000)
    depth: int = setting(ge=1, most=1000)
    heads: int = setting(ge=1, most=1000)
    mlp_ratio: float = setting(gt=0, least=0.01, most=100)
    pooling: Literal["class_token", "average"]
    dropout: float = setting(ge=0, lt=1)
    stochastic_depth: float = setting(ge=0, lt=1)

    def check(self) -> Iterator[Problem]:
        """Yields what is wrong between keys that are fine by themselves."""
        if self.weights == IMAGENET:
            yield Problem(
                "weights",
                "imagenet has none for a vision transformer. Received: imagenet.",
                "Fetch a file of timm's: model.weights=vit_tiny_patch16_224.pth",
            )
        yield from self._check_name_of_weights()
        if self.width % self.heads:
            reason = f"must divide model.width={self.width}. Received: {self.heads}."
            yield Problem("heads", reason, "Usual: 64 of the width a head.")
        yield from check_freeze(self.freeze, self.list_stages(), key="freeze")

    def list_stages(self) -> list[str]:
        """Returns what the names of the layers of each stage begin with, in order."""
        return ["stem", *(f"block{number}" for number in range(1, self.depth + 1))]

    def check_image(self, size: int) -> Iterator[Problem]:
        """Yields why images whose shorter side is `size` pixels cannot be taken."""
        if size % self.patch_size:
            fits = max(1, round(size / self.patch_size)) * self.patch_size
            reason = f"must divide the {size} pixels of an image's side."
            yield Problem(
                "patch_size",
                f"{reason} Received: {self.patch_size}.",
                f"Type dataset.image_size={fits}, or a smaller patch.",
            )


@dataclass(frozen=True, kw_only=True)
class CustomModelConfig(OpenTarget):
    """A user's own model: a callable that returns a Keras model.

    It is called with `input_shape` (height, width, channels), `num_classes` and the
    keys of its YAML file.
    """


MODELS: dict[str, type] = {
    "experiments.models.resnet.builder.build_resnet": ResNetConfig,
    "experiments.models.keras_application.build_keras_application": (
        KerasApplicationConfig
    ),
    "experiments.models.vit.build_vit": ViTConfig,
}
