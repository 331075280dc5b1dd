"""Trials in processes of their own; the tasks here import no framework."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from experiments.errors import (
    ConfigError,
    DataError,
    Preempted,
    Problem,
    RestartNeeded,
)
from experiments.heartbeat import beat
from experiments.interruption import StopRequest, signals_as_requests
from experiments.jobs.folder import claim_folder
from experiments.jobs.job import PROCESS_VARIABLE, JobResult
from experiments.workers import container, host_process
from experiments.workers.container import (
    ContainedTask,
    DirectTask,
    end_processes,
)
from experiments.workers.report import Report
from experiments.workers.stop_file import request_stop

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _processes_end() -> Iterator[None]:
    yield
    end_processes()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the job, which Hydra makes before it calls the task."""
    folder = tmp_path / "job"
    folder.mkdir()
    return folder


@pytest.fixture
def run(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Report]:
    """Calls a contained task as a launcher does."""
    hydra = {
        "runtime": {"output_dir": str(folder)},
        "job": {"env_set": {"SET_BY_HYDRA": "yes"}},
        "job_logging": None,
        "verbose": False,
    }
    node = OmegaConf.create({"hydra": hydra})
    monkeypatch.setattr(HydraConfig.instance(), "cfg", node)

    def run(task: Any, config: dict[str, Any] | None = None, **options: Any) -> Report:
        settings = {"stop_file": tmp_path / "stop", "slots": tmp_path / "slots"}
        contained = ContainedTask(task=task, **{**settings, **options})
        return contained(OmegaConf.create(config or {}))

    return run


def own_pid(config: DictConfig) -> float:
    return os.getpid()


def finished(config: DictConfig) -> float:
    folder = HydraConfig.get().runtime.output_dir
    scores = {"best_val_accuracy": 0.75}
    JobResult(name="a", status="FINISHED", metrics=scores, output_dir=folder).save()
    return 0.75


def failed(config: DictConfig) -> float:
    folder = HydraConfig.get().runtime.output_dir
    JobResult(
        name="a", status="FAILED", reason="too large", failure="oom", output_dir=folder
    ).save()
    return float("nan")


def raise_error(config: DictConfig) -> float:
    errors = {
        "value": ValueError("no such thing"),
        "memory": MemoryError("4 GB"),
        "config": ConfigError([Problem("model.depth", "must be 18.")]),
        "data": DataError("no file x"),
    }
    raise errors[config.error]


def die(config: DictConfig) -> float:
    if config.how == "segfault":
        ctypes.string_at(0)
    if config.how == "exit":
        os._exit(3)
    os.kill(os.getpid(), signal.SIGKILL)
    return 0.0


def sleep(config: DictConfig) -> float:
    time.sleep(60)
    return 0.0


def step_for(config: DictConfig) -> float:
    """Takes a step every tenth of a second."""
    for _ in range(int(10 * config.seconds)):
        time.sleep(0.1)
        beat()
    return 0.0


def stop_oneself(config: DictConfig) -> float:
    """Is stopped, as by Ctrl-Z; saves its state once it goes on and is asked to."""
    folder = Path(config.folder)

    def save(number: int, frame: object) -> None:
        (folder / "saved").touch()
        raise Preempted("SIGTERM")

    signal.signal(signal.SIGTERM, save)
    os.kill(os.getpid(), signal.SIGSTOP)
    # In steps, as a training: a signal to a stopped process may come to another thread
    # than this one, whose sleep it does not end.
    for _ in range(600):
        time.sleep(0.1)
    return 0.0


def sleep_through_sigterm(config: DictConfig) -> float:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(60)
    return 0.0


def stop(config: DictConfig) -> float:
    raise Preempted("SIGTERM")


def restart_once(config: DictConfig) -> float:
    assert os.environ[PROCESS_VARIABLE] == str(os.getpid())
    flag = Path(config.flag)
    if flag.exists():
        return os.getpid()
    flag.write_text(str(os.getpid()))
    raise RestartNeeded("smaller")


def restart_always(config: DictConfig) -> float:
    with Path(config.flag).open("a") as file:
        file.write("x")
    raise RestartNeeded("smaller")


def speak(config: DictConfig) -> float:
    print("from Python")
    os.write(2, b"from a library\n")
    return 0.0


def surroundings(config: DictConfig) -> float:
    folder, entry = str(config.folder), str(config.entry)
    same = str(Path.cwd()) == folder and entry in sys.path
    return float(same and os.environ["SET_BY_HYDRA"] == "yes")


def first_gpu(config: DictConfig) -> float:
    return float(os.environ["CUDA_VISIBLE_DEVICES"])


def count_cores(config: DictConfig) -> float:
    return len(os.sched_getaffinity(0))


def now(config: DictConfig) -> float:
    return time.time()


def save_on_sigterm(config: DictConfig) -> float:
    folder = Path(config.folder)

    def save(number: int, frame: object) -> None:
        (folder / "saved").touch()
        raise Preempted("SIGTERM")

    signal.signal(signal.SIGTERM, save)
    (folder / "pid").write_text(str(os.getpid()))
    time.sleep(60)
    return 0.0


def note_why(config: DictConfig) -> float:
    """As `run_job` does: signals are requests, and what ends it is noted."""
    folder = Path(config.folder)
    try:
        with signals_as_requests(StopRequest()):
            (folder / "pid").write_text(str(os.getpid()))
            time.sleep(60)
    except Preempted as stop:
        (folder / "why").write_text(str(stop))
        raise
    return 0.0


def is_gone(pid: int, seconds: float = 20) -> bool:
    """Waits for the end of a process that need not be a child of this one."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.05)
    return False


def pid_of(report: Report) -> int:
    assert report.value is not None, report.reason
    return int(report.value)


def test_a_trial_runs_elsewhere_and_its_value_comes_back(run: Any) -> None:
    report = run(own_pid)
    assert report.status == "returned"
    assert pid_of(report) != os.getpid()
    assert report.result is None
    assert report.memory > 1e6


def test_the_result_of_the_job_comes_back(run: Any, folder: Path) -> None:
    report = run(finished)
    assert (report.status, report.value) == ("returned", 0.75)
    assert report.result.metrics == {"best_val_accuracy": 0.75}
    assert report.result.output_dir == str(folder)


def test_a_job_that_noted_its_failure_has_failed_that_way(run: Any) -> None:
    report = run(failed)
    assert (report.status, report.failure) == ("failed", "oom")
    assert report.reason == "too large"


@pytest.mark.parametrize(
    ("error", "failure", "reason"),
    [
        ("value", "error", "ValueError: no such thing"),
        ("memory", "oom", "MemoryError: 4 GB"),
        (
            "config",
            "config",
            "The configuration has 1 problem: - model.depth must be 18.",
        ),
        ("data", "config", "no file x"),
    ],
)
def test_what_a_task_raises_is_a_failure_of_its_kind(
    run: Any, error: str, failure: str, reason: str
) -> None:
    report = run(raise_error, {"error": error})
    assert (report.status, report.failure) == ("failed", failure)
    assert report.reason == reason


@pytest.mark.parametrize(
    ("how", "end"),
    [("kill", "SIGKILL"), ("segfault", "SIGSEGV"), ("exit", "exit code 3")],
)
def test_a_process_that_dies_fails_its_trial_and_no_other(
    run: Any, folder: Path, how: str, end: str
) -> None:
    report = run(die, {"how": how})
    assert (report.status, report.failure) == ("failed", "killed")
    assert report.reason == f"its process ended by {end}"
    # Where its checkpoints are, which nobody else can tell.
    assert (report.result, report.output_dir) == (None, str(folder))
    assert run(own_pid).status == "returned"


def test_a_process_that_the_system_ended_for_its_memory_has_failed_of_that(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = iter([4, 5])
    monkeypatch.setattr(host_process, "count_memory_kills", lambda: next(counts))
    report = run(die, {"how": "kill"})
    assert (report.status, report.failure) == ("failed", "oom")
    assert "memory ran out" in report.reason


@pytest.mark.parametrize("counts", [(4, 4), (None, None)], ids=["others", "uncounted"])
def test_a_process_that_somebody_killed_has_not_run_out_of_memory(
    run: Any, monkeypatch: pytest.MonkeyPatch, counts: tuple[int | None, ...]
) -> None:
    found = iter(counts)
    monkeypatch.setattr(host_process, "count_memory_kills", lambda: next(found))
    assert run(die, {"how": "kill"}).failure == "killed"


@pytest.mark.parametrize(
    ("text", "count"), [("pgfault 9\noom_kill 3\nx 1\n", 3), ("pgfault 9\n", None)]
)
def test_the_system_counts_what_it_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, count: int | None
) -> None:
    monkeypatch.setattr(host_process, "_COUNTERS", tmp_path / "vmstat")
    assert host_process.count_memory_kills() is None
    (tmp_path / "vmstat").write_text(text)
    assert host_process.count_memory_kills() == count


def test_trials_share_a_process_also_after_one_that_raised(run: Any) -> None:
    first = pid_of(run(own_pid))
    run(raise_error, {"error": "value"})
    assert pid_of(run(own_pid)) == first


def test_after_so_many_trials_comes_a_fresh_process(run: Any) -> None:
    pids = [pid_of(run(own_pid, trials_per_process=2)) for _ in range(4)]
    assert pids[0] == pids[1]
    assert pids[2] == pids[3] != pids[0]
    assert is_gone(pids[0])


def test_after_exhausted_memory_comes_a_fresh_process(run: Any) -> None:
    first = pid_of(run(own_pid))
    run(raise_error, {"error": "memory"})
    assert pid_of(run(own_pid)) != first
    assert is_gone(first)


def test_a_trial_with_another_device_gets_another_process(run: Any) -> None:
    first = pid_of(run(own_pid, {"gpu": "cpu"}))
    assert pid_of(run(own_pid, {"gpu": "cpu"})) == first
    assert pid_of(run(own_pid, {"gpu": 0})) != first
    assert is_gone(first)


def test_an_idle_process_that_has_died_is_replaced(run: Any) -> None:
    first = pid_of(run(own_pid))
    os.kill(first, signal.SIGKILL)
    assert is_gone(first)
    assert pid_of(run(own_pid)) != first


def test_a_trial_that_takes_too_long_is_ended(run: Any) -> None:
    begin = time.monotonic()
    report = run(sleep, minutes=0.05)
    assert (report.status, report.failure) == ("failed", "timeout")
    assert report.reason == "took longer than hydra.sweeper.trial_minutes=0.05"
    assert 3 <= time.monotonic() - begin < 30
    assert run(own_pid, minutes=0.5).status == "returned"


def test_the_key_that_ended_a_job_is_named(run: Any) -> None:
    report = run(sleep, minutes=0.02, minutes_key="sweep.job_minutes")
    assert report.reason == "took longer than sweep.job_minutes=0.02"


def test_a_job_that_takes_no_step_is_ended_and_the_next_one_runs(run: Any) -> None:
    begin = time.monotonic()
    report = run(sleep, silent_minutes=0.05, silent_key="sweep.silent_minutes")
    assert (report.status, report.failure) == ("failed", "timeout")
    assert report.reason == "took no step for longer than sweep.silent_minutes=0.05"
    assert 3 <= time.monotonic() - begin < 30
    assert run(own_pid, silent_minutes=0.5).status == "returned"


def test_a_job_that_takes_steps_may_take_long(run: Any) -> None:
    report = run(step_for, {"seconds": 6}, silent_minutes=0.05)
    assert report.status == "returned", report.reason
    late = run(step_for, {"seconds": 60}, silent_minutes=0.05, minutes=0.05)
    assert late.reason == "took longer than hydra.sweeper.trial_minutes=0.05"


def test_a_stopped_job_is_woken_to_save_its_state(run: Any, tmp_path: Path) -> None:
    begin = time.monotonic()
    report = run(stop_oneself, {"folder": str(tmp_path)}, silent_minutes=0.05)
    assert report.failure == "timeout"
    assert (tmp_path / "saved").exists()
    assert time.monotonic() - begin < 30


def test_a_trial_that_does_not_listen_is_killed_after_a_while(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host_process, "_GRACE_SECONDS", 0.5)
    begin = time.monotonic()
    report = run(sleep_through_sigterm, minutes=0.05)
    assert report.failure == "timeout"
    assert time.monotonic() - begin < 30


def test_a_stopped_search_stops_its_trial_which_saves_its_state(
    run: Any, tmp_path: Path
) -> None:
    def request() -> None:
        while not (tmp_path / "pid").exists():
            time.sleep(0.05)
        (tmp_path / "stop").touch()

    thread = threading.Thread(target=request)
    thread.start()
    report = run(save_on_sigterm, {"folder": str(tmp_path)})
    thread.join()
    assert (report.status, report.reason) == ("stopped", "the search was stopped")
    assert (tmp_path / "saved").exists()
    assert is_gone(int((tmp_path / "pid").read_text()), seconds=0.1)


@pytest.mark.parametrize(
    ("cause", "told"),
    [
        (Preempted("sweep.max_hours=0.5"), "sweep.max_hours=0.5"),
        (KeyboardInterrupt(), "Ctrl-C"),
        (ValueError("odd"), "SIGTERM"),
    ],
    ids=["budget", "ctrl_c", "error"],
)
def test_job_of_what_is_stopped_knows_why(
    run: Any, tmp_path: Path, cause: BaseException, told: str
) -> None:
    def request() -> None:
        while not (tmp_path / "pid").exists():
            time.sleep(0.05)
        request_stop(tmp_path / "stop", cause)

    thread = threading.Thread(target=request)
    thread.start()
    run(note_why, {"folder": str(tmp_path)})
    thread.join()
    assert (tmp_path / "why").read_text() == told


def test_a_stopped_search_does_not_wait_for_a_share_of_the_cores(
    run: Any, tmp_path: Path
) -> None:
    (tmp_path / "stop").touch()
    leases = [container.take_lease(tmp_path / "slots", range(2)) for _ in range(2)]
    report = run(own_pid, workers=2)
    assert report.status == "stopped"
    assert all(leases)


def test_a_worker_whose_search_is_gone_stops_its_trial(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container, "_end_with", lambda parent: None)
    begin = time.monotonic()
    report = run(sleep, parent=1 if os.getppid() != 1 else 2)
    assert (report.status, report.reason) == ("stopped", "the search was stopped")
    assert time.monotonic() - begin < 30


def test_a_trial_that_was_stopped_leaves_no_process_for_the_next(run: Any) -> None:
    for _ in range(3):
        report = run(stop)
        assert (report.status, report.reason) == ("stopped", "stopped by SIGTERM")
        assert not container._idle
        assert run(own_pid).status == "returned"


def test_a_trial_that_needs_a_fresh_process_gets_one(run: Any, tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    report = run(restart_once, {"flag": str(flag)})
    assert pid_of(report) != int(flag.read_text())


def test_a_trial_does_not_get_fresh_processes_for_ever(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container, "_RESTARTS", 2)
    report = run(restart_always, {"flag": str(tmp_path / "flag")})
    assert report.status == "stopped"
    assert (tmp_path / "flag").read_text() == "xxx"


def test_what_a_trial_prints_is_in_its_folder(
    run: Any, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run(speak)
    lines = (folder / "screen.log").read_text().splitlines()
    assert sorted(lines) == ["from Python", "from a library"]
    assert capfd.readouterr() == ("", "")


def test_a_folder_that_cannot_be_written_fails_its_trial(
    run: Any, folder: Path
) -> None:
    (folder / "screen.log").mkdir()
    report = run(own_pid)
    assert (report.status, report.failure) == ("failed", "error")
    assert "screen.log" in str(report.reason)


def test_a_trial_finds_folder_modules_and_environment_of_the_launcher(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path / "modules"))
    config = {"folder": str(tmp_path), "entry": str(tmp_path / "modules")}
    assert run(surroundings, config).value == 1.0


def test_a_trial_waits_for_the_orphan_of_a_killed_search(
    run: Any, folder: Path
) -> None:
    run(now)  # the process is there
    held = claim_folder(folder)
    held.__enter__()
    released: list[float] = []

    def release() -> None:
        released.append(time.time())
        held.__exit__(None, None, None)

    timer = threading.Timer(1.5, release)
    timer.start()
    begun = run(now).value
    timer.join()
    assert begun >= released[0]


@pytest.fixture
def gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where processes agree about two GPUs that the machine seems to have."""
    folder = tmp_path / "gpus"
    monkeypatch.setattr(container, "gpus_to_share", lambda gpu: ("4", "7"))
    monkeypatch.setattr(container, "gpu_folder", lambda: folder)
    return folder


def test_a_process_has_a_gpu_of_its_own_as_long_as_it_lives(
    run: Any, gpus: Path
) -> None:
    other = container.take_lease(gpus, ("4", "7"))
    assert run(first_gpu).value == 7.0
    assert container.take_lease(gpus, ("4", "7"), keep_waiting=lambda: False) is None
    end_processes()
    again = container.take_lease(gpus, ("4", "7"), keep_waiting=lambda: False)
    assert again is not None
    assert other is not None


def test_trials_share_a_gpu_when_asked_to(run: Any, gpus: Path) -> None:
    others = [container.take_lease(gpus, (name,)) for name in ("4", "7", "4-2")]
    assert run(first_gpu, trials_per_gpu=2).value == 7.0
    assert all(others)


@pytest.mark.parametrize("workers", [None, 1])
def test_a_lone_trial_has_all_cores(run: Any, workers: int | None) -> None:
    assert run(count_cores, workers=workers).value == len(os.sched_getaffinity(0))


def test_trials_side_by_side_have_a_share_of_the_cores(run: Any) -> None:
    count = len(os.sched_getaffinity(0))
    assert run(count_cores, workers=2).value in {max(1, count // 2), -(-count // 2)}


SCRIPT = """
import os, sys, time
from pathlib import Path
from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf
from experiments.workers.container import ContainedTask
from tests.workers import test_container
folder, name, *parent = sys.argv[1:]
folder = Path(folder)
hydra = {"runtime": {"output_dir": str(folder / "job")}, "verbose": False,
         "job": {"env_set": {}}, "job_logging": None}
HydraConfig.instance().cfg = OmegaConf.create({"hydra": hydra})
task = ContainedTask(task=getattr(test_container, name), stop_file=folder / "stop",
                     slots=folder / "slots", workers=2,
                     parent=int(parent[0]) if parent else os.getppid())
report = task(OmegaConf.create({"folder": str(folder)}))
(folder / "idle").write_text(str(int(report.value or 0)))
time.sleep(60)
"""
WORKER = "import subprocess, sys; subprocess.run([sys.executable, '-c', *sys.argv[1:]])"


@pytest.fixture
def search_of(tmp_path: Path) -> Iterator[Callable[[str], subprocess.Popen[bytes]]]:
    """Starts a search of one worker that runs a task of this module."""
    started: list[subprocess.Popen[bytes]] = []

    def start(task: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", WORKER, SCRIPT, str(tmp_path), task]
        started.append(subprocess.Popen(command, cwd=ROOT))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def read_pid(path: Path) -> int:
    deadline = time.monotonic() + 60
    while not (path.exists() and path.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return int(path.read_text())


def test_a_trial_saves_its_state_when_its_search_is_killed(
    search_of: Any, tmp_path: Path
) -> None:
    search = search_of("save_on_sigterm")
    trial = read_pid(tmp_path / "pid")
    (worker,) = psutil.Process(search.pid).children()
    search.kill()
    assert is_gone(trial)
    assert (tmp_path / "saved").exists()
    assert is_gone(worker.pid)


def test_an_idle_worker_ends_with_its_search(search_of: Any, tmp_path: Path) -> None:
    search = search_of("own_pid")
    idle = read_pid(tmp_path / "idle")
    (worker,) = psutil.Process(search.pid).children()
    held = container.take_lease(
        tmp_path / "slots", range(1), keep_waiting=lambda: False
    )
    assert held is None
    search.kill()
    assert is_gone(idle)
    assert is_gone(worker.pid)
    assert container.take_lease(tmp_path / "slots", range(1)) is not None


def test_a_worker_that_starts_after_the_end_of_its_search_ends_too(
    tmp_path: Path,
) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    command = [sys.executable, "-c", SCRIPT, str(tmp_path), "sleep", str(gone.pid)]
    begin = time.monotonic()
    worker = subprocess.run(command, cwd=ROOT, check=False, timeout=60)
    assert worker.returncode == 1
    assert time.monotonic() - begin < 45


def test_a_trial_saves_its_state_when_its_worker_is_killed(
    search_of: Any, tmp_path: Path
) -> None:
    search = search_of("save_on_sigterm")
    trial = read_pid(tmp_path / "pid")
    (worker,) = psutil.Process(search.pid).children()
    worker.kill()
    assert is_gone(trial)
    assert (tmp_path / "saved").exists()


@pytest.mark.usefixtures("run")
def test_a_direct_task_runs_here() -> None:
    report = DirectTask(task=own_pid)(OmegaConf.create({}))
    assert pid_of(report) == os.getpid()


@pytest.mark.usefixtures("run")
def test_a_direct_task_that_raises_has_failed() -> None:
    report = DirectTask(task=raise_error)(OmegaConf.create({"error": "value"}))
    assert (report.status, report.failure) == ("failed", "error")
    assert report.reason == "ValueError: no such thing"


@pytest.mark.usefixtures("run")
def test_a_direct_task_can_be_stopped() -> None:
    with pytest.raises(Preempted):
        DirectTask(task=stop)(OmegaConf.create({}))
