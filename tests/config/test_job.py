import json
from pathlib import Path

import pytest

from experiments.config.job import RESULT_FILE, JobResult


def make_result(folder: Path) -> JobResult:
    return JobResult(
        name="résumé",
        status="FINISHED",
        objective=0.5,
        metrics={"best_epoch": 3, "test_accuracy": 0.1 + 0.2},
        run_id="abc",
        overrides=("model=resnet18", "seed=1"),
        output_dir=str(folder),
    )


def test_result_is_read_as_it_was_saved(tmp_path: Path) -> None:
    result = make_result(tmp_path)
    result.save()
    assert JobResult.load(tmp_path) == result


def test_failure_is_read_as_it_was_saved(tmp_path: Path) -> None:
    result = JobResult(
        name="a",
        status="FAILED",
        output_dir=str(tmp_path),
        overrides=(),
        reason="No such file.",
        exit_code=2,
    )
    result.save()
    assert JobResult.load(tmp_path) == result


def test_result_file_is_json_that_other_programs_read(tmp_path: Path) -> None:
    make_result(tmp_path).save()
    text = (tmp_path / "result.json").read_text("utf-8")
    assert RESULT_FILE == "result.json"
    assert text.endswith("}\n")
    assert json.loads(text) == {
        "name": "résumé",
        "status": "FINISHED",
        "objective": 0.5,
        "metrics": {"best_epoch": 3, "test_accuracy": 0.30000000000000004},
        "run_id": "abc",
        "run_url": None,
        "state_sha256": None,
        "overrides": ["model=resnet18", "seed=1"],
        "output_dir": str(tmp_path),
        "reason": None,
        "failure": None,
        "epochs": 0,
        "end": "complete",
        "exit_code": 0,
    }


@pytest.mark.parametrize("folder", [".", "absent"])
def test_job_that_left_no_result_has_none(tmp_path: Path, folder: str) -> None:
    assert JobResult.load(tmp_path / folder) is None


def test_later_result_replaces_the_earlier_one(tmp_path: Path) -> None:
    make_result(tmp_path).save()
    JobResult(name="b", status="KILLED", output_dir=str(tmp_path)).save()
    result = JobResult.load(tmp_path)
    assert result is not None
    assert (result.name, result.status, result.objective) == ("b", "KILLED", None)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"name": "a"}', '{"odd": 1}'])
def test_damaged_result_is_named_and_not_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    (tmp_path / RESULT_FILE).write_text(text)
    assert JobResult.load(tmp_path) is None
    assert str(tmp_path / RESULT_FILE) in caplog.text
