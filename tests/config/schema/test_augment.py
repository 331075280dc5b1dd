from typing import Any

import pytest

from experiments.config.code.targets import instantiate
from experiments.config.schema.augment import AUGMENTS
from experiments.data.augmentation import Augment, CropAugment
from experiments.errors import ConfigError


@pytest.mark.parametrize("option", ["flip_crop", "inception_crop"])
def test_each_option_has_a_schema_of_its_own(option: str, compose: Any) -> None:
    (config,) = compose(f"augment={option}").augment.values()

    assert type(config) is AUGMENTS[config._target_]


def test_none_is_an_empty_list(compose: Any) -> None:
    assert compose("augment=none").augment == {}
    assert compose("augment=flip_crop", "augment.flip_crop=null").augment == {}


def test_several_keep_their_order(compose: Any) -> None:
    listed = compose("augment=[inception_crop,flip_crop]").augment

    assert list(listed) == ["inception_crop", "flip_crop"]


@pytest.mark.parametrize(
    ("option", "kind"),
    [
        ("flip_crop", Augment),
        ("inception_crop", CropAugment),
    ],
)
def test_each_option_builds_what_the_pipeline_applies(
    option: str, kind: type, compose: Any
) -> None:
    (config,) = compose(f"augment={option}").augment.values()

    assert isinstance(instantiate(config, key="augment", allowed=["experiments"]), kind)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["augment=none", "+augment.pad=1"], "augment.pad must be a mapping of keys"),
        (
            ["augment=flip_crop", "augment.flip_crop.pad=-1"],
            "augment.flip_crop.pad must be an integer",
        ),
        (
            ["augment=inception_crop", "augment.inception_crop.area=[0,1]"],
            "augment.inception_crop.area",
        ),
        (
            ["augment=inception_crop", "augment.inception_crop.area=[1,0.1]"],
            "Set it to [0.1, 1.0]",
        ),
        (
            ["augment=inception_crop", "augment.inception_crop.ratio=[1]"],
            "a list of 2 items",
        ),
    ],
)
def test_impossible_values_are_refused(
    overrides: list[str], message: str, compose: Any
) -> None:
    with pytest.raises(ConfigError) as caught:
        compose(*overrides)

    assert message in str(caught.value)
