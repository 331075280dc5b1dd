"""Single jobs through Hydra's launchers; the tasks here import no framework."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import HydraContext, RunMode
from omegaconf import DictConfig, OmegaConf

from experiments.errors import ConfigError, ExperimentError, Preempted, Problem
from experiments.jobs.job import JobResult
from experiments.search.trials.report import Report
from experiments.search.workers.container import ContainedTask, DirectTask
from experiments.search.workers.hydra_jobs import (
    HydraLaunch,
    HydraSweep,
    choose_task,
    own_overrides,
)
from tests.conftest import ROOT
from tests.warm import run_to_the_end

CONFIG = """
x: 1
hydra:
  run: {dir: run}
  sweep: {dir: FOLDER, subdir: "${hydra.job.num}"}
  output_subdir: null
"""
JOBLIB = "hydra/launcher=joblib"
# What a process sets before it imports a framework; this one has done so.
SETTINGS = {"KERAS_BACKEND", "CUDA_VISIBLE_DEVICES", "JAX_PLATFORMS"}


@pytest.fixture
def make_sweep(tmp_path: Path) -> Iterator[Callable[..., HydraSweep]]:
    """Makes what Hydra gives a sweeper, for a config with one key."""
    text = CONFIG.replace("FOLDER", str(tmp_path / "sweep"))
    (tmp_path / "config.yaml").write_text(text)
    with initialize_config_dir(str(tmp_path), version_base="1.3"):
        from hydra._internal.callbacks import Callbacks

        hydra = GlobalHydra.instance().hydra
        assert hydra is not None
        context = HydraContext(hydra.config_loader, Callbacks())

        def make(*overrides: str) -> HydraSweep:
            config = hydra.compose_config(
                "config", list(overrides), run_mode=RunMode.MULTIRUN
            )
            return HydraSweep(
                context=context, task=no_task, config=config, arguments=()
            )

        yield make


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


def no_task(config: DictConfig) -> float:
    raise AssertionError("the launcher calls what it was given")


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


def test_a_trial_that_needs_no_process_is_called_directly(
    make_sweep: Any, settings: Any, tmp_path: Path
) -> None:
    task = choose_task(
        make_sweep(),
        settings(isolation="none"),
        folder=tmp_path,
        stop=tmp_path / "stop",
        n_jobs=1,
    )
    assert task == DirectTask(task=no_task)


@pytest.mark.parametrize(
    ("launcher", "workers", "parent"),
    [([], None, None), ([JOBLIB], 3, os.getpid())],
    ids=["basic", "joblib"],
)
def test_only_local_workers_share_cores_and_watch_the_search(
    make_sweep: Any,
    settings: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    launcher: list[str],
    workers: int | None,
    parent: int | None,
) -> None:
    monkeypatch.chdir(tmp_path)
    search = settings(isolation="process", trial_minutes=2.0, trials_per_process=4)
    task = choose_task(
        make_sweep(*launcher),
        search,
        folder=Path("search"),
        stop=Path("search/stop"),
        n_jobs=3,
    )
    assert task == ContainedTask(
        task=no_task,
        stop_file=tmp_path / "search" / "stop",
        minutes=2.0,
        workers=workers,
        slots=tmp_path / "search" / "slots",
        trials_per_process=4,
        parent=parent,
    )


@pytest.mark.parametrize(
    ("config", "fixed", "own"),
    [
        ({"tracking": {"log_model": "best"}}, [], ["tracking.log_model=none"]),
        ({"tracking": {"log_model": "best"}}, ["tracking.log_model=best"], []),
        ({"tracking": {"log_model": "best"}}, ["++tracking.log_model=best"], []),
        (
            {"tracking": {"log_model": "best"}},
            ["tracking.log_models=best"],
            ["tracking.log_model=none"],
        ),
        ({"tracking": {}}, [], []),
        ({}, [], []),
    ],
)
def test_trials_do_not_record_their_models_unless_told_to(
    config: dict[str, Any], fixed: list[str], own: list[str]
) -> None:
    assert own_overrides(OmegaConf.create(config), fixed) == own


@pytest.mark.parametrize(
    ("light", "backend"), [(True, "numpy"), (False, "tensorflow")], ids=str
)
def test_a_search_in_processes_of_their_own_imports_no_framework(
    light: bool, backend: str
) -> None:
    code = f"""
import os, sys
from experiments.search.workers.hydra_jobs import import_keras_tuner
import_keras_tuner(light={light})
import keras
print(keras.backend.backend(), "tensorflow" in sys.modules, os.environ["KERAS_BACKEND"])
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "KERAS_BACKEND": "tensorflow"},
    )
    assert done.stdout.split() == [backend, str(not light), "tensorflow"]


def refusing(*_: Any) -> Any:
    raise RuntimeError("sbatch: invalid partition.")


def test_a_launcher_that_refuses_job_after_job_ends_the_search() -> None:
    launch = object.__new__(HydraLaunch)
    launch._stop, launch._refusals = None, 0
    launch._launcher = SimpleNamespace(launch=refusing)  # type: ignore[assignment]
    first = launch(["x=1"], 0)
    assert (first.status, first.failure) == ("failed", "killed")
    with pytest.raises(ExperimentError, match=r"invalid partition\. The search ends"):
        launch(["x=2"], 1)


def test_trials_in_the_process_of_the_search_find_a_framework_that_fits_them(
    tmp_path: Path,
) -> None:
    done = run_to_the_end(
        [
            sys.executable,
            str(ROOT / "run.py"),
            "-m",
            "hydra/sweeper=keras_tuner",
            "hydra.sweeper.isolation=none",
            "hydra.sweeper.max_trials=1",
            "optimizer.lr=1e-3,1e-2",
            "debug=one_step",
            "gpu=cpu",
        ],
        cold=True,  # a process that has imported no framework
        cwd=tmp_path,
        env={
            **{k: v for k, v in os.environ.items() if k not in SETTINGS},
            "PYTHONWARNINGS": "",
        },
    )
    assert "| complete |" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0
