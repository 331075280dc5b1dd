"""A run of an earlier release is scored by this one, and stays as it ended."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from experiments.config.kinds.metric_names import name_as_today
from tests.records.archive import find_job, outputs, read_result

__all__ = ["outputs"]


def read_run(outputs: Path, run_id: str) -> Any:
    """Returns how a run stands in MLflow's database, and its tags."""
    with closing(sqlite3.connect(outputs / "mlflow.db")) as database:
        query = "SELECT status, start_time, end_time FROM runs WHERE run_uuid = ?"
        row = database.execute(query, [run_id]).fetchone()
        query = "SELECT key, value FROM tags WHERE run_uuid = ? ORDER BY key"
        return row, database.execute(query, [run_id]).fetchall()


def test_scores_are_those_of_its_training(outputs: Path, run_command: Any) -> None:
    folder = find_job(outputs, "finished")
    result = read_result(folder)
    before = read_run(outputs, result["run_id"])
    done = run_command("task=evaluate", f"run_id={folder}", "gpu=cpu")
    assert done.returncode == 0, done.stderr
    found = json.loads((folder / "evaluation/digits-test/metrics.json").read_text())
    recorded = name_as_today(result["metrics"])
    accuracy = found["metrics"]["accuracy"]
    assert accuracy == pytest.approx(recorded["test_accuracy"], rel=1e-6)
    assert found["metrics"]["log_loss"] == pytest.approx(
        recorded["test_loss"], rel=1e-4
    )
    status, tags = read_run(outputs, result["run_id"])
    assert (status, tags) == before
    assert status[0] == "FINISHED"
    assert "resumed.count" not in dict(tags)
    with closing(sqlite3.connect(outputs / "mlflow.db")) as database:
        query = "SELECT value FROM metrics WHERE run_uuid = ? AND key = ?"
        key = "evaluation/digits-test/accuracy"
        rows = database.execute(query, [result["run_id"], key]).fetchall()
    assert rows == [(pytest.approx(accuracy),)]
