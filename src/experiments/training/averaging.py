"""Moving averages of the weights, which validation and the final model use."""

from typing import Any

import keras


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
