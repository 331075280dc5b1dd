"""An augmentation of before has a name today, and a job stays the same job."""

from typing import Any

import pytest

from experiments.config.formats.history import (
    first_all,
    first_key,
    name_all,
    name_key,
    name_values,
    name_words,
)

_ROOM = "experiments.data.augment"
CROP = {"_target_": f"{_ROOM}.inception_crop.InceptionCrop", "flip": False}
FLIP = {"_target_": f"{_ROOM}.flip_crop.FlipCrop", "pad": 1, "flip": False}
NONE = {"_target_": f"{_ROOM}.none.no_augment"}
OWN = {"_target_": "mine.FadeOut", "speed": 3}


@pytest.mark.parametrize(
    ("first", "now"),
    [
        (FLIP, {"flip_crop": FLIP}),
        (CROP, {"inception_crop": CROP}),
        (OWN, {"fade_out": OWN}),
        (NONE, {}),
    ],
)
@pytest.mark.parametrize("since", [1, 2, 3, 4])
def test_recorded_augmentation_has_a_name(first: Any, now: Any, since: int) -> None:
    assert name_all({"augment": first}, since) == {"augment": now}
    assert first_all({"augment": now}) == {"augment": first}
    assert name_all({"augment": now}, 5) == {"augment": now}


def test_order_of_several_counts_and_names_do_not() -> None:
    several = first_all({"augment": {"a": CROP, "b": FLIP}})
    assert several == first_all({"augment": {"c": CROP, "off": NONE, "d": FLIP}})
    assert several == {"augment": [CROP, FLIP]}
    assert first_all({"augment": {"off": NONE}}) == {"augment": NONE}


@pytest.mark.parametrize("node", [CROP, FLIP, OWN])
def test_flat_values_get_the_name_of_their_target(node: Any) -> None:
    values = {f"augment.{key}": value for key, value in node.items()}
    (name,) = name_all({"augment": node}, 4)["augment"]
    wrapped = {f"augment.{name}.{key}": value for key, value in node.items()}
    assert name_values({"seed": 1, **values}, 4) == {"seed": 1, **wrapped}
    assert name_values(wrapped, 1) == wrapped


def test_flat_values_of_none_are_those_of_an_empty_mapping() -> None:
    assert name_values({"augment._target_": NONE["_target_"]}, 4) == {"augment": "{}"}


@pytest.mark.parametrize(
    ("first", "now"),
    [
        ("augment.pad", "augment.flip_crop.pad"),
        ("augment.area", "augment.inception_crop.area"),
        ("augment.flip", "augment.flip_crop.flip"),
        ("augment", "augment"),
    ],
)
def test_key_of_before_is_found(first: str, now: str) -> None:
    assert name_key(first, 4) == now
    assert first_key(now) == first
    assert name_key(now, 4) == now


def test_overrides_of_before_are_read_by_the_choice_beside_them() -> None:
    words = ["augment=inception_crop", "augment.flip=false"]
    named = ["augment=inception_crop", "augment.inception_crop.flip=false"]
    assert name_words(words, 4) == named
    assert first_key("augment.inception_crop.flip") == "augment.flip"
