"""What the images of each class count in a training's loss."""

from collections.abc import Mapping, Sequence
from typing import Literal

from experiments.config.checks.class_names import (
    CLASS_WEIGHT,
    check_weighed_classes,
)
from experiments.errors import ConfigError, Problem


def weigh_classes(
    wish: Literal["balanced"] | Mapping[str, float],
    *,
    class_names: Sequence[str],
    counts: Sequence[int],
) -> list[float]:
    """Returns the weight of each class.

    Args:
        wish: `balanced` for n / (k n_c), with n images of k classes and n_c of a class,
            so that all classes count alike and the mean over the images is 1, as
            scikit-learn's `compute_class_weight`; or class name -> weight, 1 for those
            that are not named.
        class_names: One name a class.
        counts: Training images of each class.

    Raises:
        ConfigError: A name is of no class, or no class counts.
    """
    if wish == "balanced":
        return [sum(counts) / (len(counts) * count) for count in counts]
    named = {str(name): weight for name, weight in dict(wish).items()}
    if unknown := list(check_weighed_classes(wish, class_names)):
        raise ConfigError(unknown)
    weights = [named.get(name, 1.0) for name in class_names]
    if not any(weights):
        reason = "must leave a class a weight above 0: nothing would be learnt."
        raise ConfigError([Problem(CLASS_WEIGHT, reason)])
    return weights
