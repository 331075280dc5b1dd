"""Schema of the `loss` group: what training minimises of each image."""

from dataclasses import dataclass
from typing import Any, Literal

from experiments.config.reading.fields import OpenTarget, Target, setting

_MODULE = "experiments.training.image_losses"


@dataclass(frozen=True, kw_only=True)
class LossConfig(Target):
    """What every loss takes, one's own too, whose class does not get it.

    Attributes:
        class_weight: What the images of a class count: `balanced` for as much as those
            of any other class together, a mapping of class names to weights, or null.
    """

    class_weight: Literal["balanced"] | dict[str, float] | None = setting(
        ge=0, most=1e6, added=5, before=None
    )

    def arguments(self) -> dict[str, Any]:
        """Returns the keyword arguments of the class."""
        values = super().arguments()
        del values["class_weight"]
        return values


@dataclass(frozen=True, kw_only=True)
class CrossEntropyConfig(LossConfig):
    """The cross-entropy of the softmax."""


@dataclass(frozen=True, kw_only=True)
class BinaryCrossEntropyConfig(LossConfig):
    """A sigmoid for each class.

    Attributes:
        target_threshold: A class with a larger share of an image counts as wholly
            there, and any other as absent; null keeps the shares.
        over_classes: What is taken over the classes of an image.
    """

    target_threshold: float | None = setting(ge=0, lt=1)
    over_classes: Literal["mean", "sum"]


@dataclass(frozen=True, kw_only=True)
class BinaryFocalConfig(LossConfig):
    """A sigmoid for each class, of which those count less that are right already.

    Attributes:
        gamma: How much less; 0 is the binary cross-entropy.
        alpha: Weight of a class that is there, and 1 - alpha of one that is not; null
            for 1 each.
        over_classes: What is taken over the classes of an image.
    """

    gamma: float = setting(ge=0, most=100)
    alpha: float | None = setting(gt=0, lt=1)
    over_classes: Literal["mean", "sum"]


@dataclass(frozen=True, kw_only=True)
class FocalConfig(LossConfig):
    """Cross-entropy in which an image counts the less, the surer the network is.

    Attributes:
        gamma: How much less; 0 is the cross-entropy.
        alpha: What all of it is multiplied by.
    """

    gamma: float = setting(ge=0, most=100)
    alpha: float = setting(gt=0, least=1e-6, most=1e6)


@dataclass(frozen=True, kw_only=True)
class PolyConfig(LossConfig):
    """Cross-entropy with another first coefficient of its series.

    Attributes:
        epsilon: What is added to that coefficient.
    """

    epsilon: float = setting(ge=-1, most=1000)


@dataclass(frozen=True, kw_only=True)
class CustomLossConfig(LossConfig, OpenTarget):
    """A loss of one's own: its keys are those that its YAML file declares."""


LOSSES: dict[str, type] = {
    f"{_MODULE}.CrossEntropy": CrossEntropyConfig,
    f"{_MODULE}.BinaryCrossEntropy": BinaryCrossEntropyConfig,
    f"{_MODULE}.BinaryFocalLoss": BinaryFocalConfig,
    f"{_MODULE}.FocalLoss": FocalConfig,
    f"{_MODULE}.PolyLoss": PolyConfig,
}
# What was minimised before there was a choice.
FORMER = {"_target_": f"{_MODULE}.CrossEntropy", "class_weight": None}


def name_differences(
    target: str, class_weight: object, *, image_weights: bool = False
) -> list[str]:
    """Returns in words what makes a training's loss another one than its validation's.

    Args:
        target: Of the loss, in a config of any age by today's name.
        class_weight: See `LossConfig`.
        image_weights: Whether images have weights of their own.
    """
    name = target.rpartition(".")[2]
    losses = [] if target == FORMER["_target_"] else [name]
    weights = ["class weights"] if class_weight else []
    return [*losses, *weights, *(["image weights"] if image_weights else [])]
