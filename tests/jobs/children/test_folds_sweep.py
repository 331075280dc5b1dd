import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from experiments.errors import ExperimentError
from experiments.interruption import StopRequest
from experiments.jobs.children import child_sweep
from experiments.jobs.children import folds_sweep as module
from experiments.jobs.children.folds_sweep import train_folds


class Commands:
    """Remembers the words of commands, of which each leaves a sweep."""

    def __init__(self, outputs: Path) -> None:
        self.words: list[str] = []
        self.left: tuple[str, ...] = ("new",)
        self._outputs = outputs

    def run(self, words: list[str], stop: object, environment: dict[str, str]) -> None:
        self.words = words
        for name in self.left:
            leave_sweep(self._outputs / "sweeps" / name, environment)


def leave_sweep(
    folder: Path, environment: dict[str, str], *, predictions: bool = True
) -> None:
    """Leaves what a sweep does that was started with an environment."""
    folder.mkdir(parents=True)
    if predictions:
        (folder / "predictions").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        child_sweep.tell_folder(folder)
        assert child_sweep.TELL_VARIABLE not in os.environ  # for its jobs


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    commands = Commands(tmp_path)
    monkeypatch.setattr(child_sweep, "run_command", commands.run)
    monkeypatch.setattr(module, "list_flags", lambda: ["--config-dir", "/mine"])
    return commands


def make_job(tmp_path: Path, *overrides: str, **dataset: Any) -> Any:
    run = SimpleNamespace(output_dir=str(tmp_path), dataset=SimpleNamespace(**dataset))
    return SimpleNamespace(run=run, overrides=overrides, stop=StopRequest())


def make_dataset(splits: dict[str, str] | None = None, skipped: int = 0) -> Any:
    return SimpleNamespace(
        files={"splits": splits} if splits else {}, skipped_files=["x"] * skipped
    )


def test_what_was_typed_is_handed_on_but_what_is_the_audits_own(
    commands: Commands, tmp_path: Path
) -> None:
    typed = ("task=audit", "task.near_bits=4", "model=resnet18", "+tags.a=b")
    job = make_job(tmp_path, *typed, "fresh=true", "trainer.epochs=3", path="p")
    train_folds(job, make_dataset(), 4, os.environ)
    assert commands.words == [
        *("-m", "--config-dir", "/mine"),
        *("model=resnet18", "+tags.a=b", "trainer.epochs=3"),
        *("task=train", "dataset.folds=4"),
    ]


def test_every_image_is_in_a_fold_unless_folders_divide_them(
    commands: Commands, tmp_path: Path
) -> None:
    job = make_job(tmp_path, "dataset.test_fraction=0.3", test_fraction=0.3)
    train_folds(job, make_dataset(), 4, os.environ)
    assert commands.words[3:] == [
        "task=train",
        "dataset.folds=4",
        "dataset.test_fraction=0",
    ]
    commands.left = ("other",)
    train_folds(job, make_dataset({"test": "test"}), 4, os.environ)
    assert "dataset.test_fraction=0.3" in commands.words


def test_unusable_files_do_not_end_the_sweep(
    commands: Commands, tmp_path: Path
) -> None:
    job = make_job(tmp_path, "dataset.on_corrupt=error")
    train_folds(job, make_dataset(skipped=1), 4, os.environ)
    assert [w for w in commands.words if "on_corrupt" in w] == [
        "dataset.on_corrupt=skip"
    ]


def test_folder_is_that_of_the_sweep_which_was_started(
    commands: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = commands.run

    def run(words: list[str], stop: object, environment: dict[str, str]) -> None:
        plain(words, stop, environment)
        # Somebody's own sweep, which began later and goes on.
        leave_sweep(tmp_path / "sweeps" / "theirs", {})

    monkeypatch.setattr(child_sweep, "run_command", run)
    found = train_folds(make_job(tmp_path), make_dataset(), 4, os.environ)
    assert found == tmp_path / "sweeps" / "new"


def test_sweep_that_left_nothing_is_told(commands: Commands, tmp_path: Path) -> None:
    leave_sweep(tmp_path / "sweeps" / "older", {})
    commands.left = ()
    with pytest.raises(ExperimentError, match="left no folder"):
        train_folds(make_job(tmp_path), make_dataset(), 4, os.environ)


def test_sweep_without_predictions_is_told(
    commands: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "sweeps" / "new"
    monkeypatch.setattr(
        child_sweep,
        "run_command",
        lambda words, stop, told: leave_sweep(folder, told, predictions=False),
    )
    with pytest.raises(ExperimentError, match="left no predictions"):
        train_folds(make_job(tmp_path), make_dataset(), 4, os.environ)


def test_command_is_shown_before_it_is_run(
    commands: Commands, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train_folds(make_job(tmp_path, "model=resnet18"), make_dataset(), 4, os.environ)
    shown = capsys.readouterr().out
    assert "task.train=false" in shown
    assert "model=resnet18 task=train dataset.folds=4" in shown
