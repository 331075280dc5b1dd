"""What `task=diff` tells of two or more runs."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from experiments.config.kinds.destination import Destination
from experiments.config.kinds.objective import Objective
from experiments.errors import ConfigError
from experiments.records import write_header, write_record
from experiments.tasks.diff import diff
from tests.jobs.left import leave_run

CONFIG = {
    "optimizer": {"_target_": "keras.optimizers.Adam", "lr": 0.001},
    "model": {"blocks": None},
    "trainer": {"epochs": 3},
    "tags": {},
    "name": "a",
    "output_dir": "outputs",
}
ORIGIN = {
    "code": {"experiments/a.py": "0123", "experiments/b.py": "4567"},
    "packages": {"keras": "3.15.1"},
    "data": {"content": "c", "split": "s"},
}


def leave(
    folder: Path, score: float, config: Any = CONFIG, origin: Any = ORIGIN
) -> str:
    run_id = leave_run(folder, name=folder.name, score=score)
    place = folder / "tracking" / "artifacts" / "config" / "config.yaml"
    place.parent.mkdir(parents=True)
    place.write_text(write_header() + yaml.safe_dump(config))
    write_record(folder / "origin.json", origin)
    return run_id


@pytest.fixture
def compare(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[str, float]]:
    """Returns what is printed of some runs, and how many differences there are."""

    def compare(*names: str, **options: Any) -> tuple[str, float]:
        given = {"tolerance": 1e-6, "format": "table", **options}
        task = SimpleNamespace(arguments=lambda: given)
        place = Destination(output_dir=tmp_path, experiment="default", enabled=False)
        trainer = SimpleNamespace(objective=Objective("val_accuracy", "max"))
        run = SimpleNamespace(
            task=task, destination=lambda: place, run_id=list(names), trainer=trainer
        )
        job = SimpleNamespace(run=run, name="diff", overrides=(), output_dir="x")
        result = diff(job)  # type: ignore[arg-type]
        return capsys.readouterr().out, result.metrics["differences"]

    return compare


@pytest.fixture
def runs(tmp_path: Path) -> tuple[str, str]:
    """Two runs that differ in a rate, the number of blocks, code and a package."""
    changed = {
        **CONFIG,
        "name": "b",
        "output_dir": "elsewhere",
        "optimizer": {"_target_": "keras.optimizers.Adam", "lr": 0.01},
        "model": {"blocks": [1, 2]},
    }
    other = {
        **ORIGIN,
        "code": {"experiments/a.py": "9999", "experiments/b.py": "4567"},
        "packages": {"keras": "3.16.0"},
    }
    return (
        leave(tmp_path / "runs" / "first", 0.5),
        leave(tmp_path / "runs" / "second", 0.75, changed, other),
    )


def test_only_what_differs_is_shown(compare: Any, runs: tuple[str, str]) -> None:
    shown, count = compare("first", "second")
    rows = [line.split() for line in shown.splitlines()]
    assert rows[0][:2] == ["A:", "first"]
    assert f"({runs[1]}," in shown.splitlines()[1]
    assert ["optimizer.lr", "0.001", "0.01"] in rows
    assert ["model.blocks", "null", "[1,", "2]"] in rows
    assert ["best_val_accuracy", "0.5", "0.75", "+0.25"] in rows
    assert count == 3
    assert "epochs" not in shown
    assert "elsewhere" not in shown


def test_code_packages_and_data_are_compared(compare: Any, runs: Any) -> None:
    shown, _ = compare("first", "second")
    assert ("From A to B changed: experiments/a.py; keras 3.15.1 -> 3.16.0.\n") in shown


def test_same_runs_are_told_as_such(compare: Any, runs: Any, tmp_path: Path) -> None:
    leave(tmp_path / "runs" / "third", 0.5)
    shown, count = compare("first", "third")
    assert "No setting differs." in shown
    assert "No metric differs." in shown
    assert "A and B have the same code, packages and data." in shown
    assert count == 0


def test_what_is_not_recorded_is_not_called_the_same(
    compare: Any, runs: Any, tmp_path: Path
) -> None:
    leave(tmp_path / "runs" / "third", 0.5, origin={"code": {}})
    shown, _ = compare("first", "third")
    assert "What packages and data A or B had is not recorded." in shown


def test_each_of_several_runs_has_a_column(compare: Any, runs: Any, tmp_path: Path):
    leave(tmp_path / "runs" / "third", 0.9, {**CONFIG, "trainer": {"epochs": 5}})
    shown, _ = compare("first", "last", "best", "second")
    rows = [line.split() for line in shown.splitlines()]
    assert ["trainer.epochs", "3", "5", "5", "3"] in rows
    assert ["best_val_accuracy", "0.5", "0.9", "0.9", "0.75"] in rows


def test_metrics_within_the_tolerance_are_equal(compare: Any, runs: Any) -> None:
    shown, _ = compare("first", "second", tolerance=1.0)
    assert "No metric differs." in shown


def test_lines_fit_a_narrow_screen_and_cut_nothing_off(
    compare: Any, tmp_path: Path
) -> None:
    for name in ("first", "second"):
        value = f"{name}-" * 40
        leave(tmp_path / "runs" / name, 0.5, {**CONFIG, "tags": {"note": value}})
    shown, _ = compare("first", "second")
    table = shown[shown.index("setting") :]
    assert max(map(len, table.splitlines())) <= 80
    assert "".join(table.split()).count("first-") > 0
    assert sum(line.count("t-") + line.count("d-") for line in table.splitlines()) > 60


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_programs_read_all_of_it(kind: str, compare: Any, runs: Any) -> None:
    shown, _ = compare("first", "second", format=kind)
    if kind == "csv":
        rows = list(csv.reader(io.StringIO(shown)))
        assert rows[0] == ["kind", "name", *runs]
        assert ["setting", "optimizer.lr", "0.001", "0.01"] in rows
        assert rows[-1][0] == "origin"
    else:
        found = {row["name"]: row["values"] for row in json.loads(shown)}
        assert found["optimizer.lr"] == dict(zip(runs, ("0.001", "0.01"), strict=True))


def test_one_run_is_not_compared(compare: Any) -> None:
    job = SimpleNamespace(run=SimpleNamespace(run_id="last"))
    with pytest.raises(ConfigError, match="must list two runs or more"):
        diff(job)  # type: ignore[arg-type]


def test_list_of_runs_is_for_this_task_alone(check: Any) -> None:
    assert check("task=diff", "run_id=[12e45678,last]").run.run_id == [
        "12e45678",
        "last",
    ]
    with pytest.raises(ConfigError, match="must be one run for this task"):
        check("task=reproduce", "run_id=[a,b]")
