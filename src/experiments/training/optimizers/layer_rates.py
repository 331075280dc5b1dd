"""Rates that differ from layer to layer, with any optimizer of Keras.

What an optimizer is given as its rate is multiplied for each variable, in its update
and in its decay alike; clipping, averages, slots and what is saved stay as they are.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any


def scale_rates(optimizer: Any, factors: Sequence[float]) -> None:
    """Lets an optimizer train each variable with a rate of its own.

    Args:
        optimizer: A fresh `keras.optimizers.Optimizer`, after `fuse_updates`.
        factors: What the rate is multiplied by for each variable, in the order in which
            the optimizer will be built with them.
    """
    if all(factor == 1 for factor in factors):
        return

    def factor_of(variable: Any) -> float:
        return factors[optimizer._get_variable_index(variable)]

    _scale_decay(optimizer, factor_of)
    if "_backend_update_step" in vars(optimizer):  # by one operation a variable
        _scale_fused(optimizer, factor_of)
    else:
        _scale_updates(optimizer, factor_of)


_FactorOf = Callable[[Any], float]


def _scale_updates(optimizer: Any, factor_of: _FactorOf) -> None:
    plain = optimizer.update_step

    def update_step(gradient: Any, variable: Any, learning_rate: Any) -> Any:
        return plain(gradient, variable, learning_rate * factor_of(variable))

    optimizer.update_step = update_step


def _scale_fused(optimizer: Any, factor_of: _FactorOf) -> None:
    plain = optimizer._backend_update_step

    def update(grads: Sequence[Any], variables: Sequence[Any], lr: Any) -> None:
        pairs = list(zip(grads, variables, strict=True))
        for factor, numbers in _group(variables, factor_of):
            chosen = [pairs[number] for number in numbers]
            plain([g for g, _ in chosen], [v for _, v in chosen], lr * factor)

    optimizer._backend_update_step = update


def _scale_decay(optimizer: Any, factor_of: _FactorOf) -> None:
    """Decay asks for the rate by itself: what it is told is scaled meanwhile."""
    plain, plain_rate = (
        optimizer._apply_weight_decay,
        optimizer._get_current_learning_rate,
    )
    factor = 1.0

    def rate() -> Any:
        return plain_rate() if factor == 1 else plain_rate() * factor

    def apply_weight_decay(variables: Sequence[Any]) -> None:
        nonlocal factor
        for factor, numbers in _group(variables, factor_of):  # noqa: B007, read by rate
            plain([variables[number] for number in numbers])
        factor = 1.0

    optimizer._get_current_learning_rate = rate
    optimizer._apply_weight_decay = apply_weight_decay


def _group(
    variables: Sequence[Any], factor_of: _FactorOf
) -> Iterator[tuple[float, list[int]]]:
    """Yields each factor with the places of its variables."""
    groups: dict[float, list[int]] = {}
    for number, variable in enumerate(variables):
        groups.setdefault(factor_of(variable), []).append(number)
    yield from groups.items()
