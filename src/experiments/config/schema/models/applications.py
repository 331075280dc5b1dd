"""The architectures of Keras Applications, and what each of them can take."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from experiments.errors import Problem

# Written out, so that Keras is not imported to check a name or to complete it.
Architecture = Literal[
    "ConvNeXtBase",
    "ConvNeXtLarge",
    "ConvNeXtSmall",
    "ConvNeXtTiny",
    "ConvNeXtXLarge",
    "DenseNet121",
    "DenseNet169",
    "DenseNet201",
    "EfficientNetB0",
    "EfficientNetB1",
    "EfficientNetB2",
    "EfficientNetB3",
    "EfficientNetB4",
    "EfficientNetB5",
    "EfficientNetB6",
    "EfficientNetB7",
    "EfficientNetV2B0",
    "EfficientNetV2B1",
    "EfficientNetV2B2",
    "EfficientNetV2B3",
    "EfficientNetV2L",
    "EfficientNetV2M",
    "EfficientNetV2S",
    "InceptionResNetV2",
    "InceptionV3",
    "MobileNet",
    "MobileNetV2",
    "MobileNetV3Large",
    "MobileNetV3Small",
    "NASNetLarge",
    "NASNetMobile",
    "ResNet101",
    "ResNet101V2",
    "ResNet152",
    "ResNet152V2",
    "ResNet50",
    "ResNet50V2",
    "VGG16",
    "VGG19",
    "Xception",
]
ARCHITECTURES: tuple[Architecture, ...] = get_args(Architecture)


@dataclass(frozen=True, kw_only=True)
class Family:
    """What the architectures of one paper have in common.

    Attributes:
        preprocessing: What its weights of ImageNet want done to images first, a key of
            `experiments.weights.preprocessing.PREPROCESSINGS`.
        size: Height and width in pixels that these were trained with; some members
            have others, see `published_size`.
        smallest: Height and width that it can take.
        alphas: Widths that there are weights of; empty where none can be chosen.
    """

    preprocessing: str
    size: int = 224
    smallest: int = 32
    alphas: tuple[float, ...] = ()


# A name is of the first family that it begins with.
_FAMILIES = {
    "ConvNeXt": Family(preprocessing="torch"),
    "DenseNet": Family(preprocessing="torch"),
    "EfficientNetV2B": Family(preprocessing="torch"),
    "EfficientNetV2": Family(preprocessing="128"),
    "EfficientNet": Family(preprocessing="torch"),
    "Inception": Family(preprocessing="tf", size=299, smallest=75),
    "MobileNetV3": Family(preprocessing="tf", alphas=(0.75, 1.0)),
    "MobileNetV2": Family(preprocessing="tf", alphas=(0.35, 0.5, 0.75, 1.0, 1.3, 1.4)),
    "MobileNet": Family(preprocessing="tf", alphas=(0.25, 0.5, 0.75, 1.0)),
    "NASNet": Family(preprocessing="tf"),
    "ResNet50V2": Family(preprocessing="tf"),
    "ResNet101V2": Family(preprocessing="tf"),
    "ResNet152V2": Family(preprocessing="tf"),
    "ResNet": Family(preprocessing="caffe"),
    "VGG": Family(preprocessing="caffe"),
    "Xception": Family(preprocessing="tf", size=299, smallest=71),
}
_SIZES = {
    "EfficientNetB1": 240,
    "EfficientNetB2": 260,
    "EfficientNetB3": 300,
    "EfficientNetB4": 380,
    "EfficientNetB5": 456,
    "EfficientNetB6": 528,
    "EfficientNetB7": 600,
    "EfficientNetV2B1": 240,
    "EfficientNetV2B2": 260,
    "EfficientNetV2B3": 300,
    "EfficientNetV2S": 384,
    "EfficientNetV2M": 480,
    "EfficientNetV2L": 480,
    "NASNetLarge": 331,
}


def family_of(architecture: str) -> Family:
    """Returns what is known of the architectures like one."""
    return next(f for name, f in _FAMILIES.items() if architecture.startswith(name))


def published_size(architecture: str) -> int:
    """Returns height and width in pixels of the images that it was published for."""
    return _SIZES.get(architecture, family_of(architecture).size)


def find_architecture(name: str) -> Architecture | None:
    """Returns the architecture that somebody calls by a name; `None` if unknown."""
    plain = _normalise(name).removeprefix("tf")  # timm's, of TensorFlow's weights
    by_name = {_normalise(known): known for known in ARCHITECTURES}
    return by_name.get(_OTHER_NAMES.get(plain, plain))


def find_size_problems(architecture: str, size: int) -> Iterator[Problem]:
    """Yields why an architecture cannot take images of a shorter side of `size`."""
    smallest = family_of(architecture).smallest
    if size < smallest:
        yield Problem(
            "architecture",
            f"{architecture} takes images of {smallest} pixels or more. "
            f"Received: {size}.",
            f"Type dataset.image_size={smallest}; it was published for "
            f"{published_size(architecture)}.",
        )


def find_alpha_problems(
    architecture: str, alpha: float | None, *, published: bool
) -> Iterator[Problem]:
    """Yields why an architecture cannot have a width.

    Args:
        architecture: Its name.
        alpha: Share of its filters; `None` for all of them.
        published: Whether it begins with Keras' weights of ImageNet.
    """
    alphas = family_of(architecture).alphas
    if alpha is None:
        return
    if not alphas:
        yield Problem(
            "alpha",
            f"must be null with {architecture}: only the MobileNets have a width. "
            f"Received: {alpha:g}.",
            "Type model.alpha=null.",
        )
    elif published and alpha not in alphas:
        yield Problem(
            "alpha",
            f"must be one of {_enumerate(alphas)} with {architecture} and "
            f"model.weights=imagenet. Received: {alpha:g}.",
            "Type model.alpha=1.0, or model.weights=null.",
        )


# What others call one, plain.
_OTHER_NAMES = {
    "convnext": "convnexttiny",
    "densenet": "densenet121",
    "efficientnet": "efficientnetb0",
    "efficientnetv2": "efficientnetv2b0",
    "inception": "inceptionv3",
    "inceptionresnet": "inceptionresnetv2",
    "mobilenetv1": "mobilenet",
    "mobilenetv3": "mobilenetv3large",
    "nasnet": "nasnetmobile",
    "vgg": "vgg16",
    **{f"effnetb{n}": f"efficientnetb{n}" for n in range(8)},
}


def _normalise(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


def _enumerate(values: Sequence[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)
