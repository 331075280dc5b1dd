"""Whether the classes that a config names are classes of the data."""

from collections.abc import Iterator, Mapping, Sequence

from experiments.config.reading.convert import nearest
from experiments.counts import name_some
from experiments.errors import Problem

CLASS_WEIGHT = "loss.class_weight"
_LISTED = 20


def check_weighed_classes(
    wish: object, class_names: Sequence[str]
) -> Iterator[Problem]:
    """Yields a problem for each name that is weighed and names no class.

    Args:
        wish: `loss.class_weight` of a config.
        class_names: Of the data.
    """
    for name in map(str, wish if isinstance(wish, Mapping) else ()):
        if name not in class_names:
            yield _describe(name, class_names)


def _describe(name: str, class_names: Sequence[str]) -> Problem:
    listed = name_some(class_names, _LISTED)
    reason = f"names no class of the data set, which has {listed}."
    return Problem(f"{CLASS_WEIGHT}.{name}", reason, nearest(name, class_names))
