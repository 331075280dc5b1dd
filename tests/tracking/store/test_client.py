import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from experiments.errors import TrackingError
from experiments.tracking.store.client import connect
from experiments.tracking.store.runs.histories import SiblingHistories
from tests.tracking.conftest import destination


def test_reading_a_file_of_a_run_shows_no_bar(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    connection = connect(destination(tmp_path))
    client = connection.client
    # Of an experiment that MLflow makes by itself the files go into the current folder.
    run = client.create_run(connection.experiment_id)
    client.log_text(run.info.run_id, "some text", "some.txt")

    file = client.download_artifacts(run.info.run_id, "some.txt", str(tmp_path))

    assert Path(file).read_text() == "some text"
    assert capfd.readouterr().err == ""


def _look(name: str) -> Callable[..., Any]:
    """Returns what looks for a run, by the name of its module and its own."""
    module, _, function = name.rpartition(".")
    found: Callable[..., Any] = getattr(
        import_module(f"experiments.tracking.{module}"), function
    )
    return found


@pytest.mark.parametrize(
    "name",
    [
        "recorded.read_run",
        "recorded.read_overrides",
        "recorded.read_tags",
        "recorded.read_folder",
        "account.read_stored_account",
        "logged_model.fetch_model",
    ],
)
def test_reader_of_a_run_makes_no_store(name: str, tmp_path: Path) -> None:
    store = destination(tmp_path / "outputs")
    where = [tmp_path] if name.endswith("fetch_model") else []
    with pytest.raises(TrackingError, match="There is no database"):
        _look(name)("a" * 32, *where, store)
    assert list(tmp_path.iterdir()) == []


def test_reader_of_siblings_makes_no_store(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for folder in ("sweep", "sweep/job"):
        records = tmp_path / folder / "tracking"
        records.mkdir(parents=True)
        runs = {"runs": {"embedded": "a" * 32}}
        (records / "run.json").write_text(json.dumps(runs))
    read = SiblingHistories(
        tmp_path / "sweep" / "job",
        tmp_path / "sweep",
        destination=destination(tmp_path),
        metric="loss",
    )
    assert read() == {}
    assert "There is no database" in caplog.text
    assert [path.name for path in tmp_path.iterdir()] == ["sweep"]
