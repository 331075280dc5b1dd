"""What `freeze` may be: a word, a stage of the network, a pattern of layer names."""

from collections.abc import Iterator, Mapping, Sequence

from experiments.config.reading.convert import nearest
from experiments.errors import Problem

NONE, ALL = "none", "all"
BATCH_NORMS = "batch_norms"
_WORDS = (NONE, ALL, BATCH_NORMS)
HEAD = "head"
_WILD = "*?["


def is_pattern(word: str) -> bool:
    """Tells whether a word stands for layers by a pattern of their names."""
    return any(sign in word for sign in _WILD)


def list_words(freeze: str | Sequence[str]) -> list[str]:
    """Returns what is named, one or several."""
    return [freeze] if isinstance(freeze, str) else list(freeze)


def write_freeze(freeze: str | Sequence[str]) -> str:
    """Returns what is frozen as it is typed."""
    return freeze if isinstance(freeze, str) else f"[{','.join(freeze)}]"


def check_rate_factors(
    factors: Mapping[str, float], stages: Sequence[str], *, key: str
) -> Iterator[Problem]:
    """Yields a problem for each name that is no stage, no head and no pattern.

    Args:
        factors: By name, as they were typed.
        stages: Of the network.
        key: Of the config.
    """
    for word in factors:
        if word in (HEAD, *stages) or is_pattern(word):
            continue
        reason = (
            f"must name {HEAD}, stages ({', '.join(stages)}) or patterns of layer "
            f"names such as *_bn. Received: {word}."
        )
        yield Problem(key, reason, nearest(word, (HEAD, *stages)))


def check_freeze(
    freeze: str | Sequence[str], stages: Sequence[str], *, key: str
) -> Iterator[Problem]:
    """Yields a problem for each word that is neither known, a stage nor a pattern.

    Args:
        freeze: As it was typed.
        stages: Of the network.
        key: Of the config.
    """
    for word in list_words(freeze):
        if word in (*_WORDS, *stages) or is_pattern(word):
            continue
        reason = (
            f"must be {', '.join(_WORDS)}, a stage ({', '.join(stages)}), or a pattern "
            f"of layer names such as 'conv2_*'. Received: {word}."
        )
        yield Problem(key, reason, nearest(word, (*_WORDS, *stages)))
