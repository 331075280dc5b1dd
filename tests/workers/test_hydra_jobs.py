"""Single jobs through Hydra's launchers; the tasks here import no framework."""

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from experiments.errors import ConfigError, ExperimentError, Preempted, Problem
from experiments.jobs.job import JobResult
from experiments.workers.hydra_jobs import HydraLaunch
from experiments.workers.report import Report

JOBLIB = "hydra/launcher=joblib"


@pytest.fixture
def launch_of(make_sweep: Any) -> Callable[..., HydraLaunch]:
    """Makes a launch of a task."""

    def make(task: Any, *overrides: str, n_jobs: int = 1) -> HydraLaunch:
        return HydraLaunch(make_sweep(*overrides), task, n_jobs)

    return make


@pytest.fixture
def refusing_resolver() -> Iterator[None]:
    """Makes `${refuse:}` refuse the config, as `${job_folder:}` may."""
    OmegaConf.register_new_resolver("refuse", lambda: refuse(OmegaConf.create()))
    yield
    OmegaConf.clear_resolver("refuse")


def answer(config: DictConfig) -> Report:
    """Returns what the job was given."""
    hydra = HydraConfig.get()
    result = JobResult(
        name="a",
        status="FINISHED",
        metrics={"number": hydra.job.num, "pid": os.getpid()},
        output_dir=hydra.runtime.output_dir,
    )
    return Report(status="returned", value=config.x, result=result)


def refuse(config: DictConfig) -> Report:
    raise ConfigError([Problem("x", "must be 2.")])


def break_down(config: DictConfig) -> Report:
    raise RuntimeError("no\nnode")


def stop(config: DictConfig) -> Report:
    raise Preempted("the search was stopped")


def die_of_two(config: DictConfig) -> Report:
    if config.x == 2:
        os._exit(1)
    return answer(config)


def meet(config: DictConfig) -> Report:
    """Waits until another job runs at the same time."""
    folder = Path(HydraConfig.get().sweep.dir)
    (folder / f"here-{config.x}").touch()
    deadline = time.monotonic() + 60
    while len(list(folder.glob("here-*"))) < 2:
        if time.monotonic() > deadline:
            return Report(status="failed", reason="nobody came")
        time.sleep(0.05)
    return answer(config)


@pytest.mark.parametrize("launcher", [[], [JOBLIB]], ids=["basic", "joblib"])
def test_a_job_has_its_overrides_its_number_and_its_folder(
    launch_of: Any, tmp_path: Path, launcher: list[str]
) -> None:
    report = launch_of(answer, *launcher)(["x=5"], 7)
    assert (report.status, report.value) == ("returned", 5)
    assert report.result.metrics["number"] == 7
    assert report.result.output_dir == str(tmp_path / "sweep" / "7")


def test_the_basic_launcher_runs_jobs_here(launch_of: Any) -> None:
    assert launch_of(answer)([], 0).result.metrics["pid"] == os.getpid()


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_joblib_never_runs_jobs_here(launch_of: Any, n_jobs: int) -> None:
    report = launch_of(answer, JOBLIB, n_jobs=n_jobs)([], 0)
    assert report.result.metrics["pid"] != os.getpid()


def test_joblib_runs_the_jobs_of_several_threads_side_by_side(launch_of: Any) -> None:
    launch = launch_of(meet, JOBLIB, n_jobs=2)
    with ThreadPoolExecutor(2) as threads:
        reports = list(threads.map(lambda x: launch([f"x={x}"], x), (1, 2)))
    assert [report.value for report in reports] == [1, 2]
    assert len({report.result.metrics["pid"] for report in reports}) == 2


@pytest.mark.parametrize("launcher", [[], [JOBLIB]], ids=["basic", "joblib"])
def test_an_override_that_does_not_fit_is_a_wrong_config(
    launch_of: Any, launcher: list[str]
) -> None:
    report = launch_of(answer, *launcher)(["y=5"], 0)
    assert (report.status, report.failure) == ("failed", "config")
    assert "Could not override 'y'" in report.reason
    assert "\n" not in report.reason


def test_a_config_that_the_job_refuses_is_a_wrong_config(launch_of: Any) -> None:
    report = launch_of(refuse)([], 0)
    assert (report.status, report.failure) == ("failed", "config")
    assert report.reason.endswith("x must be 2.")


@pytest.mark.usefixtures("refusing_resolver")
def test_a_config_that_cannot_name_its_folder_is_told_without_wrapping(
    launch_of: Any,
) -> None:
    report = launch_of(answer, "hydra.sweep.subdir=${refuse:}")([], 0)
    assert (report.status, report.failure) == ("failed", "config")
    assert report.reason == "The configuration has 1 problem: - x must be 2."


def test_a_launcher_that_breaks_down_has_lost_the_trial(launch_of: Any) -> None:
    report = launch_of(break_down)([], 0)
    assert (report.status, report.failure) == ("failed", "killed")
    assert report.reason == "the launcher failed: RuntimeError: no node"


def test_a_worker_that_dies_costs_its_trial_and_no_later_one(launch_of: Any) -> None:
    launch = launch_of(die_of_two, JOBLIB, n_jobs=2)
    report = launch(["x=2"], 0)
    assert (report.status, report.failure) == ("failed", "killed")
    assert report.reason.startswith("the launcher failed: TerminatedWorkerError")
    assert launch(["x=3"], 1).value == 3


def test_a_stop_is_raised(launch_of: Any) -> None:
    with pytest.raises(Preempted, match="the search was stopped"):
        launch_of(stop)([], 0)


def test_a_sweep_keeps_its_own_config(make_sweep: Any) -> None:
    sweep = make_sweep(JOBLIB)
    before = sweep.config.copy()
    HydraLaunch(sweep, answer, 3)
    assert sweep.config == before


def refusing(*_: Any) -> Any:
    raise RuntimeError("sbatch: invalid partition.")


def test_a_launcher_that_refuses_job_after_job_ends_the_search() -> None:
    launch = object.__new__(HydraLaunch)
    launch._stop, launch._refusals = None, 0
    launch._launcher = SimpleNamespace(launch=refusing)  # type: ignore[assignment]
    first = launch(["x=1"], 0)
    assert (first.status, first.failure) == ("failed", "killed")
    with pytest.raises(ExperimentError, match=r"invalid partition\. No more are tried"):
        launch(["x=2"], 1)
