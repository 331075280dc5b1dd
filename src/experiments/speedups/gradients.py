"""Frees the gradients of models that nobody trains any more."""

import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_is_guest: ContextVar[bool] = ContextVar("is_guest", default=False)


def forget_models() -> None:
    """Frees what earlier jobs of this process have left.

    TensorFlow keeps the gradient of every custom gradient for ever, since a graph names
    it only. Each holds the graph it was traced in: some 17 MB for a model of Keras,
    whose own functions nobody calls any more when the next job begins.
    """
    import keras

    if _is_guest.get():
        return  # models of somebody else are among them
    _forget(kept=())
    keras.utils.clear_session()  # collects what nobody holds any more


@contextmanager
def keeping_models(*, forget: bool) -> Iterator[None]:
    """Within the block the models of others in this process stay as they are.

    Args:
        forget: Free at the end what the models of the block have left.
    """
    token = _is_guest.set(True)
    former = set(_registered())
    try:
        yield
    finally:
        _is_guest.reset(token)
        if forget:
            _forget(kept=former)


def _forget(*, kept: Collection[str]) -> None:
    gradients = _registered()
    for name in [name for name in gradients if name.startswith("CustomGradient-")]:
        if name not in kept:
            del gradients[name]


def _registered() -> dict[str, Any]:
    """Returns all gradients by name; this is no reason to import TensorFlow."""
    if "tensorflow" not in sys.modules:
        return {}
    from tensorflow.python.framework import ops

    return getattr(ops.gradient_registry, "_registry", {})  # not public
