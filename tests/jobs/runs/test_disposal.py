"""What of a job's folder can go, and that nothing else does."""

import time
from pathlib import Path

import pytest

from experiments.errors import ExperimentError
from experiments.jobs.folder import JobHeldError, claim_folder
from experiments.jobs.job import JobResult
from experiments.jobs.runs.disposal import (
    describe_cleaning,
    dispose,
    find_drafts,
    find_empty,
    find_leftovers,
    find_states,
    is_touched_elsewhere,
)
from experiments.records import write_record
from tests.jobs.left import STATE, leave_run

NOW = float("inf")
OTHER = "epoch-0002-step-000000-fedcba9876543210.safetensors"


@pytest.fixture
def job(tmp_path: Path) -> Path:
    leave_run(tmp_path / "runs" / "a")
    return tmp_path / "runs" / "a"


def test_checkpoints_go_and_the_result_and_the_reason_stay(job: Path, tmp_path: Path):
    item = find_states(job)
    assert item is not None
    bytes_of = sum(path.stat().st_size for path in (job / "checkpoints").iterdir())
    assert (item.size, dispose(item, tmp_path)) == (bytes_of, bytes_of)
    assert not (job / "checkpoints").exists()
    assert JobResult.load(job) is not None
    assert "were removed by task=clean on 20" in describe_cleaning(job)


def test_what_somebody_has_put_beside_them_stays(job: Path, tmp_path: Path):
    mine = job / "checkpoints" / "mine.safetensors"
    mine.write_bytes(b"mine")
    item = find_states(job)
    assert item is not None
    dispose(item, tmp_path)
    assert [path.name for path in (job / "checkpoints").iterdir()] == [mine.name]
    assert find_states(job) is None


def test_job_that_somebody_works_on_is_left_alone(job: Path, tmp_path: Path):
    item = find_states(job)
    assert item is not None
    with claim_folder(job):
        assert is_touched_elsewhere(job)
        with pytest.raises(JobHeldError):
            dispose(item, tmp_path)
    assert (job / "checkpoints" / STATE).exists()


def test_job_that_goes_on_by_now_is_left_alone(job: Path, tmp_path: Path):
    item = find_states(job)
    assert item is not None
    (job / "result.json").unlink()
    with pytest.raises(ExperimentError, match="no finished job any more"):
        dispose(item, tmp_path)
    assert (job / "checkpoints" / STATE).exists()


def test_holder_on_another_machine_is_believed(job: Path):
    holder = {"pid": 1, "host": "elsewhere", "since": "today"}
    write_record(job / "job.holder.json", holder)
    assert is_touched_elsewhere(job)


def test_checkpoints_behind_a_link_are_not_looked_at(job: Path, tmp_path: Path):
    outside = tmp_path / "outside"
    (job / "checkpoints").rename(outside)
    (job / "checkpoints").symlink_to(outside)
    assert find_states(job) is None


def test_link_that_comes_between_leads_to_no_removal_outside(job: Path, tmp_path: Path):
    item = find_states(job)
    assert item is not None
    outside = tmp_path / "outside"
    (job / "checkpoints").rename(outside)
    (job / "checkpoints").symlink_to(outside)
    with pytest.raises(OSError, match="checkpoints"):
        dispose(item, tmp_path / "runs")
    assert (outside / STATE).exists()


def test_lock_that_is_a_link_is_not_opened(job: Path, tmp_path: Path):
    (tmp_path / "kept").write_text("kept")
    (job / "job.lock").unlink()
    (job / "job.lock").symlink_to(tmp_path / "kept")
    item = find_states(job)
    assert item is not None
    with pytest.raises(ExperimentError, match="no ordinary file"):
        dispose(item, tmp_path)
    assert (tmp_path / "kept").read_text() == "kept"


def test_leftovers_of_a_killed_process_are_found_when_they_are_old(
    job: Path, tmp_path: Path
):
    places = [
        *(job / "unfinished-result.json", job / ".run.json.0123abcd.tmp"),
        *(job / "tracking" / ".x.89abcdef.tmp", job / "checkpoints" / OTHER),
    ]
    for place in places:
        place.write_bytes(b"left")
    write_record(job / "job.holder.json", {"pid": 1, "host": "x", "since": "today"})
    items = list(find_leftovers(job, before=NOW))
    found = {path for item in items for path in item.paths}
    assert found == {*places, job / "job.holder.json"}
    assert list(find_leftovers(job, before=time.time() - 60)) == []
    for item in items:
        dispose(item, tmp_path)
    assert not any(place.exists() for place in places)
    assert (job / "checkpoints" / STATE).exists()


@pytest.mark.parametrize("manifest", [None, "{", '{"format": 99}'])
def test_states_without_a_manifest_that_counts_them_stay(
    manifest: str | None, job: Path
):
    (job / "checkpoints" / "manifest.json").unlink()
    if manifest is not None:
        (job / "checkpoints" / "manifest.json").write_text(manifest)
    assert list(find_leftovers(job, before=NOW)) == []


def test_draft_of_a_folder_goes_with_what_is_in_it(job: Path, tmp_path: Path):
    draft = job / "tracking" / ".model.0123abcd.tmp"
    (draft / "inner").mkdir(parents=True)
    (draft / "inner" / "x").write_text("x")
    (draft / "link").symlink_to(tmp_path)
    (item,) = find_leftovers(job, before=NOW)
    dispose(item, tmp_path)
    assert not draft.exists()
    assert tmp_path.exists()


def test_folder_in_which_no_run_began_goes(tmp_path: Path):
    empty = tmp_path / "runs" / "x"
    (empty / ".hydra").mkdir(parents=True)
    (empty / ".hydra" / "config.yaml").write_text("a: 1\n")
    (empty / "run.log").touch()
    item = find_empty(empty, before=NOW)
    assert item is not None
    dispose(item, tmp_path)
    assert not empty.exists()


@pytest.mark.parametrize("name", ["notes.txt", "result.json", ".hydra/mine.py"])
def test_folder_with_anything_else_in_it_stays(name: str, tmp_path: Path):
    (tmp_path / "x" / ".hydra").mkdir(parents=True)
    (tmp_path / "x" / name).write_text("mine")
    assert find_empty(tmp_path / "x", before=NOW) is None


def test_drafts_beside_the_runs_are_found(tmp_path: Path):
    (tmp_path / ".mlflow.db.0123abcd.tmp").write_bytes(b"x" * 7)
    (tmp_path / "mlflow.db").touch()
    (item,) = find_drafts(tmp_path, before=NOW)
    assert (item.size, dispose(item, tmp_path)) == (7, 7)
    assert [path.name for path in tmp_path.iterdir()] == ["mlflow.db"]
