import errno
import logging
import math
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import OmegaConf

from experiments.errors import ConfigError, DataError, Preempted, Problem
from experiments.jobs import job as job_module
from experiments.jobs import running
from experiments.jobs.folder import claim_folder
from experiments.jobs.job import Job, JobResult

WRONG = ConfigError([Problem("seed", "is missing.")])


def raising(error: BaseException) -> Callable[..., Any]:
    def run(*_: Any, **__: Any) -> None:
        raise error

    return run


@pytest.fixture
def hydra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What Hydra knows of the job that it runs."""
    choices = {"model": "resnet18", "dataset": "digits", "debug": None, "task": "train"}
    hydra = SimpleNamespace(
        runtime=SimpleNamespace(
            choices={**choices, "hydra/launcher": "basic"},
            output_dir=str(tmp_path),
            cwd=str(Path.cwd()),
        ),
        overrides=SimpleNamespace(task=["model=resnet18", "+tags.a=b", "seed=1"]),
        mode=RunMode.RUN,
        job=SimpleNamespace(env_set={}),
    )
    monkeypatch.setattr(HydraConfig, "get", staticmethod(lambda: hydra))
    run = SimpleNamespace(
        name=None,
        task=SimpleNamespace(_target_="task"),
        dataset=SimpleNamespace(known_name=None, known_fold=None),
        model=SimpleNamespace(),
        sweep=SimpleNamespace(retry_failed=True),
        tracking=SimpleNamespace(uri=None),
        output_dir="nothing/here",
        allowed_targets=[],
    )
    for module in (running, job_module):
        monkeypatch.setattr(module, "validate", lambda _: run)
    hydra.run = run
    return hydra


def describe() -> Job:
    return running.describe_job(OmegaConf.create({"seed": 1, "copy": "${seed}"}))


@pytest.mark.parametrize(
    ("swept", "given", "name"),
    [
        ("", None, "resnet18 on digits"),
        ("", "mine", "mine"),
        ("seed", None, "seed=1"),
        ("seed", "mine", "seed=1"),
        ("seed model", None, "model=resnet18 seed=1"),
        ("tags.a", None, "+tags.a=b"),
        ("optimizer.lr", None, "resnet18 on digits"),
    ],
)
def test_job_is_named_after_what_is_swept_then_its_name_then_its_choices(
    hydra: Any, swept: str, given: str | None, name: str
) -> None:
    hydra.job.env_set[running.SWEPT_VARIABLE] = swept
    hydra.run.name = given
    job = describe()
    assert job.name == name
    assert " ".join(job.differing) == (name if "=" in name else "")


def test_job_on_a_folder_of_images_is_named_after_the_folder(hydra: Any) -> None:
    hydra.runtime.choices["dataset"] = "folder"
    hydra.run.dataset.known_name = "flowers"
    assert describe().name == "resnet18 on flowers"


def test_job_knows_its_config_folder_choices_and_overrides(
    hydra: Any, tmp_path: Path
) -> None:
    job = describe()
    assert job.run is hydra.run
    assert job.resolved == {"seed": 1, "copy": 1}
    assert job.output_dir == tmp_path
    assert job.choices == {"model": "resnet18", "dataset": "digits", "task": "train"}
    assert job.overrides == ("model=resnet18", "+tags.a=b", "seed=1")


@pytest.mark.parametrize(
    ("path", "kept"), [("images", "/home/images"), ("/images", "/images"), (None, None)]
)
def test_paths_mean_what_they_meant_where_the_command_was_typed(
    hydra: Any, path: str | None, kept: str | None
) -> None:
    hydra.runtime.cwd = "/home"
    config = {"output_dir": "outputs", "dataset": {"path": path}}
    job = running.describe_job(OmegaConf.create(config))
    assert job.resolved == {
        "output_dir": "/home/outputs",
        "dataset": {"path": kept},
    }


@pytest.mark.parametrize("folder", [None, "/sweeps/1"])
def test_job_of_a_sweep_knows_its_sweep(hydra: Any, folder: str | None) -> None:
    if folder is not None:
        hydra.job.env_set[running.SWEEP_VARIABLE] = folder
    assert describe().sweep_dir == (None if folder is None else Path(folder))


@pytest.fixture
def run_task(hydra: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a job of the given task; returns its objective and what it left."""

    def run_task(task: Callable[[Job], JobResult]) -> tuple[float, JobResult | None]:
        monkeypatch.setattr(running, "resolve_target", lambda *_, **__: task)
        objective = running.run_job(OmegaConf.create({"seed": 1}))
        return objective, JobResult.load(tmp_path)

    return run_task


@pytest.mark.parametrize("objective", [0.5, 0.0, None])
def test_job_returns_its_objective_and_leaves_its_result(
    run_task: Any, objective: float | None
) -> None:
    def task(job: Job) -> JobResult:
        folder = str(job.output_dir)
        return JobResult(
            name="a", status="FINISHED", objective=objective, output_dir=folder
        )

    returned, result = run_task(task)
    assert math.isnan(returned) if objective is None else returned == objective
    assert (result.status, result.objective) == ("FINISHED", objective)


@pytest.mark.parametrize("error", [None, ValueError("odd"), KeyboardInterrupt()])
def test_log_loses_its_lines_within_a_job_and_not_behind_it(
    run_task: Any, monkeypatch: pytest.MonkeyPatch, error: BaseException | None
) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", True)
    within: list[bool] = []

    def task(job: Job) -> JobResult:
        within.append(logging.raiseExceptions)
        if error is not None:
            raise error
        return JobResult(name="a", status="FINISHED", output_dir=str(job.output_dir))

    with suppress(KeyboardInterrupt):
        run_task(task)
    assert (within, logging.raiseExceptions) == ([False], True)


@pytest.mark.parametrize(
    ("error", "reason", "code"),
    [
        (DataError("No file."), "No file.", 1),
        (WRONG, "The configuration has 1 problem: - seed is missing.", 2),
        (ValueError("odd"), "ValueError: odd", 1),
        (SystemExit(0), "Code of the job called sys.exit(0)", 1),
        (SystemExit("no"), "Code of the job called sys.exit('no')", 1),
        (GeneratorExit(), "GeneratorExit", 1),
    ],
)
def test_failed_job_returns_nan_and_leaves_its_reason(
    run_task: Any, error: BaseException, reason: str, code: int
) -> None:
    objective, result = run_task(raising(error))
    assert math.isnan(objective)
    assert (result.name, result.status) == ("resnet18 on digits", "FAILED")
    assert (result.reason, result.exit_code) == (reason, code)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (KeyboardInterrupt(), "stopped by Ctrl-C"),
        (Preempted("SIGTERM"), "stopped by SIGTERM"),
    ],
)
def test_stopped_job_leaves_its_reason_and_stops_the_rest(
    run_task: Any, tmp_path: Path, error: BaseException, reason: str
) -> None:
    with pytest.raises(type(error)):
        run_task(raising(error))
    result = JobResult.load(tmp_path)
    assert result is not None
    assert (result.status, result.reason) == ("KILLED", reason)


@pytest.mark.parametrize(
    ("mode", "error", "shown", "level"),
    [
        (RunMode.RUN, DataError("No file."), "No file.\n", "INFO"),
        (RunMode.RUN, ValueError("odd"), "", "ERROR"),
        (RunMode.MULTIRUN, DataError("No file."), "", "INFO"),
        (RunMode.MULTIRUN, ValueError("odd"), "", "INFO"),
    ],
)
def test_failure_is_logged_whole_and_shown_where_it_helps(
    run_task: Any,
    hydra: Any,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    mode: RunMode,
    error: Exception,
    shown: str,
    level: str,
) -> None:
    caplog.set_level("INFO")
    hydra.mode = mode
    run_task(raising(error))
    (record,) = caplog.records
    assert record.levelname == level
    assert record.exc_info is not None
    assert record.exc_info[1] is error
    assert capsys.readouterr().err == shown


def finished(job: Job) -> JobResult:
    return JobResult(name="a", status="FINISHED", output_dir=str(job.output_dir))


@pytest.mark.parametrize(
    ("status", "retry_failed", "in_sweep", "runs"),
    [
        ("FINISHED", True, False, False),
        ("FINISHED", True, True, False),
        ("FAILED", True, True, True),
        ("FAILED", False, True, False),
        ("FAILED", False, False, True),
        ("KILLED", False, True, True),
    ],
)
def test_job_that_ran_before_runs_again_only_where_that_makes_sense(
    run_task: Any,
    hydra: Any,
    tmp_path: Path,
    status: Any,
    retry_failed: bool,
    in_sweep: bool,
    runs: bool,
) -> None:
    JobResult(name="a", status=status, objective=0.25, output_dir=str(tmp_path)).save()
    hydra.run.sweep.retry_failed = retry_failed
    if in_sweep:
        hydra.job.env_set[running.SWEEP_VARIABLE] = "/sweeps/1"
    calls: list[Job] = []
    objective, result = run_task(lambda job: calls.append(job) or finished(job))
    assert len(calls) == runs
    assert result.status == ("FINISHED" if runs else status)
    assert math.isnan(objective) if runs else objective == 0.25


def test_result_of_an_earlier_end_is_gone_while_the_job_runs(
    run_task: Any, tmp_path: Path
) -> None:
    JobResult(name="a", status="KILLED", output_dir=str(tmp_path)).save()

    def task(job: Job) -> JobResult:
        assert JobResult.load(tmp_path) is None
        return finished(job)

    run_task(task)


def test_job_held_by_another_process_is_left_alone(
    run_task: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with claim_folder(tmp_path):
        objective, result = run_task(lambda _: pytest.fail("it is held"))
    assert math.isnan(objective)
    assert result is None
    assert "is being worked on by process" in capsys.readouterr().err


def test_folder_of_a_job_says_what_differs(compose: Any) -> None:
    root = {
        "hydra": {
            "overrides": {"task": ["seed=1", "trainer.epochs=3"]},
            "job": {"env_set": {running.SWEPT_VARIABLE: "trainer.epochs"}},
            "subdir": "${job_folder:}",
        }
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "validate", lambda _: compose())
        name = OmegaConf.create(root).hydra.subdir
    assert name.startswith("trainer.epochs_3-")


def test_result_that_cannot_be_stored_is_told(
    run_task: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def refuse(self: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(JobResult, "save", refuse)
    _, result = run_task(finished)
    assert result is None
    assert "cannot be stored" in capsys.readouterr().err
