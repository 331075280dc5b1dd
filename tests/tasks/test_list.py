"""What `task=list` shows of the runs of a folder."""

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from experiments.config.kinds.destination import Destination
from experiments.tasks import list as module
from tests.conftest import ROOT
from tests.jobs.left import leave_parent, leave_run

OPTIONS: dict[str, Any] = {
    **dict.fromkeys(("kind", "state", "model", "dataset", "experiment", "text")),
    "sort": "age",
    "limit": None,
    "format": "table",
}


@pytest.fixture
def show(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Returns what is printed with some options changed."""

    def show(**changed: Any) -> str:
        task = SimpleNamespace(arguments=lambda: {**OPTIONS, **changed})
        place = Destination(output_dir=tmp_path, experiment="default")
        run = SimpleNamespace(task=task, destination=lambda: place)
        job = SimpleNamespace(run=run, name="list", overrides=(), output_dir="x")
        assert module.list(job).status == "FINISHED"  # type: ignore[arg-type]
        return capsys.readouterr().out

    return show


@pytest.fixture
def runs(tmp_path: Path) -> None:
    leave_run(tmp_path / "runs/a", name="first", score=0.5, model="m1", dataset="d1")
    leave_run(tmp_path / "runs/b", name="second", score=0.9, model="m2", dataset="d1")
    leave_run(tmp_path / "runs/c", name="third", status="FAILED", score=None)
    leave_run(tmp_path / "runs/d", name="other", score=0.7, experiment="other")
    leave_parent(tmp_path / "sweeps" / "s", "search")
    leave_parent(tmp_path / "sweeps" / "s" / "trials" / "trial-0000", "trial")


def names(shown: str) -> list[str]:
    rows = csv.DictReader(io.StringIO(shown))
    return [row["name"] for row in rows]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, ["the search", "other", "third", "second", "first"]),
        ({"sort": "score", "kind": "run"}, ["second", "other", "first", "third"]),
        ({"sort": "name", "limit": 2}, ["first", "other"]),
        ({"model": "m1"}, ["first"]),
        ({"dataset": "d1"}, ["second", "first"]),
        ({"state": "failed"}, ["third"]),
        ({"experiment": "other"}, ["other"]),
        ({"text": "SECO"}, ["second"]),
        ({"kind": "search"}, ["the search"]),
        ({"text": "nothing"}, []),
    ],
)
def test_runs_are_chosen_and_sorted(
    options: dict[str, Any], expected: list[str], show: Any, runs: None
) -> None:
    assert names(show(format="csv", **options)) == expected


def test_small_loss_is_the_better_one(show: Any, tmp_path: Path) -> None:
    from experiments.jobs.job import JobResult

    for name, loss in {"a": 0.5, "b": 0.1}.items():
        leave_run(tmp_path / "runs" / name, name=name)
        JobResult(
            name=name,
            status="FINISHED",
            objective=loss,
            metrics={"best_val_loss": loss},
            output_dir=str(tmp_path / "runs" / name),
        ).save()
    assert names(show(format="csv", sort="score")) == ["b", "a"]


def test_json_has_every_column(show: Any, runs: None) -> None:
    rows = json.loads(show(format="json", text="second"))
    (row,) = rows
    assert row["best"] == 0.9
    assert (row["model"], row["state"], row["monitor"]) == (
        "m2",
        "finished",
        "val_accuracy",
    )
    assert row["folder"].endswith("runs/b")


def test_table_fits_a_terminal_and_is_whole_in_a_pipe(
    show: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "optimizer.lr=0.0001 optimizer=adam model.width=64 trainer.batch_size=16"
    leave_run(tmp_path / "runs" / "a", name=name)
    assert name in show()
    monkeypatch.setattr(module, "_find_width", lambda: 80)
    shown = show().splitlines()
    table = shown[: shown.index("")]
    assert [len(line) <= 80 for line in table] == [True, True]
    assert table[1].endswith("…")


def test_end_says_how_much_there_is_and_what_only_mlflow_has(
    show: Any, runs: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "list_run_ids", lambda path: {"f" * 32})
    shown = show(kind="run", limit=1)
    assert "best: val_accuracy of the best epoch" in shown
    assert "1 run of 5 in" in shown
    assert "1 run in MLflow has no folder here." in shown


def test_folder_without_runs_is_told(show: Any, tmp_path: Path) -> None:
    assert f"There is no run in {tmp_path}. output_dir says" in show()


def test_command_imports_no_framework_and_no_tracker(tmp_path: Path) -> None:
    leave_run(tmp_path / "outputs" / "runs" / "a")
    command = [sys.executable, "-X", "importtime", str(ROOT / "run.py"), "task=list"]
    result = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert "a run" in result.stdout
    imported = {line.rpartition("|")[2].strip() for line in result.stderr.splitlines()}
    assert not {"tensorflow", "keras", "jax", "mlflow", "numpy"} & imported
