"""Schedule-free AdamW, evaluated and saved at the average that it keeps."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from experiments.training.optimizers.adaptive import AdaptiveOptimizer


@keras.saving.register_keras_serializable(package="experiments")
class ScheduleFreeAdamW(AdaptiveOptimizer):
    """Adam's steps on an iterate, gradients near the average of all iterates.

    The weights `y` of the model lie between the iterate `z` and the average `x`. With
    the second moment `v`, corrected as Adam's, and the decay `d`, step `t` is

        z = z - lr * (gradient / (sqrt(v) + epsilon) + d * y)
        x = x + (z - x) / t
        y = (1 - beta_1) * z + beta_1 * x

    What was learnt is `x`: `ShowAverage` and `end_with_average` put it in the place of
    `y`. Batch norm keeps the statistics of `y`. The authors measure them anew at `x`,
    which is at `beta_1` = 0.9 a tenth of the distance between `x` and `z` away.

    On TensorFlow `keras.optimizers.ScheduleFreeAdamW` 3.15 reads the old iterate after
    it has moved, by which `y` becomes `x` itself, whatever `beta_1` is; it takes the
    decay off `x`, and it is evaluated at `y`.

    Args:
        learning_rate: Step of the iterate: a float or a schedule.
        beta_1: How near `y` is to the average.
        beta_2: Decay of the second moment.
        epsilon: Added to its root.
        weight_decay: `d`; `None` for 0.
        **arguments: Those of `keras.optimizers.Optimizer`.

    Reference:
        Defazio et al., The Road Less Scheduled, 2024, algorithm 1, with equal weights
        in the average, which the authors lower during a warm-up.
    """

    def build(self, variables: list[Any]) -> None:
        """Creates the iterate, which begins with the weights, and the moment."""
        if self.built:
            return
        super().build(variables)
        self.iterates, self.squares = self.add_optimizer_variables(
            variables, ["iterate", "velocity"]
        )
        for iterate, variable in zip(self.iterates, variables, strict=True):
            iterate.assign(ops.copy(variable))

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Updates one variable."""
        kind, index = variable.dtype, self._get_variable_index(variable)
        rate, gradient = ops.cast(learning_rate, kind), ops.cast(gradient, kind)
        step = ops.cast(self.iterations + 1, kind)
        iterate, square = self.iterates[index], self.squares[index]
        average = _average(variable, iterate, self.beta_1)  # before the iterate moves
        update = gradient / self.follow(square, gradient, step)
        if self.weight_decay and self._use_weight_decay(variable):
            update = update + self.weight_decay * variable
        moved = iterate - rate * update
        average = average + (moved - average) / step
        self.assign(iterate, moved)
        self.assign(variable, (1 - self.beta_1) * moved + self.beta_1 * average)


def averages_by_itself(optimizer: Any) -> bool:
    """Tells whether an optimizer, or the one below loss scaling, is schedule-free."""
    return isinstance(_inner(optimizer), ScheduleFreeAdamW)


def end_with_average(optimizer: Any) -> None:
    """Lets weights become the average at the end of a training.

    Args:
        optimizer: Any; one that is not schedule-free is left as it is.
    """
    if averages_by_itself(optimizer):
        optimizer.finalize_variable_values = lambda weights: _put_average(
            optimizer, weights
        )


class ShowAverage(keras.callbacks.Callback):
    """Lets validation see the average, and gives the very weights back after it."""

    def __init__(self) -> None:
        super().__init__()
        self._weights: Sequence[Any] = ()

    def on_test_begin(self, logs: Any = None) -> None:
        """Puts the average into the weights."""
        variables = self.model.trainable_variables
        self._weights = [ops.convert_to_numpy(variable) for variable in variables]
        _put_average(_inner(self.model.optimizer), variables)

    def on_test_end(self, logs: Any = None) -> None:
        """Puts the weights back."""
        variables = self.model.trainable_variables
        for variable, weight in zip(variables, self._weights, strict=True):
            variable.assign(weight)


def _put_average(optimizer: Any, variables: Sequence[Any]) -> None:
    for variable, iterate in zip(variables, optimizer.iterates, strict=True):
        variable.assign(_average(variable, iterate, optimizer.beta_1))


def _average(variable: Any, iterate: Any, beta_1: float) -> Any:
    return (variable - (1 - beta_1) * iterate) / beta_1


def _inner(optimizer: Any) -> Any:
    return getattr(optimizer, "inner_optimizer", optimizer)
