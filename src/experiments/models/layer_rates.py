"""How much of the learning rate each layer gets."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from experiments.config.kinds.freezing import HEAD, is_pattern
from experiments.errors import ConfigError, Problem
from experiments.models.stages import list_layers, list_stages, split_off_head

KEY = "optimizer.lr_factors"


def find_rate_factors(
    model: Any,
    *,
    decay: float | None,
    factors: Mapping[str, float] | None,
    stem: float | None = None,
) -> list[float]:
    """Returns what the rate is multiplied by for each trainable variable, in order.

    Args:
        model: A built `keras.Model`.
        decay: A stage has the rate of the one behind it times this; the head has the
            whole rate, the last stage of the body `decay` of it.
        factors: Stage, `head` or pattern of layer names -> factor, which comes on top;
            of several that name a layer the last one counts.
        stem: What the first stage has of the rate, in the place of `decay`: with `n`
            stages that of each is its `n`th root, so that depth changes nothing at
            either end. Layers take the place of stages where there is only one.

    Raises:
        ConfigError: One of them names no layer.

    Reference:
        Bao, Dong, Piao, Wei, BEiT, 2022, arXiv:2106.08254, appendix; there a layer is a
        block of a transformer, here a stage, as in ConvNeXt's and Swin's recipes.
        `stem` is fastai's `slice(lr / 100, lr)`, there of three groups of layers.
    """
    by_layer = dict.fromkeys(map(id, list_layers(model)), 1.0)
    parts = [stage.layers for stage in list_stages(model)]
    if stem is not None:
        if len(parts) == 1:
            parts = [(layer,) for layer in parts[0]]
        decay = stem ** (1 / max(len(parts), 1))
    for number, layers in enumerate(parts):
        for layer in layers:
            by_layer[id(layer)] = (decay or 1.0) ** (len(parts) - number)
    own: dict[int, float] = {}
    for word, factor in (factors or {}).items():
        own |= dict.fromkeys(map(id, _find(model, word)), factor)
    of_variable = {
        id(variable): by_layer[id(layer)] * own.get(id(layer), 1.0)
        for layer in list_layers(model)
        for variable in layer.trainable_variables
    }
    return [of_variable.get(id(v), 1.0) for v in model.trainable_variables]


def describe_rate_factors(
    model: Any,
    *,
    decay: float | None,
    factors: Mapping[str, float] | None,
    stem: float | None = None,
) -> dict[str, str]:
    """Returns the factors of each stage, title -> text; nothing where all are 1."""
    found = find_rate_factors(model, decay=decay, factors=factors, stem=stem)
    if all(factor == 1 for factor in found):
        return {}
    pairs = zip(model.trainable_variables, found, strict=True)
    by_variable = {id(variable): factor for variable, factor in pairs}
    head = split_off_head(model)[1]
    parts = [(s.name, s.layers) for s in list_stages(model)] + [(head.name, (head,))]
    told = []
    for name, layers in parts:
        known = {
            by_variable[id(v)] for layer in layers for v in layer.trainable_variables
        }
        if known:
            spread = " to ".join(f"{f:.3g}" for f in sorted({min(known), max(known)}))
            told.append(f"{name} {spread}")
    return {"rate factors": ", ".join(told)}


def _find(model: Any, word: str) -> list[Any]:
    """Returns the layers that a word names."""
    layers = list_layers(model)
    if word == HEAD:
        return [layers[-1]]
    stages = {stage.name: stage.layers for stage in list_stages(model)}
    found = [layer for layer in layers if fnmatchcase(layer.name, word)]
    if not is_pattern(word) and word in stages:
        found = list(stages[word])
    if not found:
        reason = f"names no layer by {word}."
        hint = f"The stages are {', '.join(stages)}, the head is {HEAD}."
        raise ConfigError([Problem(KEY, reason, hint)])
    return found
