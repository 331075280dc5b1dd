from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from experiments import job_files
from experiments.config.kinds.destination import Destination
from experiments.config.kinds.objective import Objective
from experiments.jobs.folder import claim_folder
from experiments.jobs.job import JobResult
from experiments.sweeps import closing
from experiments.tracking.tracker import NoTracker

PLACE = Destination(output_dir=Path("outputs"), enabled=False)


class Parent(NoTracker):
    """Notes how it was closed and what it was asked to compare."""

    run_id = "parent"
    run_url = "http://mlflow/parent"

    def __init__(self) -> None:
        self.finished: list[tuple[str, str | None]] = []
        self.compared: list[str] = []
        self.comparison: Any = None

    def finish(self, status: str, reason: str | None = None) -> None:
        self.finished.append((status, reason))

    def compare_url(self, run_ids: Any, comparison: Any) -> str:
        self.compared, self.comparison = list(run_ids), comparison
        return "http://mlflow/compare"


def make_plan(folder: Path, jobs: int) -> Any:
    return SimpleNamespace(
        search=None,
        swept_keys=("seed",),
        folder=folder,
        jobs=tuple((f"seed={number}", "model=a") for number in range(jobs)),
        job_folders=tuple(str(number) for number in range(jobs)),
        overrides=("seed=range(0,9)", "model=a"),
        run=SimpleNamespace(
            trainer=SimpleNamespace(objective=Objective("val_accuracy", "max")),
            tracking=SimpleNamespace(drain_seconds=7, uri=None),
            destination=lambda: PLACE,
            name=None,
            output_dir="outputs",
            allowed_targets=["experiments", "keras"],
            tags={"note": 1},
        ),
    )


def save(folder: Path, number: int, **changes: Any) -> None:
    path = folder / str(number)
    path.mkdir()
    values = {"name": f"seed={number}", "status": "FINISHED", "run_id": f"id{number}"}
    JobResult(output_dir=str(path), **{**values, **changes}).save()


def test_results_come_in_the_order_of_the_jobs(tmp_path: Path) -> None:
    for number in (10, 2, 0, 1, *range(3, 10)):
        save(tmp_path, number)
    results = closing.gather_results(make_plan(tmp_path, 11))
    assert [result.name for result in results] == [f"seed={n}" for n in range(11)]


@pytest.mark.parametrize(
    ("started", "reason"),
    [(True, "ended without a result"), (False, "was not started")],
)
def test_job_without_a_result_counts_as_failed(
    tmp_path: Path, started: bool, reason: str
) -> None:
    save(tmp_path, 0)
    (tmp_path / "1").mkdir()
    if started:
        (tmp_path / "1" / job_files.LOCK).touch()
    first, lost = closing.gather_results(make_plan(tmp_path, 2))
    assert first.status == "FINISHED"
    assert lost == JobResult(
        name="seed=1",
        status="FAILED",
        overrides=("seed=1", "model=a"),
        output_dir=str(tmp_path / "1"),
        reason=reason,
    )


@pytest.mark.parametrize(("started", "status"), [(True, "FAILED"), (False, "KILLED")])
def test_job_that_a_stopped_sweep_did_not_come_to_has_not_failed(
    tmp_path: Path, started: bool, status: str
) -> None:
    (tmp_path / "0").mkdir()
    if started:
        (tmp_path / "0" / job_files.LOCK).touch()
    (lost,) = closing.gather_results(make_plan(tmp_path, 1), is_stopped=True)
    assert lost.status == status


def test_jobs_that_a_sweeper_decides_later_are_found_by_their_folders(
    tmp_path: Path,
) -> None:
    for number in (0, 3):
        save(tmp_path, number)
        with claim_folder(tmp_path / str(number)):
            pass
    (tmp_path / "3" / job_files.RESULT).unlink()
    results = closing.gather_results(make_plan(tmp_path, 0))
    assert [(r.name, r.status) for r in results] == [
        ("seed=0", "FINISHED"),
        ("3", "FAILED"),
    ]


def test_other_folders_and_files_are_no_jobs(tmp_path: Path) -> None:
    save(tmp_path, 0)
    (tmp_path / ".submitit").mkdir()
    (tmp_path / "7").write_text("a file")
    assert len(closing.gather_results(make_plan(tmp_path, 1))) == 1


@pytest.mark.parametrize(
    ("status", "code", "end"),
    [
        ("FINISHED", 0, ("FINISHED", None)),
        ("FAILED", 1, ("FAILED", "1 of 2 jobs did not finish: seed=1")),
        ("KILLED", 1, ("FAILED", "1 of 2 jobs did not finish: seed=1")),
    ],
)
def test_exit_code_says_whether_every_job_finished(
    tmp_path: Path, status: str, code: int, end: tuple[str, str | None]
) -> None:
    save(tmp_path, 0, objective=0.5)
    save(tmp_path, 1, status=status)
    parent = Parent()
    assert closing.close_sweep(parent, make_plan(tmp_path, 2)) == code
    assert parent.finished == [end]


def test_stopped_sweep_is_closed_with_its_reason(tmp_path: Path) -> None:
    parent = Parent()
    plan = make_plan(tmp_path, 1)
    assert closing.close_sweep(parent, plan, stopped_by="stopped by Ctrl-C") == 1
    assert parent.finished == [("KILLED", "stopped by Ctrl-C")]


def test_table_and_links_are_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(tmp_path, 0, objective=0.25)
    save(tmp_path, 1, objective=0.75)
    closing.close_sweep(Parent(), make_plan(tmp_path, 2))
    shown = capsys.readouterr().out
    # One row for both seeds: their mean and what it is known to.
    assert "| 1 | 2 | 0.5000 | 0.0000 to 1.0000 | FINISHED |" in shown
    assert f"folder      {tmp_path}\n" in shown
    assert "MLflow run  http://mlflow/parent\n" in shown
    assert "charts      http://mlflow/compare\n" in shown


def test_link_compares_at_most_a_hundred_recorded_runs(tmp_path: Path) -> None:
    save(tmp_path, 0, run_id=None)
    for number in range(1, 103):
        save(tmp_path, number)
    parent = Parent()
    closing.close_sweep(parent, make_plan(tmp_path, 103))
    assert parent.compared == [f"id{number}" for number in range(1, 101)]


@pytest.mark.parametrize(
    ("name", "overrides", "run_name"),
    [
        ("mine", ("seed=1,2",), "mine"),
        (None, ("model=a", "seed=1,2"), "seed=1,2"),
        (None, ("model=a", "gpu=cpu"), "model=a gpu=cpu"),
        (None, (), "sweep"),
    ],
)
def test_parent_run_is_named_after_what_is_varied(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str | None,
    overrides: tuple[str, ...],
    run_name: str,
) -> None:
    monkeypatch.setattr(closing.parent_run, "open_sweep", lambda **given: given)
    plan = make_plan(tmp_path, 0)
    plan.run.name, plan.overrides = name, overrides
    plan.jobs, plan.swept_keys = (("seed=1", "a=b"), ("seed=2", "a=b")), ("seed",)
    assert closing.open_sweep(plan) == {
        "destination": PLACE,
        "drain_seconds": 7,
        "folder": tmp_path,
        "run_name": run_name,
        "overrides": overrides,
        "tags": {"note": 1},
        "swept": {"seed": "1, 2"},
    }


def test_job_that_another_process_runs_is_told_so(tmp_path: Path) -> None:
    save(tmp_path, 0, status="KILLED")
    with claim_folder(tmp_path / "0"):
        (result,) = closing.gather_results(make_plan(tmp_path, 1))
    assert (result.status, result.reason) == (
        "FAILED",
        "is being run by another process",
    )
