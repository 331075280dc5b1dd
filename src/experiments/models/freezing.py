"""Which layers of a network learn, and which stay as they are."""

import weakref
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any

import keras

from experiments.config.kinds.freezing import (
    ALL,
    BATCH_NORMS,
    NONE,
    is_pattern,
    list_words,
)
from experiments.counts import count_of
from experiments.errors import ConfigError, Problem
from experiments.models.cost import count_parameters
from experiments.models.stages import list_layers, list_stages, split_off_head

# Layers that were frozen here: what a network's own builder froze, nobody lets learn.
_frozen: weakref.WeakSet[Any] = weakref.WeakSet()
_SHOWN = 8  # names of layers in a message


def freeze_layers(
    model: Any, freeze: str | Sequence[str], *, key: str = "model.freeze"
) -> None:
    """Freezes layers of a model, and lets those learn that were frozen by it before.

    A frozen layer's weights do not change. A frozen batch norm normalises by its moving
    statistics, which do not move, in training too: so Keras means `trainable = False`.

    Args:
        model: A built `keras.Model`, not compiled yet.
        freeze: `none`; `all` but the head, the last layer with weights; `batch_norms`,
            of which a network may have none; a stage, see `list_stages`, for it and
            everything before it; a pattern of layer names, as of files. Of several,
            what any of them names.
        key: Of the config, for the message.

    Raises:
        ConfigError: It names nothing, or leaves nothing that learns.
    """
    chosen = {
        id(layer) for word in list_words(freeze) for layer in _choose(model, word, key)
    }
    for layer in list_layers(model):
        if id(layer) in chosen and layer.trainable:
            layer.trainable = False
            _frozen.add(layer)
        elif id(layer) not in chosen and layer in _frozen:
            layer.trainable = True
            _frozen.discard(layer)
    if not model.trainable_variables:
        reason = f"leaves no layer that learns. Received: {freeze}."
        raise ConfigError(
            [Problem(key, reason, f"Type {key}=all for all but the head.")]
        )


def describe_frozen(model: Any) -> dict[str, str]:
    """Returns which part of a model learns, title -> text; nothing where all does."""
    layers = list_layers(model)
    learning = [layer for layer in layers if layer not in _frozen]
    if len(learning) == len(layers):
        return {}
    first, last = learning[0].name, learning[-1].name
    names = first if len(learning) == 1 else f"{first} to {last}"
    frozen = f"{len(layers) - len(learning)} of {len(layers)} layers with weights"
    trained = count_of(count_parameters(model.trainable_variables), "parameter")
    return {"frozen": f"{frozen}; {trained} of {names} learn"}


def _choose(model: Any, word: str, key: str) -> Iterator[Any]:
    body, head = split_off_head(model)
    if word == NONE:
        return
    if word == ALL:
        yield from body
    elif word == BATCH_NORMS:
        norm = keras.layers.BatchNormalization
        yield from (layer for layer in list_layers(model) if isinstance(layer, norm))
    elif is_pattern(word):
        yield from _match(model, word, key)
    else:
        yield from _reach(model, word, key, head)


def _match(model: Any, pattern: str, key: str) -> list[Any]:
    layers = list_layers(model)
    found = [layer for layer in layers if fnmatchcase(layer.name, pattern)]
    if not found:
        names = [layer.name for layer in layers]
        shown = ", ".join([*names[: _SHOWN - 1], "...", names[-1]])
        reason = f"matches no layer with weights. Received: {pattern}."
        raise ConfigError([Problem(key, reason, f"They are called {shown}.")])
    return found


def _reach(model: Any, word: str, key: str, head: Any) -> Iterator[Any]:
    stages = list_stages(model)
    names = [stage.name for stage in stages]
    if word not in names:
        known = f"{NONE}, {ALL}, {BATCH_NORMS}, a pattern of layer names, or a stage"
        reason = f"must be {known}. Received: {word}."
        hint = f"The stages are {', '.join(names)}, the head is {head.name}."
        raise ConfigError([Problem(key, reason, hint)])
    for stage in stages[: names.index(word) + 1]:
        yield from stage.layers
