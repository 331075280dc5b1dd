"""What our own optimizers of Adam's kind have in common."""

from typing import Any

import keras
from keras import ops


class AdaptiveOptimizer(keras.optimizers.Optimizer):
    """Divides each step by the root of a second moment, and decays in its update.

    Args:
        learning_rate: A float or a schedule.
        beta_1: Decay of a first moment, or what takes its place.
        beta_2: Decay of the second moment.
        epsilon: Added to the root of the second moment.
        **arguments: Those of `keras.optimizers.Optimizer`.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        *,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        **arguments: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, **arguments)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def follow(self, square: Any, gradient: Any, step: Any) -> Any:
        """Updates a second moment and returns what a step is divided by.

        Args:
            square: The moment, a variable.
            gradient: The step's gradient, of its shape.
            step: Which step it is, from 1, scalar.
        """
        self.assign_add(square, (ops.square(gradient) - square) * (1 - self.beta_2))
        correction = 1 - ops.power(ops.cast(self.beta_2, square.dtype), step)
        return ops.sqrt(square / correction) + self.epsilon

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
        }

    def _apply_weight_decay(self, variables: Any) -> None:
        """Does nothing: the decay is part of the update."""
