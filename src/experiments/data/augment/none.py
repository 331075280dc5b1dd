"""No augmentation."""


def no_augment() -> None:
    """Returns `None`, which leaves the images as they are."""
