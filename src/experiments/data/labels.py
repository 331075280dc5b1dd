"""The label of an image: its class or, where it may have several, all of them."""

# All of them in rising order; none is a label too.
Label = int | tuple[int, ...]


def classes_of(label: Label) -> tuple[int, ...]:
    """Returns the classes of an image."""
    return label if isinstance(label, tuple) else (label,)
