"""A space in the terms of Keras Tuner."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras_tuner

from experiments.config.search.parameter import Parameter, Scalar
from experiments.config.search.space import Space, Values


def declare(space: Space, start: Values | None = None) -> Any:
    """Returns the `keras_tuner.HyperParameters` of a space.

    Args:
        space: Its conditions become conditional scopes.
        start: Values that become the defaults, where an oracle begins.
    """
    hyperparameters = keras_tuner.HyperParameters()
    read_values(hyperparameters, space, start)
    return hyperparameters


def read_values(
    hyperparameters: Any, space: Space, start: Values | None = None
) -> dict[str, Scalar]:
    """Returns the values of a space's active parameters, declaring them at need.

    Args:
        hyperparameters: A `keras_tuner.HyperParameters`, such as a tuner hands to
            `HyperModel.build`.
        space: As above.
        start: As above.
    """
    values = {}
    for parameter in space.parameters:
        with _scope(hyperparameters, parameter):
            default = (start or {}).get(parameter.key)
            value = _declare(hyperparameters, parameter, default)
        if value is not None:
            values[parameter.key] = value
    return values


@contextmanager
def _scope(hyperparameters: Any, parameter: Parameter) -> Iterator[None]:
    if parameter.when is None:
        yield
        return
    parent = parameter.when.key
    with hyperparameters.conditional_scope(parent, list(parameter.when.values)):
        yield


def _declare(hyperparameters: Any, parameter: Parameter, default: object) -> Any:
    key = parameter.key
    if parameter.choices:
        return hyperparameters.Choice(key, list(parameter.choices), default=default)
    low, high = parameter.ends()
    bounds: dict[str, Any] = {"min_value": low, "max_value": high, "default": default}
    bounds["sampling"] = "log" if parameter.log else "linear"
    if parameter.step is not None:
        bounds["step"] = int(parameter.step) if parameter.is_int else parameter.step
    kind = hyperparameters.Int if parameter.is_int else hyperparameters.Float
    return kind(key, **bounds)
