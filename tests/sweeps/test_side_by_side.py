"""Jobs of a sweep side by side; the tasks here import no framework."""

import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.plugins.launcher import Launcher
from joblib.externals import loky
from omegaconf import DictConfig

from experiments.command.hydra_node.launcher import Launch, describe_launch
from experiments.config.code.authority import SIDE_BY_SIDE
from experiments.config.kinds.objective import Objective
from experiments.disk_space import DiskSpace
from experiments.errors import Preempted
from experiments.interruption import StopRequest, signals_as_requests
from experiments.jobs.job import JobResult
from experiments.sweeps.best_weights import BestWeights
from experiments.sweeps.job_lines import JobLines
from experiments.sweeps.job_task import choose_task
from experiments.sweeps.side_by_side import SideBySide, run_jobs

JOBLIB = "hydra/launcher=joblib"
PLUGINS = "hydra_plugins.hydra_"
SLURM = f"{PLUGINS}submitit_launcher.submitit_launcher.SlurmLauncher"
JOBLIBS = f"{PLUGINS}joblib_launcher.joblib_launcher.JoblibLauncher"
HOOKS: dict[str, Any] = {"ended": lambda: None, "find_obstacle": lambda: None}
BASICS = "hydra._internal.core_plugins.basic_launcher.BasicLauncher"


@pytest.fixture(autouse=True)
def _fresh_workers() -> Iterator[None]:
    """Joblib keeps its workers, and with them their environment."""
    yield
    loky.get_reusable_executor().shutdown(wait=True)


@pytest.fixture
def start(make_sweep: Any, tmp_path: Path) -> Callable[..., list[Any]]:
    """Runs the jobs x=0, x=1, ... as the sweeper would have it."""

    def start(
        task: Any,
        *overrides: str,
        jobs: int = 3,
        minutes: float | None = None,
        silent: float | None = None,
        given: tuple[str, ...] = (),
        **hooks: Any,
    ) -> list[Any]:
        sweep = make_sweep(*overrides)
        trainer = SimpleNamespace(objective=Objective("val_accuracy", "max"))
        plan: Any = SimpleNamespace(
            run=SimpleNamespace(
                trainer=trainer,
                sweep=SimpleNamespace(job_minutes=minutes, silent_minutes=silent),
            ),
            folder=tmp_path / "sweep",
            job_folders=tuple(map(str, range(jobs))),
            swept_keys=("x",),
            launch=describe_launch(sweep.config),
        )
        spread = type(sweep)(
            context=sweep.context,
            task=SideBySide(task=task, plan=plan, **{**HOOKS, **hooks}),
            config=sweep.config,
            arguments=(),
        )
        return run_jobs(spread, [[f"x={x}", *given] for x in range(jobs)], first=0)

    return start


def finish(config: DictConfig) -> float:
    """Leaves a result, unless there is one, as a job does."""
    hydra = HydraConfig.get()
    if JobResult.load(Path(hydra.runtime.output_dir)) is not None:
        return float(config.x)
    JobResult(
        name=f"x={config.x}",
        status="FINISHED",
        objective=float(config.x),
        metrics={"pid": os.getpid()},
        output_dir=hydra.runtime.output_dir,
    ).save()
    return float(config.x)


def die_of_one(config: DictConfig) -> float:
    if config.x == 1:
        os._exit(3)
    return finish(config)


def be_killed_of_one(config: DictConfig) -> float:
    if config.x == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return finish(config)


def hang_of_one(config: DictConfig) -> float:
    if config.x == 1:
        time.sleep(120)
    return finish(config)


def result_of(folder: Path, number: int) -> JobResult:
    result = JobResult.load(folder / "sweep" / str(number))
    assert result is not None
    return result


@pytest.mark.parametrize(
    ("task", "how"), [(die_of_one, "exit code 3"), (be_killed_of_one, "SIGKILL")]
)
def test_a_job_that_dies_costs_no_other_and_says_how(
    start: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    task: Any,
    how: str,
) -> None:
    lines: list[str] = []
    monkeypatch.setattr(JobLines, "_print", lambda self, text: lines.append(text))
    returned = start(task, JOBLIB, "hydra.launcher.n_jobs=2")
    values = [job.return_value for job in returned]
    assert values == [0.0, pytest.approx(float("nan"), nan_ok=True), 2.0]
    statuses = [result_of(tmp_path, number).status for number in range(3)]
    assert statuses == ["FINISHED", "FAILED", "FINISHED"]
    dead = result_of(tmp_path, 1)
    assert (dead.failure, dead.name) == ("killed", "x=1")
    assert dead.reason == f"its process ended by {how}"
    assert lines[0].startswith("3 jobs, 2 at a time, each in a process of its own")
    (line,) = [line for line in lines if line.startswith("job 2 of 3 failed")]
    assert line.startswith("job 2 of 3 failed (killed) in ")
    assert line.endswith(f": x=1: {dead.reason}")


def test_each_job_has_a_process_of_its_own(start: Any, tmp_path: Path) -> None:
    ended: list[int] = []
    start(finish, JOBLIB, "hydra.launcher.n_jobs=1", ended=lambda: ended.append(1))
    assert len(ended) == 3
    pids = {result_of(tmp_path, number).metrics["pid"] for number in range(3)}
    assert len(pids - {os.getpid()}) == 3


def test_a_job_that_takes_too_long_is_ended_on_the_basic_launcher_too(
    start: Any, tmp_path: Path
) -> None:
    begin = time.monotonic()
    start(hang_of_one, minutes=0.1)
    assert time.monotonic() - begin < 60
    statuses = [result_of(tmp_path, number).status for number in range(3)]
    assert statuses == ["FINISHED", "FAILED", "FINISHED"]
    late = result_of(tmp_path, 1)
    assert (late.failure, late.reason) == (
        "timeout",
        "took longer than sweep.job_minutes=0.1",
    )


def stop_one(config: DictConfig) -> float:
    if config.x == 1:
        os.kill(os.getpid(), signal.SIGSTOP)
    return finish(config)


def test_a_job_that_was_stopped_is_ended_and_costs_no_other(
    start: Any, tmp_path: Path
) -> None:
    start(stop_one, JOBLIB, "hydra.launcher.n_jobs=2", silent=0.1)
    statuses = [result_of(tmp_path, number).status for number in range(3)]
    assert statuses == ["FINISHED", "FAILED", "FINISHED"]
    stopped = result_of(tmp_path, 1)
    assert (stopped.failure, stopped.reason) == (
        "timeout",
        "took no step for longer than sweep.silent_minutes=0.1",
    )


def hold_gpu(config: DictConfig) -> float:
    """Fails when another job has the same GPU; waits until the other one was used.

    Whichever jobs come first: while one holds its GPU, the next one gets the other.
    """
    folder = Path(HydraConfig.get().sweep.dir)
    own = os.environ["CUDA_VISIBLE_DEVICES"]
    held = folder / f"on-{own}"
    descriptor = os.open(held, os.O_CREAT | os.O_EXCL)
    (folder / f"used-{own}-{config.x}").touch()
    deadline = time.monotonic() + 100
    while not {name_gpu(path) for path in folder.glob("used-*")} - {own}:
        if time.monotonic() > deadline:
            raise TimeoutError("nobody came")
        time.sleep(0.05)
    os.close(descriptor)
    held.unlink()
    return finish(config)


def name_gpu(path: Path) -> str:
    return path.name.split("-")[1]


def test_no_two_jobs_are_on_one_gpu_at_a_time(
    start: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four jobs at a time share two GPUs; two of them wait."""
    loky.get_reusable_executor().shutdown(wait=True)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,7")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    for name in ("SLURM_JOB_ID", "RAY_JOB_ID", "RAY_RAYLET_PID"):
        monkeypatch.delenv(name, raising=False)
    start(hold_gpu, JOBLIB, "hydra.launcher.n_jobs=4", jobs=4, given=("+gpu=auto",))
    reasons = [result_of(tmp_path, number).reason for number in range(4)]
    assert reasons == [None] * 4
    used = {name_gpu(path) for path in (tmp_path / "sweep").glob("used-*")}
    assert used == {"4", "7"}


def save_when_asked(config: DictConfig) -> float:
    folder = Path(HydraConfig.get().sweep.dir)

    def save(number: int, frame: object) -> None:
        (folder / f"saved-{config.x}").touch()
        raise Preempted("SIGTERM")

    signal.signal(signal.SIGTERM, save)
    (folder / f"runs-{config.x}").touch()
    time.sleep(120)
    return 0.0


def test_who_is_stopped_lets_what_runs_save_and_starts_nothing_more(
    start: Any, tmp_path: Path
) -> None:
    sweep = tmp_path / "sweep"

    def interrupt() -> None:
        deadline = time.monotonic() + 100
        while time.monotonic() < deadline:
            if len(list(sweep.glob("runs-*"))) == 2:
                signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
                return
            time.sleep(0.05)

    thread = threading.Thread(target=interrupt, daemon=True)
    thread.start()
    with (
        pytest.raises(Preempted, match="SIGTERM"),
        signals_as_requests(StopRequest()),
    ):
        start(save_when_asked, JOBLIB, "hydra.launcher.n_jobs=2")
    assert sorted(path.name for path in sweep.glob("saved-*")) == ["saved-0", "saved-1"]
    assert not (sweep / "runs-2").exists()


def test_what_finished_before_is_said_to_have(
    start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(finish, jobs=1, minutes=9.0)
    lines: list[str] = []
    monkeypatch.setattr(JobLines, "_print", lambda self, text: lines.append(text))
    start(finish, jobs=2, minutes=9.0)
    assert (
        lines[1]
        == "job 1 of 2 finished before, not run again: x=0: val_accuracy 0.0000"
    )
    assert lines[2] == "job 2 of 2 runs: x=1"


def test_without_room_only_what_has_finished_is_looked_at(
    start: Any, tmp_path: Path
) -> None:
    start(finish, jobs=1)
    with pytest.raises(Preempted, match="want of room"):
        start(finish, find_obstacle=lambda: Preempted("want of room"))
    assert not (tmp_path / "sweep" / "1").exists()


def test_hydra_discovers_the_launcher() -> None:
    found = Plugins.instance().discover(Launcher)
    assert SIDE_BY_SIDE in {f"{cls.__module__}.{cls.__name__}" for cls in found}


@pytest.mark.parametrize(
    ("launcher", "minutes", "silent", "search", "contained"),
    [
        (BASICS, None, None, None, False),
        (BASICS, 5.0, None, None, True),
        (BASICS, None, 5.0, None, True),
        (JOBLIBS, None, None, None, True),
        (SLURM, None, None, None, True),
        (JOBLIBS, None, None, object(), False),
    ],
)
def test_only_a_plain_sweep_of_several_at_a_time_gets_other_processes(
    launcher: str,
    minutes: float | None,
    silent: float | None,
    search: object,
    contained: bool,
) -> None:
    sweep = SimpleNamespace(job_minutes=minutes, silent_minutes=silent)
    space = DiskSpace(folder=Path())
    plan: Any = SimpleNamespace(
        launch=Launch(target=launcher),
        search=search,
        run=SimpleNamespace(sweep=sweep, disk_space=lambda: space),
    )
    task, settings = choose_task(finish, plan, BestWeights(plan))
    assert isinstance(task, SideBySide) == contained
    assert settings == ({"hydra.launcher._target_": SIDE_BY_SIDE} if contained else {})
