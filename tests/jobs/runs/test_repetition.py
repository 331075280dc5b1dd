from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from experiments.jobs.job import Job
from experiments.jobs.runs import repetition
from experiments.jobs.runs.repetition import (
    in_its_experiment,
    name_again,
    name_repetition,
)


def make_plan(check: Any, folder: Path, run_id: str, *words: str) -> Any:
    run = f"run_id='{run_id}'"
    return check("task=reproduce", run, f"output_dir={folder}", *words)


@pytest.fixture
def records(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An output folder with the run abc123, called `deep on digits`, in it."""
    place = tmp_path / "runs" / "deep_on_digits-1234"
    place.mkdir(parents=True)

    def find(start: str, output_dir: Path) -> Path | None:
        return place if output_dir == tmp_path and "abc123".startswith(start) else None

    def read(folder: Path) -> Any:
        return SimpleNamespace(name="deep on digits") if folder == place else None

    monkeypatch.setattr(repetition, "find_claimed", find)
    monkeypatch.setattr(repetition, "read_account", read)
    return tmp_path


@pytest.mark.parametrize("run", ["abc123", "abc", "runs/deep_on_digits-1234"])
def test_folder_is_called_like_the_run_that_is_repeated(
    check: Any, records: Path, run: str
) -> None:
    plan = make_plan(check, records, run)
    named = name_repetition(plan)
    readable, _, digits = named.folder.name.rpartition("-")
    assert readable == "reproduce_deep_on_digits"
    assert digits == plan.folder.name.rpartition("-")[2]  # what it is stays
    assert named.folder.parent == plan.folder.parent


def test_folder_of_an_earlier_release_is_gone_on_with(
    check: Any, records: Path
) -> None:
    plan = make_plan(check, records, "abc123")
    plan.folder.mkdir(parents=True)
    assert name_repetition(plan) is plan


@pytest.mark.parametrize(
    ("run", "words"), [("def456", ()), ("abc123", ("name=mine",)), ("gone/run", ())]
)
def test_other_folders_keep_their_names(
    check: Any, records: Path, run: str, words: tuple[str, ...]
) -> None:
    plan = make_plan(check, records, run, *words)
    assert name_repetition(plan) is plan


def test_repetition_of_a_repetition_is_called_again_once() -> None:
    assert name_again("deep") == name_again("again: deep") == "again: deep"


@pytest.mark.parametrize(
    ("overrides", "sweep", "experiment"),
    [
        ((), None, "first"),
        (("tracking=server", "tracking.uri=http://h:1"), None, "first"),
        (("tracking.experiment=mine",), None, "mine"),
        ((), "/sweep", "mine"),
    ],
)
def test_experiment_is_that_of_the_run_unless_another_is_typed(
    check: Any,
    tmp_path: Path,
    overrides: tuple[str, ...],
    sweep: str | None,
    experiment: str,
) -> None:
    from omegaconf import OmegaConf

    plan = make_plan(check, tmp_path, "abc", "tracking.experiment=mine")
    resolved: Any = OmegaConf.to_container(plan.config, resolve=True)
    job = Job(
        resolved=resolved,
        output_dir=tmp_path,
        overrides=overrides,
        name="a",
        sweep_dir=None if sweep is None else Path(sweep),
    )
    recorded: Any = SimpleNamespace(config={"tracking": {"experiment": "first"}})
    assert in_its_experiment(job, recorded).run.tracking.experiment == experiment
