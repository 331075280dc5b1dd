"""Calls a Python function of bytes from within TensorFlow's graph."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf


def call_python(
    function: Callable[[bytes], Any], content: Any, *, dtype: Any, shape: Any
) -> Any:
    """Returns what a function makes of a scalar string, as a tensor.

    Args:
        function: Returns an array or a NumPy number.
        content: Scalar string.
        dtype: Of the result.
        shape: Of the result, as far as it is known.

    Raises:
        tf.errors.InvalidArgumentError: The function raised a `ValueError`.
    """
    if not tf.executing_eagerly():
        result = tf.numpy_function(function, [content], dtype)
        return tf.ensure_shape(result, shape)
    try:
        return tf.constant(function(content.numpy()), dtype)
    except ValueError as error:  # as the graph says it
        raise tf.errors.InvalidArgumentError(None, None, str(error)) from error
