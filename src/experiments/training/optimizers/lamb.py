"""LAMB as published, whose trust ratio is of the whole update."""

from typing import Any

import keras
from keras import ops

from experiments.training.optimizers.adaptive import AdaptiveOptimizer


@keras.saving.register_keras_serializable(package="experiments")
class Lamb(AdaptiveOptimizer):
    """Adam's update and the decay, scaled for each variable to the size of its weights.

    With Adam's bias-corrected moments `m` and `v`, the decay `d` and the norm `|.|` of
    a whole variable `w`, a step is

        u = m / (sqrt(v) + epsilon) + d * w
        w = w - lr * |w| / |u| * u

    and the ratio is 1 where one of the norms is 0. `keras.optimizers.Lamb` has
    `|w| / |m / (sqrt(v) + epsilon)|` instead and takes `lr * d * w` off beside it: the
    decay is not in the ratio, and a step is not `lr * |w|` long. Rates and decays that
    were published for LAMB belong to this one.

    As in the authors' code, a variable that is excluded from the decay is excluded
    from the ratio too: its step is Adam's.

    Args:
        learning_rate: Step of a variable in units of its norm: a float or a schedule.
        beta_1: Decay of the first moment.
        beta_2: Decay of the second moment.
        epsilon: Added to the root of the second moment.
        weight_decay: `d`; `None` for 0.
        **arguments: Those of `keras.optimizers.Optimizer`.

    Reference:
        You et al., Large Batch Optimization for Deep Learning, 2020, algorithm 2, with
        the identity for its function of the norm of the weights.
    """

    def build(self, variables: list[Any]) -> None:
        """Creates the two moments of each variable."""
        if self.built:
            return
        super().build(variables)
        self.means, self.squares = self.add_optimizer_variables(
            variables, ["momentum", "velocity"]
        )

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Updates one variable."""
        kind, index = variable.dtype, self._get_variable_index(variable)
        rate, gradient = ops.cast(learning_rate, kind), ops.cast(gradient, kind)
        step = ops.cast(self.iterations + 1, kind)
        mean, square = self.means[index], self.squares[index]
        self.assign_add(mean, (gradient - mean) * (1 - self.beta_1))
        divisor = self.follow(square, gradient, step)
        mean = mean / (1 - ops.power(ops.cast(self.beta_1, kind), step))
        update = mean / divisor
        if self._use_weight_decay(variable):
            update = update + (self.weight_decay or 0.0) * variable
            update = update * _divide(_norm(variable), _norm(update))
        self.assign_sub(variable, rate * update)


def _norm(values: Any) -> Any:
    return ops.sqrt(ops.sum(ops.square(values)))


def _divide(weights: Any, update: Any) -> Any:
    """Returns the trust ratio of two norms."""
    known = ops.logical_and(weights > 0, update > 0)
    return ops.where(known, weights / ops.where(known, update, 1.0), 1.0)
