"""The table of other names leads to keys, files and values that there are."""

import dataclasses

import pytest
from hydra_plugins.hydra_joblib_launcher.config import JobLibLauncherConf
from omegaconf import OmegaConf

from experiments.config import synonyms
from experiments.config.reading.fields import is_declared
from experiments.config.schema.run import RunConfig
from experiments.config.synonyms import (
    find_keys,
    find_note,
    find_option,
    find_switch,
    find_value,
    normalise,
)
from tests.conftest import CONF

GROUPS = {path.name for path in CONF.iterdir() if path.is_dir()}
CALLBACKS = {path.stem for path in (CONF / "callbacks").glob("*.yaml")}


@pytest.mark.parametrize("target", synonyms._KEYS)
def test_each_name_leads_to_a_key(target: str) -> None:
    key, _, value = target.partition("=")
    if key in GROUPS:
        assert not value or (CONF / key / f"{value}.yaml").exists()
    elif key.startswith("callbacks."):
        assert key.split(".")[1] in CALLBACKS
    elif key.startswith("hydra.sweeper."):
        sweeper = OmegaConf.load(CONF / "hydra/sweeper/keras_tuner.yaml")
        parent, _, name = key.removeprefix("hydra.sweeper.").rpartition(".")
        assert name in (OmegaConf.select(sweeper, parent) if parent else sweeper)
    elif key.startswith("hydra.launcher."):
        assert key.rpartition(".")[2] in JobLibLauncherConf.__dataclass_fields__
    else:
        assert is_declared(key, RunConfig)


def test_no_name_is_that_of_its_key() -> None:
    for target, names in synonyms._KEYS.items():
        name = normalise(target.partition("=")[0].rpartition(".")[2])
        assert name not in map(normalise, names.split())


@pytest.mark.parametrize(
    ("group", "option"),
    [(g, o) for g, by in synonyms._OPTIONS.items() for o in sorted({*by.values()})],
)
def test_each_other_name_of_a_file_leads_to_one(group: str, option: str) -> None:
    assert (CONF / group / f"{option}.yaml").exists()


def test_no_note_is_told_of_a_key_that_there_is() -> None:
    keys = {field.name for field in dataclasses.fields(RunConfig)}
    assert set(synonyms._NOTES) & keys == {"resume", "sweep"}  # mappings, no switches


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("learning_rate", ["optimizer.lr"]),
        ("Learning-Rate", ["optimizer.lr"]),
        ("num_train_epochs", ["trainer.epochs"]),
        ("fp16", ["trainer.precision=mixed_float16"]),
        ("nothing", []),
    ],
)
def test_names_are_found_whatever_joins_their_words(name: str, keys: list[str]) -> None:
    assert find_keys(name) == keys


@pytest.mark.parametrize(
    ("key", "typed", "name", "value"),
    [
        ("gpu", "cuda", "device", "auto"),
        ("gpu", "cuda:3", "device", "3"),
        ("gpu", "0", "device", None),
        ("gpu", "1", "gpus", "auto"),
        ("gpu", "3", "devices", "[0,1,2]"),
        ("gpu", "-1", "", "all"),
        ("trainer.precision", "bf16-mixed", "", "mixed_bfloat16"),
        ("schedule.warmup_epochs", "500", "warmup_steps", "..."),
        ("optimizer.lr", "0.1", "", None),
    ],
)
def test_value_is_said_in_the_words_of_its_key(
    key: str, typed: str, name: str, value: str | None
) -> None:
    assert find_value(key, typed, name=name) == value


def test_files_switches_and_what_there_is_not_are_known_by_other_names() -> None:
    assert find_option("dataset", "ImageFolder") == "folder"
    assert find_option("dataset", "nothing") is None
    assert [find_switch(word) for word in ("Yes", "off", "red")] == [True, False, None]
    assert "model.weights=imagenet" in find_note("pre-trained")
