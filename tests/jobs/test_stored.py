"""What is said of a job that finished before, when its images are others now."""

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from experiments.builders.data import build_dataset
from experiments.data.files import inventory
from experiments.jobs.job import JobResult
from experiments.jobs.made_from import origin
from experiments.jobs.stored import show_stored, stored_result
from experiments.sweeps.closing import open_sweep

FOLDER = ["dataset=folder", "dataset.image_size=16", "dataset.scan_cache=null"]


def write_images(folder: Path, count: int, start: int = 0) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(start, start + count):
        colour = (number, ord(folder.name[0]), len(str(folder)) % 256)
        Image.new("RGB", (8, 8), colour).save(folder / f"{number}.png")


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    for name in ("cat", "dog"):
        write_images(tmp_path / "pets" / name, 8)
    return tmp_path / "pets"


@pytest.fixture
def finish(check: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Leaves what a job of these overrides leaves when it has finished."""
    monkeypatch.setattr(inventory, "_REUSE", 0)

    def finish(*overrides: str) -> Any:
        run = check(*overrides).run
        folder = tmp_path / "job"
        folder.mkdir()
        dataset = build_dataset(run)
        origin.write_origin(folder, origin.describe_origin(run, dataset))
        JobResult(name="job", status="FINISHED", output_dir=str(folder)).save()
        return run

    return finish


@pytest.fixture
def show(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Returns what is shown of the finished job when `run` is asked for again."""

    def show(run: Any, **options: Any) -> str:
        result = stored_result(tmp_path / "job", run, **options)
        assert result is not None
        show_stored(result, run, **options)
        return capsys.readouterr().out

    return show


def test_same_images_need_no_word(finish: Any, show: Any, pets: Path) -> None:
    run = finish(*FOLDER, f"dataset.path={pets}")
    os.utime(pets / "cat" / "0.png", ns=(1, 1))
    assert "The images" not in show(run)
    assert "The images" not in show(run, in_sweep=True)


def add_files(pets: Path) -> None:
    write_images(pets / "cat", 3, start=8)


def add_class(pets: Path) -> None:
    write_images(pets / "bird", 8)


def replace_file(pets: Path) -> None:
    Image.new("RGB", (8, 8), (255, 255, 255)).save(pets / "dog" / "3.png")


def remove_file(pets: Path) -> None:
    (pets / "dog" / "3.png").unlink()


@pytest.mark.parametrize("in_sweep", [False, True])
@pytest.mark.parametrize("verify", ["full", "header"])
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (add_files, "The images changed since: 3 files more in cat."),
        (add_class, "The images changed since: 8 files more; the folder bird is new."),
        (replace_file, "The images changed since: other content in dog."),
        (remove_file, "The images changed since: 1 file less in dog."),
        (shutil.rmtree, "The images changed since: they cannot be read any more ("),
    ],
)
def test_what_changed_is_told_with_the_way_to_start_anew(
    finish: Any,
    show: Any,
    pets: Path,
    change: Any,
    sentence: str,
    in_sweep: bool,
    verify: str,
) -> None:
    run = finish(*FOLDER, f"dataset.path={pets}", f"dataset.verify={verify}")
    change(pets)
    shown = show(run, in_sweep=in_sweep)
    assert sentence in shown
    assert "To run it anew in another folder: fresh=true" in shown


def test_another_copy_of_a_known_data_set_is_compared_where_it_is(
    finish: Any, show: Any, check: Any, tmp_path: Path
) -> None:
    for split, name in ((s, n) for s in ("train", "val") for n in (1, 2)):
        write_images(tmp_path / "a" / split / f"n0000000{name}", 4)
    imagenet = ["dataset=imagenet", "dataset.classes=2", "dataset.scan_cache=null"]
    imagenet.append("dataset.validation_fraction=0")
    finish(*imagenet, f"dataset.path={tmp_path / 'a'}")
    shutil.move(tmp_path / "a", tmp_path / "b")
    run = check(*imagenet, f"dataset.path={tmp_path / 'b'}").run
    assert "The images" not in show(run)
    write_images(tmp_path / "b" / "train" / "n00000001", 1, start=4)
    assert "1 file more in train/n00000001" in show(run)


def test_job_whose_config_came_from_a_record_is_compared_with_its_own_folder(
    finish: Any, show: Any, check: Any, pets: Path
) -> None:
    """As `task=reproduce`, whose command names no data set."""
    finish(*FOLDER, f"dataset.path={pets}")
    add_files(pets)
    run = check("task=reproduce", "run_id=abc").run
    assert "3 files more in cat" in show(run)


def test_record_does_not_say_where_to_look_for_images(
    finish: Any, show: Any, check: Any, pets: Path
) -> None:
    """It may have come from elsewhere, and name any folder of this machine."""
    finish(*FOLDER, f"dataset.path={pets}")
    add_files(pets)
    assert "images" not in show(check("seed=1").run)


@pytest.mark.parametrize("dataset", ["mnist", "cifar10"])
def test_local_copy_of_a_published_data_set_is_compared(
    finish: Any, show: Any, tmp_path: Path, dataset: str
) -> None:
    shape = (28, 28) if dataset == "mnist" else (32, 32, 3)
    path = tmp_path / "copy.npz"

    def write(value: int) -> None:
        y = np.arange(200) % 10
        x = np.full((200, *shape), value, np.uint8)
        np.savez(path, x_train=x, y_train=y, x_test=x[:10], y_test=y[:10])

    write(1)
    run = finish(f"dataset={dataset}", f"dataset.path={path}")
    os.utime(path, ns=(1, 1))
    assert "The images" not in show(run)
    write(2)
    assert "The images changed since: other content in the archive." in show(run)
    path.unlink()
    assert "they cannot be read any more" in show(run)


def test_search_tells_it_of_its_trials_once(
    finish: Any,
    check: Any,
    pets: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = finish(*FOLDER, f"dataset.path={pets}")
    plan = check(
        *FOLDER,
        f"dataset.path={pets}",
        "seed=1,2",
        "hydra/sweeper=keras_tuner",
        "tracking=off",
        f"output_dir={tmp_path / 'outputs'}",
        multirun=True,
    )
    for name in ("seed_1", "seed_2"):
        shutil.copytree(tmp_path / "job", plan.folder / name)
        (plan.folder / name / "job.lock").touch()
    open_sweep(plan)
    assert "The images" not in capsys.readouterr().out
    add_files(pets)
    open_sweep(plan)
    assert capsys.readouterr().out == (
        "The images changed since this search began: 3 files more in cat.\n"
        "To search anew in another folder: fresh=true\n"
    )
    assert run.dataset == plan.run.dataset


def test_job_of_before_such_records_is_shown_as_it_was(
    finish: Any, show: Any, pets: Path, tmp_path: Path
) -> None:
    run = finish(*FOLDER, f"dataset.path={pets}")
    former = origin.read_origin(tmp_path / "job") or {}
    former.pop("files")
    origin.write_origin(tmp_path / "job", former)
    add_files(pets)
    assert "The images" not in show(run)


def test_continuation_tells_the_same_changes(check: Any, pets: Path) -> None:
    run = check(*FOLDER, f"dataset.path={pets}").run
    before = origin.describe_origin(run, build_dataset(run))
    add_files(pets)
    after = origin.describe_origin(run, build_dataset(run))
    assert origin.list_changes(before, after) == [
        "the data set's images (3 files more in cat)"
    ]
