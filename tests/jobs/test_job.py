import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from experiments import __version__, job_files
from experiments.config.validation import resolve
from experiments.errors import ConfigError
from experiments.jobs.job import Job, JobResult
from experiments.records import FORMAT
from tests.damage import WAYS


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


def test_stored_result_holds_no_secret(tmp_path: Path) -> None:
    result = dataclasses.replace(
        make_result(tmp_path),
        name="tags.token=Kx7qCanary92",
        overrides=("tags.token=Kx7qCanary92",),
        reason="no answer of http://me:Kx7qCanary92@h/",
        metrics={"best_token": 0.5},
    )
    result.save()
    assert "Canary" not in (tmp_path / job_files.RESULT).read_text()
    stored = JobResult.load(tmp_path)
    assert stored is not None
    assert stored.reason == "no answer of http://***@h/"
    assert stored.metrics == {"best_token": 0.5}


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
    assert job_files.RESULT == "result.json"
    assert text.endswith("}\n")
    assert json.loads(text) == {
        "format": FORMAT,
        "release": __version__,
        "name": "résumé",
        "status": "FINISHED",
        "objective": 0.5,
        "metrics": {"best_epoch": 3, "test_accuracy": 0.30000000000000004},
        "run_id": "abc",
        "run_url": None,
        "state_sha256": None,
        "overrides": ["model=resnet18", "seed=1"],
        "output_dir": ".",  # relative to the file: the folder may be moved
        "reason": None,
        "failure": None,
        "epochs": 0,
        "end": "complete",
        "exit_code": 0,
    }


def test_result_of_a_moved_job_names_the_folder_that_it_is_in(tmp_path: Path) -> None:
    (tmp_path / "before").mkdir()
    make_result(tmp_path / "before").save()
    moved = (tmp_path / "before").rename(tmp_path / "after")
    assert JobResult.load(moved) == make_result(moved)


def test_result_of_an_earlier_release_counts_where_it_is_now(tmp_path: Path) -> None:
    make_result(tmp_path).save()
    path = tmp_path / job_files.RESULT
    content = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({**content, "output_dir": "/where/it/was"}))
    assert JobResult.load(tmp_path) == make_result(tmp_path)


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
    (tmp_path / job_files.RESULT).write_text(text)
    assert JobResult.load(tmp_path) is None
    assert str(tmp_path / job_files.RESULT) in caplog.text


@pytest.fixture
def job(check: Any, tmp_path: Path) -> Job:
    resolved = resolve(check("seed=3").config)
    return Job(resolved=resolved, output_dir=tmp_path, name="a")


def test_what_runs_is_what_is_recorded(job: Job) -> None:
    assert job.run.seed == job.resolved["seed"] == 3


def test_what_runs_cannot_be_replaced_alone(job: Job) -> None:
    with pytest.raises(ValueError, match="run"):
        dataclasses.replace(job, run=job.run)  # type: ignore[arg-type]
    with pytest.raises(dataclasses.FrozenInstanceError):
        job.run = job.run  # type: ignore[misc]


def test_derived_values_run_and_are_recorded(job: Job) -> None:
    values = {"trainer.accumulate_steps": 4, "seed": 5}
    derived = job.with_values(values)
    assert derived.run.trainer.accumulate_steps == 4
    assert derived.resolved["trainer"]["accumulate_steps"] == 4
    assert derived.run.seed == derived.resolved["seed"] == 5
    assert job.resolved["trainer"]["accumulate_steps"] == 1
    assert (derived.name, derived.output_dir) == (job.name, job.output_dir)


def test_derived_values_are_checked(job: Job) -> None:
    with pytest.raises(ConfigError, match="accumulate_steps must divide"):
        job.with_values({"trainer.accumulate_steps": 5})
    with pytest.raises(KeyError, match="acumulate"):
        job.with_values({"trainer.acumulate_steps": 2})


RESULT = {"name": "a", "status": "FINISHED", "overrides": [], "output_dir": "."}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("way", WAYS)
def test_damaged_result_is_named_and_taken_for_none(
    way: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    make_result(tmp_path).save()
    WAYS[way](tmp_path / job_files.RESULT)

    assert JobResult.load(tmp_path) is None

    (record,) = caplog.records
    assert record.getMessage().startswith(f"{tmp_path / job_files.RESULT} is damaged: ")
    assert "the job counts as not finished" in record.getMessage()


@pytest.mark.parametrize(
    "changes",
    [
        {"name": None},
        {"name": ["a"]},
        {"status": "SUCCEEDED"},
        {"objective": "0.5"},
        {"objective": True},
        {"metrics": []},
        {"metrics": {"loss": None}},
        {"metrics": {"loss": {}}},
        {"overrides": "seed=1"},
        {"overrides": [1]},
        {"run_id": 7},
        {"epochs": -1},
        {"epochs": 1.5},
        {"epochs": 10**30},
        {"exit_code": "0"},
        {"end": "somehow"},
        {"unknown": 1},
    ],
    ids=str,
)
def test_result_of_another_form_is_named(
    changes: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / job_files.RESULT).write_text(json.dumps({**RESULT, **changes}))

    assert JobResult.load(tmp_path) is None

    assert f"`{next(iter(changes))}" in caplog.text


def test_result_does_not_say_where_its_folder_is(tmp_path: Path) -> None:
    content = {**RESULT, "output_dir": "/somewhere/else"}
    (tmp_path / job_files.RESULT).write_text(json.dumps(content))

    result = JobResult.load(tmp_path)

    assert result is not None
    assert result.output_dir == str(tmp_path)


def test_text_of_a_result_does_not_move_the_cursor(tmp_path: Path) -> None:
    result = dataclasses.replace(
        make_result(tmp_path),
        name="\x1b[31mred",
        run_url="http://h/\x1b]0;title\x07",
        reason="a\x9bb",
        metrics={"\x1b[2J": 1.0},
    )
    result.save()
    found = JobResult.load(tmp_path)
    assert found is not None
    texts = (found.name, found.run_url, found.reason, *found.metrics)
    assert texts == (
        "\\x1b[31mred",
        "http://h/\\x1b]0;title\\x07",
        "a\\x9bb",
        "\\x1b[2J",
    )


@pytest.mark.parametrize("code", [-1, 3, 77, 256, "0", True])
def test_result_chooses_no_exit_code_of_its_own(tmp_path: Path, code: Any) -> None:
    make_result(tmp_path).save()
    path = tmp_path / job_files.RESULT
    path.write_text(json.dumps({**json.loads(path.read_text()), "exit_code": code}))
    assert JobResult.load(tmp_path) is None
