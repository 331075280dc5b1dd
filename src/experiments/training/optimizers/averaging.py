"""Moving averages of the weights, which validation and the final model use."""

from collections.abc import Sequence
from typing import Any

import keras


def keep_averages_apart(optimizer: Any) -> None:
    """Lets weights become copies of their averages at the end of a training.

    Keras assigns the average itself, which on JAX is one array behind two variables.
    The next step, be it of an evaluation, gives the weight's array to XLA to write
    over, and the average is gone with it.

    Args:
        optimizer: A `keras.optimizers.Optimizer`.
    """
    if keras.backend.backend() != "jax":
        return  # other backends copy what they assign

    def overwrite(variables: Sequence[Any]) -> None:
        averages = optimizer._model_variables_moving_average
        for variable, average in zip(variables, averages, strict=True):
            if average is not None:
                variable.assign(keras.ops.copy(average))

    optimizer._overwrite_model_variables_with_average_value = overwrite


class SwapAverages(keras.callbacks.SwapEMAWeights):
    """Keras' callback, which gives the very same weights back after validation.

    On TensorFlow Keras swaps by adding and subtracting, which rounds each time. A
    validation that is broken off and done again would then change the weights.
    """

    def _tf_swap_variables(self, optimizer: Any) -> None:
        pairs = zip(
            optimizer._trainable_variables,
            optimizer._model_variables_moving_average,
            strict=True,
        )
        for weight, average in pairs:
            if average is not None:
                optimizer._distribution_strategy.extended.update(
                    weight.value, _swap, args=(average.value,)
                )


def _swap(left: Any, right: Any) -> None:
    content = left.read_value()
    left.assign(right)
    right.assign(content)
