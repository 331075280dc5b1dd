"""The label of an image: its class or, where it may have several, all of them."""

from collections.abc import Sequence

# All of them in rising order; none is a label too.
Label = int | tuple[int, ...]


def name_classes(label: Label, class_names: Sequence[str]) -> str:
    """Returns the names of an image's classes; of none it is an empty text."""
    return "; ".join(class_names[number] for number in classes_of(label))


def classes_of(label: Label) -> tuple[int, ...]:
    """Returns the classes of an image."""
    return label if isinstance(label, tuple) else (label,)
