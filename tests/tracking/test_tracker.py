import subprocess
import sys

import numpy as np
import pytest

from experiments.errors import TrackingError
from experiments.tracking.store import client
from experiments.tracking.store.mlflow_import import import_mlflow
from experiments.tracking.tracker import NoTracker
from tests.tracking.conftest import COMPARISON

WITHOUT_TRACKING = """
import sys
from pathlib import Path
from experiments.config.kinds.destination import Destination
from experiments.sweeps.parent_run import open_sweep
from experiments.tracking.tracker import open_tracker
off = Destination(output_dir=Path(sys.argv[1]), enabled=False)
arguments = dict(destination=off, drain_seconds=1, run_name="r",
    folder=Path(sys.argv[1], "job"))
tracker = open_tracker(**arguments)
tracker.log_metrics({"loss": 1.0}, step=0)
tracker.finish("FINISHED")
print(tracker.run_id, tracker.run_url, open_sweep(overrides=[], **arguments).run_id)
print({"mlflow", "keras", "tensorflow"} & set(sys.modules))
"""


def test_off_records_nothing_and_imports_no_mlflow(tmp_path):
    command = [sys.executable, "-W", "error", "-c", WITHOUT_TRACKING, str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert (result.stdout, result.stderr) == ("None None None\nset()\n", "")
    assert list(tmp_path.iterdir()) == []


def test_off_accepts_every_call(open_run, tmp_path):
    tracker = open_run(enabled=False)
    assert isinstance(tracker, NoTracker)
    tracker.log_params({"a": 1})
    tracker.set_tags({"a": 1})
    tracker.log_text("", "a.txt")
    tracker.log_dict({}, "a.yaml")
    tracker.log_file(tmp_path / "absent")
    tracker.log_figure(None, "a.png")
    tracker.log_model(None, example=np.zeros(1))
    tracker.describe("text")
    tracker.log_datasets([])
    tracker.log_metrics({"loss": 1.0}, step=1, of_model=True)
    tracker.start()
    assert tracker.compare_url(["a"], COMPARISON) is None
    assert (tracker.unsent, tracker.problem, tracker.resumed) == (0, None, 0)


def test_folder_that_cannot_hold_a_database_is_an_error_at_once(open_run, tmp_path):
    with pytest.raises(TrackingError, match="output_dir must not contain"):
        open_run(output_dir=tmp_path / "a?b")
    assert list(tmp_path.iterdir()) == []


OPENING = """
import sys, time
from pathlib import Path
from experiments.config.kinds.destination import Destination
from experiments.tracking.tracker import open_tracker
open_tracker(destination=Destination(output_dir=Path(sys.argv[1]), experiment="e"),
    drain_seconds=1, run_name="r",
    folder=Path(sys.argv[1], "job")).log_params({"a": 1})
print({"mlflow", "keras", "tensorflow"} & set(sys.modules))
"""


def test_opening_a_run_imports_no_mlflow(tmp_path):
    command = [sys.executable, "-W", "error", "-c", OPENING, str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert (result.stdout, result.stderr) == ("set()\n", "")


def test_locked_database_is_tried_again(monkeypatch):
    import_mlflow()
    from mlflow.exceptions import MlflowException

    monkeypatch.setattr(client, "_BUSY_DELAYS", (0.0, 0.0))
    answers = [MlflowException("database is locked"), OSError("database is locked"), 7]

    def answer():
        value = answers.pop(0)
        if isinstance(value, Exception):
            raise value
        return value

    assert client.attempt(answer, "ask") == 7


def test_database_that_stays_locked_is_an_error(monkeypatch):
    import_mlflow()
    from mlflow.exceptions import MlflowException

    monkeypatch.setattr(client, "_BUSY_DELAYS", (0.0,))

    def refuse():
        raise MlflowException("database is locked\nwith more lines")

    with pytest.raises(TrackingError, match=r"Cannot ask: database is locked$"):
        client.attempt(refuse, "ask")
