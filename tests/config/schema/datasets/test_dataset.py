import inspect
import re
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from experiments.config.code.targets import resolve
from experiments.config.reading.convert import convert
from experiments.config.schema.datasets.dataset import DATASETS, CustomDatasetConfig
from experiments.errors import ConfigError, Problem

CONF = Path(__file__).resolve().parents[4] / "conf"
OPTIONS = sorted(file.stem for file in (CONF / "dataset").glob("*.yaml"))


def overrides(option: str) -> list[str]:
    needed = {
        "folder": ["dataset.path=/images"],
        "huggingface": ["dataset.path=/images"],
        "tfds": ["dataset.name=tiny"],
        "imagenet": ["dataset.path=/images"],
        "table": ["dataset.table=/images/labels.csv"],
    }
    return [f"dataset={option}", *needed.get(option, [])]


@pytest.mark.parametrize("option", OPTIONS)
def test_each_option_has_a_schema_of_its_own(option: str, compose: Any) -> None:
    config = compose(*overrides(option)).dataset

    assert type(config) is DATASETS[config._target_]


@pytest.mark.parametrize("option", OPTIONS)
def test_the_keys_are_what_the_loader_takes(option: str, compose: Any) -> None:
    config = compose(*overrides(option)).dataset
    loader = resolve(config._target_, key="dataset", allowed=["experiments"])

    accepted = set(inspect.signature(loader).parameters)
    if "options" in accepted:  # a loader that shares most of its keys with others
        (shared,) = get_args(get_type_hints(loader)["options"])
        accepted = accepted - {"options"} | set(get_type_hints(shared))
    assert set(config.arguments()) == accepted


@pytest.mark.parametrize("given", ["white", "black", "[0,128,255]"])
@pytest.mark.parametrize("option", ["folder", "imagenet"])
def test_the_background_is_a_name_or_three_numbers(
    option: str, given: str, compose: Any
) -> None:
    config = compose(*overrides(option), f"dataset.background={given}").dataset

    assert str(config.background).replace(" ", "") == given


@pytest.mark.parametrize(
    ("given", "splits"),
    [
        ("null", None),
        ("{}", {}),
        ("{train: Training}", {"train": "Training"}),
        ("{train: a/b, test: new photos}", {"train": "a/b", "test": "new photos"}),
    ],
)
def test_split_folders_can_be_named(given: str, splits: Any, compose: Any) -> None:
    config = compose(*overrides("folder"), f"dataset.splits={given}").dataset

    assert config.splits == splits


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("{val: a, train: b}", r"may hold train, validation and test.*\['val'\]"),
        ("{test: a}", "must name the folder to train on"),
        ("{train: /a}", "folders below dataset.path"),
        ("{train: ''}", "folders below dataset.path"),
        ("{train: a, test: ../b}", "folders below dataset.path"),
        ("{train: '~/a'}", "folders below dataset.path"),
        ("{train: '.'}", "folders below dataset.path"),
        ("{train: a, test: ./a/}", "must be different folders"),
        ("none", "must be a mapping or null"),
    ],
)
def test_impossible_split_folders_are_refused(
    given: str, message: str, compose: Any
) -> None:
    with pytest.raises(ConfigError, match=message):
        compose(*overrides("folder"), f"dataset.splits={given}")


@pytest.mark.parametrize("given", ["blue", "[0,0]", "[0,0,256]", "[0,0,-1]", "7"])
def test_another_background_is_refused(given: str, compose: Any) -> None:
    with pytest.raises(ConfigError, match=r"dataset\.background"):
        compose(*overrides("folder"), f"dataset.background={given}")


@pytest.mark.parametrize(
    ("option", "classes", "size", "channels"),
    [
        ("synthetic", 10, 32, 3),
        ("mnist", 10, 28, 1),
        ("fashion_mnist", 10, 28, 1),
        ("cifar10", 10, 32, 3),
        ("cifar100", 100, 32, 3),
        ("folder", None, 224, 3),
        ("imagenet", 1000, 224, 3),
    ],
)
def test_what_is_known_before_loading(
    option: str, classes: int | None, size: int, channels: int, compose: Any
) -> None:
    config = compose(*overrides(option)).dataset

    assert config.known_classes == classes
    assert config.known_size == size
    assert config.known_channels == channels


@pytest.mark.parametrize(("size", "known"), [("null", 8), ("32", 32)])
def test_a_configured_size_goes_before_the_data_own(
    size: str, known: int, compose: Any
) -> None:
    config = compose("dataset=digits", f"dataset.image_size={size}").dataset

    assert config.known_size == known
    assert (config.known_classes, config.known_channels) == (10, 1)


@pytest.mark.parametrize(
    ("option", "override", "message"),
    [
        ("digits", "dataset.image_size=2", "dataset.image_size must be"),
        (
            "digits",
            "dataset.validation_fraction=0",
            "validation_fraction must be",
        ),
        ("digits", "dataset.test_fraction=0.9", "0.15 + 0.9"),
        ("digits", "dataset.cache=disk", "one of auto, memory, none"),
        ("digits", "dataset.mean=[0.1,0.2,0.3]", "one number for each of 1 channels"),
        ("digits", "dataset.std=[0]", "dataset.std"),
        ("cifar10", "dataset.std=[0.2]", "one number for each of 3 channels"),
        ("synthetic", "dataset.classes=500", "Type dataset.images=2500 or more"),
        ("synthetic", "dataset.channels=2", "dataset.channels must be one of 1, 3"),
        ("folder", "dataset.on_corrupt=ignore", "one of error, skip"),
        ("folder", "dataset.verify=off", "dataset.split_by must be path"),
        ("folder", "dataset.crop_ratio=1.5", "dataset.crop_ratio must be"),
        ("folder", "dataset.decode_threads=0", "dataset.decode_threads must be"),
        (
            "imagenet",
            "dataset.validation_fraction=1",
            "validation_fraction must be",
        ),
        ("imagenet", "+dataset.split_by=path", "dataset.split_by is not a key"),
    ],
)
def test_impossible_values_are_refused(
    option: str, override: str, message: str, compose: Any
) -> None:
    with pytest.raises(ConfigError) as caught:
        compose(*overrides(option), override)

    assert message in str(caught.value)


@pytest.mark.parametrize("option", ["folder", "imagenet"])
def test_a_path_is_asked_for(option: str, compose: Any) -> None:
    with pytest.raises(ConfigError, match=r"dataset\.path is missing"):
        compose(f"dataset={option}")


def test_a_custom_data_set_declares_its_own_keys() -> None:
    problems: list[Problem] = []
    values = {"_target_": "mine.load", "classes": 7, "image_size": 20, "shade": "red"}

    config = convert(values, CustomDatasetConfig, key="dataset", problems=problems)

    assert problems == []
    assert config.arguments() == {"classes": 7, "image_size": 20, "shade": "red"}
    assert (config.known_classes, config.known_size) == (7, 20)
    assert config.known_channels is None


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["folds=5"], "dataset.folds makes 5 jobs"),
        (["fold=2"], "dataset.fold is used with dataset.folds only"),
        (["folds=5", "fold=6"], "dataset.fold must be 1 to 5"),
        (["folds=180", "fold=1"], "dataset.folds must be at most 179"),
    ],
)
def test_folds_that_do_not_fit_are_refused(
    given: list[str], words: str, compose: Any
) -> None:
    with pytest.raises(ConfigError, match=re.escape(words)):
        compose(*(f"dataset.{word}" for word in given))


def test_fold_of_imagenet_needs_images_that_decide(compose: Any) -> None:
    words = ["folds=5", "fold=1", "validation_fraction=0"]
    with pytest.raises(ConfigError, match=r"validation_fraction must be above 0 with"):
        compose(*overrides("imagenet"), *(f"dataset.{word}" for word in words))


@pytest.mark.parametrize("given", ["(", "a(b)(c)", "abc", "parents"])
def test_group_that_is_no_pattern_with_one_group_is_refused(
    given: str, compose: Any
) -> None:
    with pytest.raises(ConfigError, match=r"dataset\.group (is no|must be parent)"):
        compose(*overrides("folder"), f"dataset.group='{given}'")


@pytest.mark.parametrize("given", ["parent", r"person(\d+)", "null"])
def test_group_is_a_pattern_or_the_folder_of_a_file(given: str, compose: Any) -> None:
    value = given if given == "null" else f"'{given}'"
    config = compose(*overrides("folder"), f"dataset.group={value}").dataset
    assert config.group == (None if given == "null" else given)


def test_fold_of_own_data_set_is_that_of_its_keys() -> None:
    config = CustomDatasetConfig(_target_="mine.load", extra={"fold": 2, "folds": 3})
    assert config.known_fold == (2, 3)
