"""What `model.weights` may be: a word, a run or a file."""

from pathlib import PurePath

IMAGENET = "imagenet"
RUN = "run:"
# Formats by how their names end; what a file holds is told by its content.
SUFFIXES = (".pth", ".pt", ".bin", ".safetensors", ".keras", ".h5")
# Depths of which Keras Applications has weights for `variant=v1`.
IMAGENET_DEPTHS = (50, 101, 152)
IMAGENET_VARIANT = "v1"


def settle_variant(variant: str, weights: object) -> str:
    """Returns the variant of a ResNet: `auto` is that of its weights, else `v1_5`."""
    if variant != "auto":
        return variant
    return IMAGENET_VARIANT if weights == IMAGENET else "v1_5"


def is_weights_file(value: str) -> bool:
    """Tells whether a value of `model.weights` names a file."""
    return value != IMAGENET and not value.startswith(RUN)


def has_known_suffix(value: str) -> bool:
    """Tells whether a file's name ends as one of weights."""
    return PurePath(value).suffix.lower() in SUFFIXES
