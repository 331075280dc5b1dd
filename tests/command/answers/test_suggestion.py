"""What somebody may have meant who typed a key or a file that does not exist."""

from collections.abc import Iterator

import pytest
from hydra._internal.utils import create_config_search_path

from experiments.command.answers.suggestion import (
    Known,
    is_path,
    look_around,
    suggest_key,
    suggest_option,
)
from experiments.command.composing.loader import open_hydra
from tests.conftest import CONF


@pytest.fixture(scope="module")
def known() -> Iterator[Known]:
    with open_hydra(create_config_search_path(str(CONF))) as hydra:
        yield look_around(hydra.config_loader, "config")


@pytest.mark.parametrize(
    ("key", "typed", "word"),
    [
        ("model.Depth", "18", "model.depth=18"),  # beside it, whatever its case
        ("trainer.batchsize", "8", "trainer.batch_size=8"),
        ("trainer.lr", "0.1", "optimizer.lr=0.1"),  # on another level
        ("optimizer.learning_rate", "0.1", "optimizer.lr=0.1"),  # by another name
        ("learnig_rate", "0.1", "optimizer.lr=0.1"),  # like another name
        ("model.dept", "18", "model.depth=18"),  # like one beside it
        ("label_smothing", "0", "trainer.label_smoothing=0"),  # like one elsewhere
        ("optimizer.type", "sgd", "optimizer=sgd"),
        ("early_stopping", "off", "callbacks.early_stopping=null"),
        ("run_name", "a b", "'name=a b'"),
        ("warmup_steps", "500", "schedule.warmup_epochs=..."),
        ("warmup_lr", "1e-6", "schedule.warmup_start=..."),
        ("cos_lr", "true", "schedule=cosine"),
        ("data", "photos", "dataset=folder dataset.path=photos"),
        # A value that the key does not take is not typed again, but for a sweep's.
        ("ema", "true", "optimizer.ema_momentum=..."),
        ("limit_train_batches", "0.1", "trainer.max_steps_per_epoch=..."),
        ("limit_train_batches", "10", "trainer.max_steps_per_epoch=10"),
        ("lr", "0.1,0.2", "optimizer.lr=0.1,0.2"),
        ("lr", "-1", "optimizer.lr=..."),
        ("zzz", "1", None),
        ("abc", "1", None),
    ],
)
def test_key_is_found(known: Known, key: str, typed: str, word: str | None) -> None:
    told = suggest_key(key, typed, known)
    assert told == ("" if word is None else f"Did you mean `{word}`?")


def test_monitor_of_the_fewest_levels_is_meant(known: Known) -> None:
    assert suggest_key("monitor", "loss", known).startswith(
        "Did you mean `trainer.monitor="
    )


def test_key_of_another_choice_is_told_with_it(known: Known) -> None:
    told = suggest_key("momentum", "0.9", known)
    owned = " It is a key of optimizer=muon, rmsprop, sgd."
    assert told == f"Did you mean `optimizer.momentum=0.9`?{owned}"


def test_secret_and_a_long_value_are_not_typed_again(known: Known) -> None:
    told = suggest_key("run_name", "x" * 100, known)
    assert told == "Did you mean `name=...`?"
    assert "hush" not in suggest_key("tracking.tokn", "hush", known)


def test_key_that_was_made_up_is_never_suggested(known: Known) -> None:
    config = known.config.copy()
    config._set_flag("struct", False)
    config["lr"] = 3
    made_up = Known(config, known.folders, frozenset({"lr"}))
    assert suggest_key("lr", "3", made_up) == "Did you mean `optimizer.lr=3`?"


def test_what_is_taken_out_and_what_lies_below_keep_their_form(known: Known) -> None:
    assert suggest_key("lr", None, known, sign="~") == "Did you mean `~optimizer.lr`?"
    told = suggest_key("early_stopping", "3", known, rest=".patience")
    assert told == "Did you mean `callbacks.early_stopping.patience=3`?"


@pytest.mark.parametrize(
    ("group", "name", "told"),
    [
        ("model", "ResNet-18", "Did you mean `resnet18`?"),
        ("optimizer", "adamW", "Did you mean `adamw`?"),
        ("dataset", "ImageFolder", "Did you mean `folder`?"),
        ("experiment", "conf/experiment/notebook.yaml", "Did you mean `notebook`?"),
        ("dataset", "~/a b", "Did you mean `dataset=folder 'dataset.path=~/a b'`?"),
        ("model", "swin", "For one of your own see docs/extending.md, or begin with: "),
        ("dataset", "zzz", "A folder of images is dataset=folder dataset.path=zzz"),
        ("optimizer", "torch.optim.AdamW", "Did you mean `adamw`?"),
        ("model", "timm/resnet50.a1_in1k", "Did you mean `resnet50`?"),
        ("dataset", "a/digits.v2", "Did you mean `dataset=folder dataset.path=a/"),
        ("augment", "zzz", ""),
    ],
)
def test_file_of_a_group_is_found(
    known: Known, group: str, name: str, told: str
) -> None:
    assert suggest_option(group, name, known).startswith(told)
    assert told or not suggest_option(group, name, known)


def test_path_is_told_from_a_name(tmp_path: object) -> None:
    assert all(map(is_path, ("/data", "~/data", "./data", "a/b", str(tmp_path))))
    assert not any(map(is_path, ("", "data", "resnet18", "a\0b")))
