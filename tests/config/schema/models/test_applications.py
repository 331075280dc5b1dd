"""Names and sizes of architectures, which are checked before Keras is imported."""

from typing import Any

import pytest

from experiments.config.schema.models.applications import (
    ARCHITECTURES,
    family_of,
    find_alpha_problems,
    find_architecture,
    find_size_problems,
    published_size,
)
from experiments.errors import ConfigError


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_an_architecture_is_found_by_its_name_in_any_spelling(name: str) -> None:
    assert find_architecture(name) == name
    assert find_architecture(name.lower()) == name
    assert find_architecture(f"{name[:-2]}_{name[-2:]}".upper()) == name


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("efficientnet_b0", "EfficientNetB0"),
        ("vgg", "VGG16"),
        ("mobilenet-v2", "MobileNetV2"),
        ("resnet50v2", "ResNet50V2"),
        ("vit", None),
        ("", None),
    ],
)
def test_other_words_for_an_architecture(typed: str, meant: str | None) -> None:
    assert find_architecture(typed) == meant


@pytest.mark.parametrize(
    ("name", "size", "smallest", "preprocessing"),
    [
        ("EfficientNetV2B0", 224, 32, "torch"),
        ("EfficientNetV2S", 384, 32, "128"),
        ("EfficientNetB7", 600, 32, "torch"),
        ("InceptionResNetV2", 299, 75, "tf"),
        ("Xception", 299, 71, "tf"),
        ("NASNetLarge", 331, 32, "tf"),
        ("ResNet50", 224, 32, "caffe"),
        ("ResNet152V2", 224, 32, "tf"),
        ("MobileNetV3Small", 224, 32, "tf"),
    ],
)
def test_an_architecture_is_of_its_family(
    name: str, size: int, smallest: int, preprocessing: str
) -> None:
    family = family_of(name)
    assert (family.smallest, family.preprocessing) == (smallest, preprocessing)
    assert published_size(name) == size


def test_images_that_are_too_small_are_refused_with_the_smallest_size() -> None:
    assert not list(find_size_problems("Xception", 71))
    problem = next(find_size_problems("Xception", 70))
    assert "71 pixels or more" in problem.message
    assert "dataset.image_size=71" in problem.hint


@pytest.mark.parametrize(
    ("name", "alpha", "published", "refused"),
    [
        ("MobileNetV2", 0.1, False, False),
        ("MobileNetV2", 0.1, True, True),
        ("MobileNetV2", 1.4, True, False),
        ("MobileNet", 1.4, True, True),
        ("Xception", None, True, False),
        ("Xception", 1.0, False, True),
    ],
)
def test_only_mobile_networks_have_a_width(
    name: str, alpha: float | None, published: bool, refused: bool
) -> None:
    found = list(find_alpha_problems(name, alpha, published=published))
    assert bool(found) == refused


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (["dataset.image_size=31"], "takes images of 32 pixels or more"),
        (["model.architecture=efficientnet_b1"], "Did you mean `EfficientNetB1`?"),
        (["model.weights=last"], "Did you mean `model.weights=run:last`?"),
        (["model.weights=run:"], "must name a run after run:"),
    ],
)
def test_a_command_is_checked_before_keras_is_imported(
    check: Any, typed: list[str], told: str
) -> None:
    with pytest.raises(ConfigError, match="model") as caught:
        check("model=keras_application", "dataset=synthetic", *typed)
    assert told in str(caught.value)
