"""Whether MLflow holds a model, as its folder tells."""

import json
from pathlib import Path

import pytest

from experiments.tracking.spool.held_model import has_sent_model
from tests.jobs.left import leave_run


@pytest.mark.parametrize(
    ("model", "sent"), [("sent", True), ("unsent", False), (None, False)]
)
def test_model_is_held_once_it_was_sent(model: str | None, sent: bool, tmp_path: Path):
    leave_run(tmp_path / "a", stored=model)
    assert has_sent_model(tmp_path / "a") is sent


def test_model_that_was_perhaps_refused_is_not_held(tmp_path: Path):
    leave_run(tmp_path / "a", stored="sent")
    (tmp_path / "a" / "tracking" / "refused.jsonl").write_text("{}\n")
    assert not has_sent_model(tmp_path / "a")


def test_model_that_somebody_has_removed_since_is_not_held(tmp_path: Path):
    leave_run(tmp_path / "a", stored="sent")
    places = tmp_path / "a" / "tracking" / "models.json"
    places.write_text(json.dumps({"1": "../../artifacts/m"}))
    assert not has_sent_model(tmp_path / "a")
    (tmp_path / "artifacts" / "m").mkdir(parents=True)
    (tmp_path / "artifacts" / "m" / "MLmodel").touch()
    assert has_sent_model(tmp_path / "a")


def test_job_without_records_has_none(tmp_path: Path):
    leave_run(tmp_path / "a", tracked=False)
    assert not has_sent_model(tmp_path / "a")
