"""A finished job that is shown from an output folder that was moved."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from experiments.jobs.job import JobResult
from experiments.jobs.stored import show_stored
from experiments.tracking.store.databases.database import prepare_database


@pytest.mark.parametrize("in_sweep", [False, True])
def test_pages_that_are_named_will_find_the_files(
    compose: Any, tmp_path: Path, in_sweep: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare_database(tmp_path / "before" / "mlflow.db")
    moved = (tmp_path / "before").rename(tmp_path / "after")
    result = JobResult(
        name="a", status="FINISHED", run_url="http://m/1", output_dir=str(moved / "job")
    )
    show_stored(result, compose(f"output_dir={moved}"), in_sweep=in_sweep)
    with closing(sqlite3.connect(moved / "mlflow.db")) as connection:
        query = "SELECT artifact_location FROM experiments"
        ((location,),) = connection.execute(query).fetchall()
    named = str(moved / "mlflow.db") in capsys.readouterr().out
    assert named is not in_sweep
    assert (location == (moved / "artifacts" / "0").as_uri()) is named
