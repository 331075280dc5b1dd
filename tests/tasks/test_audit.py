"""What `task=audit` leaves of a folder with planted faults."""

import csv
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from experiments.config.code import extras
from experiments.errors import ConfigError
from experiments.evaluation.table import read_predictions
from tests.audit.photos import cut, encode, write, write_folder
from tests.conftest import ROOT
from tests.test_pages import Reader
from tests.warm import run_to_the_end


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose test split has three images of the training split."""
    root = tmp_path_factory.mktemp("data") / "photos"
    write_folder(root, {"train": 20, "val": 4, "test": 4})
    temple = root / "train" / "temple"
    shutil.copy(temple / "000.jpg", root / "test" / "temple" / "same.jpg")
    again = encode(cut("temple", 1), quality=60)
    write(root / "test" / "temple" / "again.jpg", again)
    larger = encode(cut("flower", 2).resize((96, 96)))
    write(root / "val" / "temple" / "larger.jpg", larger)
    write(root / "train" / "flower" / "note.jpg", b"no image")
    return root


def run(photos: Path, place: Path) -> str:
    """Runs the command in a folder; returns what it printed."""
    words = ["task=audit", "dataset=folder", f"dataset.path={photos}"]
    words += ["dataset.image_size=32", "task.train=false"]
    args = [sys.executable, str(ROOT / "run.py"), *words]
    done = run_to_the_end(args, timeout=240, cwd=place)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def audited(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Returns what the command printed and its folder."""
    place = tmp_path_factory.mktemp("runs")
    shown = run(photos, place)
    (folder,) = (place / "outputs" / "runs").glob("audit-*")
    return shown, folder


def read_rows(folder: Path) -> dict[str, dict[str, str]]:
    with (folder / "corrections.csv").open(newline="") as file:
        return {row["sample"]: row for row in csv.DictReader(file)}


def test_planted_leaks_are_proposed_to_be_dropped(audited: Any) -> None:
    rows = read_rows(audited[1])
    dropped = {name for name, row in rows.items() if row["action"] == "drop"}
    assert dropped == {
        "train/temple/000.jpg",
        "train/temple/001.jpg",
        "train/flower/002.jpg",
        "train/flower/note.jpg",
    }
    assert "of the test split" in rows["train/temple/000.jpg"]["reason"]
    assert "labelled temple" in rows["train/flower/002.jpg"]["reason"]


def test_screen_says_how_much_was_found_and_what_to_do_next(audited: Any) -> None:
    shown, folder = audited
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    assert "copies across splits 1" in lines
    assert "near copies across splits 2" in lines
    assert "unreadable files 1" in lines
    assert any(line.startswith("There are no copies within") for line in lines)
    (command,) = [line for line in shown.splitlines() if "to train" in line]
    assert f"dataset.corrections={folder / 'corrections.csv'}" in command
    assert "task=" not in command


def test_page_shows_what_was_found(audited: Any) -> None:
    page = (audited[1] / "audit.html").read_text()
    read = Reader(page)
    assert "test/temple/same.jpg: temple, test" in read.texts
    assert len(read.sources) >= 6
    assert all(source.startswith("data:") for source in read.sources)


def test_edited_line_stays_when_the_same_command_is_typed_again(
    photos: Path, audited: Any
) -> None:
    place = audited[1].parents[2]
    path = audited[1] / "corrections.csv"
    before = read_rows(audited[1])
    text = path.read_text().replace("000.jpg,train,temple,,drop", "000.jpg,,,,keep")
    path.write_text(f"{text}train/temple/005.jpg,,,flower,relabel,,,\n")
    run(photos, place)
    after = read_rows(audited[1])
    assert list(after)[:2] == ["train/temple/000.jpg", "train/temple/005.jpg"]
    assert after["train/temple/000.jpg"]["action"] == "keep"
    assert after["train/temple/005.jpg"]["action"] == "relabel"
    assert after["train/temple/005.jpg"]["proposed"] == "flower"
    others = after.keys() - {"train/temple/000.jpg", "train/temple/005.jpg"}
    assert {name: after[name] for name in others} == {n: before[n] for n in others}


def test_labels_are_judged_by_models_that_the_same_command_trains(
    run_command: Any, tmp_path: Path
) -> None:
    words = ["dataset=synthetic_small", "model=resnet20_cifar", "trainer.epochs=1"]
    words += ["schedule=constant", "tracking=off", "task.folds=2"]
    done = run_command("task=audit", *words)
    assert done.returncode == 0, done.stderr
    (sweep,) = (tmp_path / "outputs" / "sweeps").iterdir()
    assert "-m dataset=synthetic_small" in done.stdout
    predictions = read_predictions(sweep / "predictions" / "out_of_fold.parquet")
    (page,) = tmp_path.glob("outputs/runs/audit-*/audit.html")
    told = f"{len(predictions)} labels by models that had not seen the image."
    assert told in Reader(page.read_text()).texts
    assert "have no prediction" not in done.stdout
    # The sweep is there by now: whoever names it trains nothing.
    again = run_command("task=audit", *words[:2], f"run_id={sweep}", "tracking=off")
    assert again.returncode == 0, again.stderr
    assert "Labels are judged" not in again.stdout
    pages = [path.read_text() for path in tmp_path.glob("outputs/runs/*/audit.html")]
    assert [told in Reader(text).texts for text in pages] == [True, True]


@pytest.mark.parametrize("name", ["nowhere", "empty"])
def test_images_that_are_not_there_leave_nothing(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    words = ["task=audit", "dataset=folder", f"dataset.path={name}"]
    args = [sys.executable, str(ROOT / "run.py"), *words]
    done = run_to_the_end(args, timeout=240, cwd=tmp_path)
    assert done.returncode == 2
    assert "dataset.path" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


def test_absent_packages_are_told_with_the_command(
    check: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extras, "is_installed", lambda name: name != "cleanlab")
    with pytest.raises(ConfigError) as error:
        check("task=audit")
    assert "cleanlab is not installed" in str(error.value)
    assert extras.how_to_install("cleanlab") in str(error.value)
