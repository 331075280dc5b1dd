"""A run is repeated with the corrections that it was trained with."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from experiments.errors import ExperimentError
from experiments.jobs.made_from.kept_corrections import (
    keep_corrections,
    restore_corrections,
)
from experiments.tracking.recorded import RecordedRun

CONTENT = "sample,proposed,action\n3,,drop\n5,class_0,relabel\n"


@pytest.fixture
def job(tmp_path: Path) -> Any:
    (tmp_path / "job").mkdir()
    given = tmp_path / "c.csv"
    given.write_text(CONTENT)
    dataset = SimpleNamespace(corrections=str(given))
    return SimpleNamespace(
        run=SimpleNamespace(dataset=dataset), output_dir=tmp_path / "job"
    )


def record(folder: Path, corrections: str | None) -> RecordedRun:
    return RecordedRun(
        run_id="r",
        name="r",
        config={"dataset": {"corrections": corrections, "split_seed": 0}, "seed": 3},
        choices={},
        changed={},
        origin={},
        metrics={},
        folder=folder,
    )


def test_file_is_kept_in_the_folder_and_among_the_files_of_the_run(job: Any) -> None:
    logged: list[tuple[Path, str]] = []
    tracker: Any = SimpleNamespace(log_file=lambda *words: logged.append(words))
    keep_corrections(job, tracker)
    kept = job.output_dir / "corrections.csv"
    assert kept.read_text() == CONTENT
    assert logged == [(kept, "data")]


def test_job_without_corrections_keeps_none(job: Any) -> None:
    job.run.dataset.corrections = None
    keep_corrections(job, SimpleNamespace())  # type: ignore[arg-type]
    assert list(job.output_dir.iterdir()) == []


def test_recorded_run_gets_what_its_folder_kept(job: Any, tmp_path: Path) -> None:
    former = tmp_path / "former"
    former.mkdir()
    (former / "corrections.csv").write_text(CONTENT)
    found = restore_corrections(record(former, "/gone/c.csv"), job)
    own = job.output_dir / "corrections.csv"
    assert found.config == {
        "dataset": {"corrections": str(own), "split_seed": 0},
        "seed": 3,
    }
    assert own.read_text() == CONTENT


def test_recorded_run_without_corrections_stays_as_it_is(
    job: Any, tmp_path: Path
) -> None:
    recorded = record(tmp_path, None)
    assert restore_corrections(recorded, job) is recorded


def test_run_that_kept_nothing_is_not_repeated_with_something_else(
    job: Any, tmp_path: Path
) -> None:
    with pytest.raises(ExperimentError, match="kept no corrections"):
        restore_corrections(record(tmp_path, "/gone/c.csv"), job)


def test_run_is_reproduced_after_its_file_was_edited(
    run_command: Any, tmp_path: Path
) -> None:
    (tmp_path / "c.csv").write_text(CONTENT)
    words = ["model=resnet20_cifar", "debug=one_step", "dataset.corrections=c.csv"]
    trained = run_command(*words)
    assert trained.returncode == 0, trained.stderr
    assert "corrections  1 image relabelled, 1 image dropped" in trained.stdout
    (tmp_path / "c.csv").write_text("sample,action\n")
    (folder,) = (tmp_path / "outputs" / "runs").iterdir()
    again = run_command("task=reproduce", f"run_id={folder}")
    assert again.returncode == 0, again.stderr
    assert "Reproduced within" in again.stdout
    assert "Code, packages and data are those of the recorded run." in again.stdout
