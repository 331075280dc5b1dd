"""Which images a command means, before and after the model is known."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from omegaconf import OmegaConf
from PIL import Image

from experiments.command.composing.overlay import find_links
from experiments.data.images.background import WHITE
from experiments.errors import ConfigError, DataError
from experiments.jobs.job import Job
from experiments.tracking.account import Account
from experiments.trained.images import ask_for_images, choose_images
from experiments.trained.record import Record


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two classes, four images each."""
    folder = tmp_path_factory.mktemp("data") / "photos"
    for number, name in enumerate(("cat", "dog")):
        (folder / name).mkdir(parents=True)
        for shade in range(4):
            pixels = np.full((9, 9, 3), 20 * shade + number, np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{shade}.png")
    return folder


@pytest.fixture
def ask(check: Any, tmp_path: Path) -> Any:
    """Asks for the images of a command beside a model whose run has a record."""

    def ask(*typed: str, record: Any = None, split: str | None = None) -> Any:
        words = ["task=evaluate", "run_id=a", f"output_dir={tmp_path}", "gpu=cpu"]
        plan = check(*words, *typed)
        resolved: Any = OmegaConf.to_container(plan.config, resolve=True)
        job = Job(
            resolved=resolved,
            output_dir=tmp_path,
            overrides=(*words, *typed),
            name="a",
            links=find_links(plan.config),
        )
        found: Any = SimpleNamespace(record=record, name="a model", typed="a")
        return ask_for_images(job, found, split)

    return ask


def remember(check: Any, *words: str) -> Any:
    """The record of a run that was started so."""
    config: Any = OmegaConf.to_container(check(*words).config, resolve=True)
    account = Account(run_id=None, name="a run", params={}, tags={}, points={})
    return Record(config=config, account=account, images=None, folder=None, result=None)


def model(channels: int = 3, size: int = 16) -> Any:
    return SimpleNamespace(
        image_shape=(size, size, channels),
        crop_ratio=0.75,
        background=WHITE,
        config=None,
        folder=None,
    )


def test_model_without_a_record_needs_a_data_set(ask: Any) -> None:
    with pytest.raises(ConfigError, match="dataset must be typed: a model"):
        ask()


def test_typed_folder_is_read_as_the_model_wants_it(ask: Any, folder: Path) -> None:
    request = ask("dataset=folder", f"dataset.path={folder}", "model=resnet18")
    chosen = choose_images(request, model())
    assert len(chosen.labelled.images) == 8
    assert chosen.labelled.split is None
    assert chosen.dataset is None
    assert chosen.folder == str(folder.resolve())
    images = chosen.labelled.images
    assert (images.crop_ratio, images.background) == (0.75, (255, 255, 255))
    assert (chosen.config.dataset.image_size, chosen.config.dataset.channels) == (16, 3)


def test_typed_crop_and_background_count(ask: Any, folder: Path) -> None:
    words = ["dataset.crop_ratio=0.5", "dataset.background=black"]
    request = ask("dataset=folder", f"dataset.path={folder}", *words)
    images = choose_images(request, model()).labelled.images
    assert (images.crop_ratio, images.background) == (0.5, (0, 0, 0))


@pytest.mark.parametrize("word", ["dataset.image_size=32", "dataset.channels=1"])
def test_typed_shape_must_be_the_models(ask: Any, folder: Path, word: str) -> None:
    words = ["dataset.mean=null", "dataset.std=null", word]
    request = ask("dataset=folder", f"dataset.path={folder}", *words)
    with pytest.raises(ConfigError, match="takes images of 16 x 16 x 3"):
        choose_images(request, model())


def test_keys_that_would_divide_a_folder_are_refused(ask: Any, folder: Path) -> None:
    words = ["dataset.test_fraction=0.5", "dataset.classes=2"]
    with pytest.raises(ConfigError) as error:
        ask("dataset=folder", f"dataset.path={folder}", *words)
    keys = [problem.key for problem in error.value.problems]
    assert keys == ["dataset.test_fraction", "dataset.classes"]


def test_missing_folder_is_told_before_a_model_is_loaded(ask: Any) -> None:
    with pytest.raises(DataError, match=r"does not exist: .*nowhere"):
        ask("dataset=folder", "dataset.path=nowhere")


def test_data_set_without_a_folder_gives_its_test_split(ask: Any) -> None:
    chosen = choose_images(ask("dataset=digits"), model(channels=1, size=8))
    assert (chosen.labelled.name, chosen.labelled.split) == ("digits", "test")
    assert len(chosen.labelled.images) == 270
    assert chosen.notes == ()
    wanted = ask("dataset=digits", split="train")
    assert len(choose_images(wanted, model(channels=1)).labelled.images) == 1258


def test_what_was_trained_with_is_not_taken_for_other_images(
    ask: Any, check: Any, folder: Path
) -> None:
    words = ["dataset=folder", f"dataset.path={folder}", "trainer.batch_size=1"]
    record = remember(check, *words, "dataset.image_size=64")
    assert ask("dataset=folder", f"dataset.path={folder}", record=record).typed == ()
    other = ask("dataset=digits", record=record)
    assert [o.key_or_group for o in other.typed] == ["dataset"]
    changed = ["dataset.crop_ratio=0.5"]
    request = ask("dataset=folder", f"dataset.path={folder}", *changed, record=record)
    assert len(request.typed) == 3
