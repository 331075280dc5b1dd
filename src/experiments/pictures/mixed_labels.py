"""Labels of several classes, or shares of them as mixing augmentations make them."""

from collections.abc import Sequence
from typing import Any

_LEAST = 0.005  # less is no share that two digits can show


def list_shares(label: Any) -> list[tuple[int, float]]:
    """Returns the classes of a label and their shares, the largest first.

    Args:
        label: An integer, or the share of each class, float or uint8 `(classes,)`.
    """
    if getattr(label, "ndim", 0) == 0:
        return [(int(label), 1.0)]
    shares = [(n, float(s)) for n, s in enumerate(label) if s >= _LEAST]
    return sorted(shares, key=lambda pair: -pair[1])


def name_label(label: Any, class_names: Sequence[str]) -> str:
    """Returns a label in words: `cat`, `cat + dog`, `0.7 cat + 0.3 dog`, or `none`.

    Args:
        label: See `list_shares`.
        class_names: Name of each class.
    """
    shares = list_shares(label)
    parts = name_parts(shares, [class_names[number] for number, _ in shares])
    return " + ".join(parts)


def name_parts(
    shares: Sequence[tuple[int, float]], names: Sequence[str]
) -> Sequence[str]:
    """Returns a text for each class of a label: its name, and a share that is one.

    Args:
        shares: What `list_shares` returned.
        names: The name of each of them.
    """
    if not shares:
        return ["none"]
    if len(shares) == 1 or all(share == 1 for _, share in shares):
        return names
    named = zip(shares, names, strict=True)
    return [f"{share:.2g} {name}" for (_, share), name in named]
