"""Labels that are shares of several classes, as mixing augmentations make them."""

from collections.abc import Sequence
from typing import Any

_LEAST = 0.005  # less is no share that two digits can show


def list_shares(label: Any) -> list[tuple[int, float]]:
    """Returns the classes of a label and their shares, the largest first.

    Args:
        label: An integer, or the share of each class, float `(classes,)`.
    """
    if getattr(label, "ndim", 0) == 0:
        return [(int(label), 1.0)]
    shares = [(n, float(s)) for n, s in enumerate(label) if s >= _LEAST]
    return sorted(shares, key=lambda pair: -pair[1])


def name_label(label: Any, class_names: Sequence[str]) -> str:
    """Returns a label in words: `cat`, or `0.7 cat + 0.3 dog`.

    Args:
        label: See `list_shares`.
        class_names: Name of each class.
    """
    shares = list_shares(label)
    if len(shares) == 1:
        return class_names[shares[0][0]]
    return " + ".join(f"{s:.2g} {class_names[n]}" for n, s in shares)
