"""Searches by the real command, whose trials and whose own process come to grief."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from experiments import job_files
from experiments.search.trials.journal import read_trials
from experiments.search.trials.trial import Trial
from tests.conftest import ROOT
from tests.faults.conftest import read_runs
from tests.warm import start_command

INJECT = Path(__file__).parent / "inject_trial"
SEARCH = (
    "hydra/sweeper=keras_tuner",
    "model=resnet",
    "model.depth=null",
    "model.blocks=[1]",
    "model.block=basic",
    "model.width=8",
    "dataset=synthetic_small",
    "dataset.image_size=16",
    "trainer.batch_size=4",
    "trainer.progress=plain",
    "schedule.warmup_epochs=0",
    "gpu=cpu",
)
GRID = "hydra.sweeper.oracle=grid"
SENT = "/tracking/.sent.json*"  # is renamed when a record is sent: the run is in MLflow
NO_RETRIES = "hydra.sweeper.max_retries=0"
JOBLIB = ["hydra/launcher=joblib", "hydra.sweeper.n_jobs=2"]
RANDOM = (
    "optimizer.lr=tag(log,interval(1e-4,1e-1))",
    "hydra.sweeper.max_trials=3",
    "trainer.epochs=6",
    "trainer.threads=1",  # how many there are shows in the last digits
)


class Search:
    """`run.py -m` with one search, in a folder of its own."""

    def __init__(self, folder: Path, *overrides: str) -> None:
        self.folder = folder
        typed = {word.partition("=")[0] for word in overrides}
        usual = [word for word in SEARCH if word.partition("=")[0] not in typed]
        self.overrides = (*usual, *overrides)
        self.seconds = 0.0

    def start(self, *faults: str) -> subprocess.Popen[bytes]:
        """Starts the command; `faults` are what `inject_trial` reads."""
        self.folder.mkdir(exist_ok=True)
        # Files, for an orphan would hold a pipe open.
        with (
            (self.folder / "output").open("wb") as output,
            (self.folder / "errors").open("wb") as errors,
        ):
            return start_command(
                [sys.executable, str(ROOT / "run.py"), "-m", *self.overrides],
                cwd=self.folder,
                env={
                    **os.environ,
                    "TRIAL_FAULTS": " ".join(faults),
                    "PYTHONPATH": str(INJECT),
                    "PYTHONWARNINGS": "",
                },
                stdout=output,
                stderr=errors,
                start_new_session=True,  # a group of its own, as a terminal makes
            )

    def finish(self, *faults: str, timeout: float = 290) -> int:
        """Runs the command to its end; returns its exit code."""
        return self.start(*faults).wait(timeout)

    @property
    def output(self) -> str:
        return (self.folder / "output").read_text()

    @property
    def errors(self) -> str:
        return (self.folder / "errors").read_text()

    @property
    def sweep_folder(self) -> Path:
        (path,) = self.folder.glob("outputs/sweeps/*")
        return path

    @property
    def trials(self) -> list[Trial]:
        return read_trials(self.sweep_folder / job_files.SEARCH)

    def wait_for(self, pattern: str, seconds: float = 120) -> Path:
        """Waits for a file below the folder of the sweep."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for path in self.folder.glob(f"outputs/sweeps/*/{pattern}"):
                return path
            time.sleep(0.1)
        pytest.fail(f"no {pattern} after {seconds} s: {self.errors}")

    def list_processes(self) -> list[str]:
        """Returns the commands of all processes that this search has started."""
        commands = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if Path(process.cwd()) == self.folder:
                    commands.append(" ".join(process.cmdline()))
        return commands


@pytest.fixture
def search(tmp_path: Path) -> Callable[..., Search]:
    """Makes a search in a folder of this test."""
    return lambda *overrides: Search(tmp_path / "search", *overrides)


@pytest.fixture(scope="module")
def failures(tmp_path_factory: pytest.TempPathFactory) -> Search:
    """A search in which a trial fails in each way, between trials that do not."""
    folder = tmp_path_factory.mktemp("failures")
    command = Search(
        folder / "search",
        GRID,
        "optimizer=sgd",
        "optimizer.lr=1e-3,2e-3,3e-3,4e-3,5e-3,1e6,6e-3",
        "trainer.epochs=2",
        NO_RETRIES,
    )
    # Once: what a killed trial has not sent, the search sends.
    faults = (
        "raise@open@*lr_0.002-*/unfinished-origin.json@1@",
        "memory@os.rename@*lr_0.003-*/checkpoints/*@1@",
        f"kill@os.rename@*lr_0.004-*{SENT}@5@{folder / 'killed'}",
        f"segfault@os.rename@*lr_0.005-*{SENT}@5@{folder / 'crashed'}",
    )
    assert command.finish(*faults) == 0, command.errors
    return command


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Search:
    """A search that nobody disturbed; `seconds` says how long it took."""
    command = Search(tmp_path_factory.mktemp("undisturbed"), *RANDOM)
    begin = time.monotonic()
    assert command.finish() == 0, command.errors
    command.seconds = time.monotonic() - begin
    return command


def runs_by_name(search: Search) -> dict[str, dict[str, Any]]:
    """Returns the runs in MLflow; fails when two have the same name."""
    runs = read_runs(search.folder)
    names = [run["name"] for run in runs]
    assert len(names) == len(set(names)), names
    return dict(zip(names, runs, strict=True))


def name_of(trial: Trial) -> str:
    return " ".join(trial.overrides)


def parent_of(search: Search) -> dict[str, Any]:
    """Returns the run of the search; fails when there are several."""
    runs = read_runs(search.folder)
    (parent,) = [run for run in runs if run["tags"].get("run.kind") == "search"]
    return parent


def describe(trial: Trial) -> dict[str, Any]:
    """Returns what is the same in a search that was disturbed."""
    assert trial.outcome is not None
    return {
        "overrides": trial.overrides,
        "end": trial.outcome.end,
        "metrics": trial.outcome.metrics,
        "objective": trial.outcome.objective,
        "epochs": trial.outcome.epochs,
        "folder": Path(trial.outcome.folders[0]).name,
    }


def assert_same_search(own: Search, expected: Search) -> None:
    """Trials, scores, folders and the whole record are equal, whatever the order."""
    found, wanted = (
        {name_of(t): describe(t) for t in s.trials} for s in (own, expected)
    )
    assert found == wanted
    assert len(own.trials) == len(expected.trials)
    folders = [
        sorted(path.parent.name for path in s.sweep_folder.glob("*/result.json"))
        for s in (own, expected)
    ]
    assert folders[0] == folders[1]
    left, right = runs_by_name(own), runs_by_name(expected)
    assert len(left) == len(right) == len(expected.trials) + 1
    assert {run["status"] for run in left.values()} == {"FINISHED"}
    for name in wanted:
        assert left[name]["points"] == right[name]["points"], name
    assert parent_of(own)["status"] == "FINISHED"


def assert_ends_soon(search: Search, part: str = "") -> None:
    """No process of the search, with `part` in its command, is left 15 s later."""
    deadline = time.monotonic() + 15
    while left := [line for line in search.list_processes() if part in line]:
        assert time.monotonic() < deadline, left
        time.sleep(0.5)


def test_a_killed_trial_ends_well_at_its_second_start(
    search: Callable[..., Search], tmp_path: Path
) -> None:
    command = search(
        "optimizer.lr=1e-3,1e-2", "hydra.sweeper.max_trials=1", "trainer.epochs=3"
    )
    # Each epoch names a state and the manifest: two are saved.
    fault = f"kill@os.rename@*/checkpoints/*@5@{tmp_path / 'happened'}"
    assert command.finish(fault) == 0, command.errors
    assert (tmp_path / "happened").exists()
    (trial,) = command.trials
    assert trial.outcome is not None
    assert (trial.state, trial.outcome.attempts) == ("complete", 2)
    screen = Path(trial.outcome.folders[0], "screen.log").read_text()
    assert "it continues after epoch 2." in screen
    run = runs_by_name(command)[name_of(trial)]
    assert run["status"] == "FINISHED"
    assert run["tags"]["resumed.count"] == "1"
    assert [step for step, _ in run["points"]["loss"]] == [1, 2, 3]


def test_a_failed_trial_does_not_end_a_search(search: Callable[..., Search]) -> None:
    command = search(GRID, "optimizer.lr=1e-3,1e-2", "trainer.epochs=1", NO_RETRIES)
    fault = "raise@open@*lr_0.001-*/unfinished-origin.json@1@"
    assert command.finish(fault) == 0, command.errors
    failed, good = command.trials
    assert (failed.state, good.state) == ("failed (error)", "complete")
    runs = runs_by_name(command)
    assert runs[name_of(failed)]["status"] == "FAILED"
    assert runs[name_of(good)]["status"] == "FINISHED"
    assert parent_of(command)["status"] == "FINISHED"


def trial_of(search: Search, *overrides: str) -> Trial:
    (trial,) = [t for t in search.trials if set(overrides) <= set(t.overrides)]
    return trial


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_search_goes_on_after_each_failure(failures: Search) -> None:
    good = [t for t in failures.trials if t.state == "complete"]
    assert {t.proposal.values["optimizer.lr"] for t in good} == {1e-3, 6e-3}
    assert len(failures.trials) == 7
    assert parent_of(failures)["status"] == "FINISHED"
    assert len(runs_by_name(failures)) == 8
    assert_ends_soon(failures)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("override", "state", "reason", "status"),
    [
        (
            "optimizer.lr=0.002",
            "failed (error)",
            "RuntimeError: injected in two lines",
            "FAILED",
        ),
        (
            "optimizer.lr=0.003",
            "failed (oom)",
            "Out of memory with 4 images at a time",
            "FAILED",
        ),
        (
            "optimizer.lr=0.004",
            "failed (killed)",
            "its process ended by SIGKILL",
            "KILLED",
        ),
        (
            "optimizer.lr=0.005",
            "failed (killed)",
            "its process ended by SIGSEGV",
            "KILLED",
        ),
        ("optimizer.lr=1000000.0", "failed (nan)", "The loss", "FAILED"),
    ],
    ids=["exception", "memory", "SIGKILL", "segfault", "NaN"],
)
def test_a_failure_is_recorded_with_its_kind_and_its_reason(
    failures: Search, override: str, state: str, reason: str, status: str
) -> None:
    trial = trial_of(failures, override)
    assert trial.outcome is not None
    assert (trial.state, trial.objective, trial.outcome.attempts) == (state, None, 1)
    assert reason in str(trial.outcome.reason)
    assert "\n" not in str(trial.outcome.reason)
    assert Path(trial.outcome.folders[0], "screen.log").exists()
    assert runs_by_name(failures)[name_of(trial)]["status"] == status


@pytest.mark.slow
def test_a_config_that_only_its_own_trial_shows_to_be_wrong_fails_that_one(
    search: Callable[..., Search],
) -> None:
    command = search(
        GRID,
        # So many that not every combination is checked before the search begins.
        f"seed={','.join(map(str, range(90)))}",
        "model.blocks=[1,1]",
        "model.stem=imagenet",
        "model.head=average,notebook,max",
        "dataset.image_size=16,8,32",
        "hydra.sweeper.max_trials=6",
        "trainer.epochs=1",
    )
    assert command.finish() == 0, command.errors
    wrong = trial_of(command, "seed=0", "model.head=notebook", "dataset.image_size=8")
    assert wrong.outcome is not None
    assert (wrong.state, wrong.outcome.attempts) == ("failed (config)", 1)
    assert str(wrong.outcome.reason).startswith("The configuration has 1 problem: ")
    others = [trial.state for trial in command.trials if trial != wrong]
    assert others == ["complete"] * 5
    assert parent_of(command)["status"] == "FINISHED"


@pytest.mark.slow
def test_a_killed_last_trial_does_not_run_for_ever_in_the_record(
    search: Callable[..., Search], tmp_path: Path
) -> None:
    command = search(GRID, "optimizer.lr=1e-3,1e-2", "trainer.epochs=40", NO_RETRIES)
    # Once: what it has not sent, the search sends. And in its training: a process that
    # served another trial and dies at once is replaced.
    fault = f"kill@os.rename@*lr_0.01-*{SENT}@20@{tmp_path / 'happened'}"
    assert command.finish(fault) == 0, command.errors
    good, killed = command.trials
    assert (good.state, killed.state) == ("complete", "failed (killed)")
    assert runs_by_name(command)[name_of(killed)]["status"] == "KILLED"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_trial_that_hangs_is_ended(search: Callable[..., Search]) -> None:
    command = search(
        GRID,
        "optimizer.lr=1e-3,1e-2",
        "trainer.epochs=1",
        "hydra.sweeper.trial_minutes=1.5",
        NO_RETRIES,
    )
    fault = "hang@os.rename@*lr_0.001-*/checkpoints/*@2@"
    assert command.finish(fault, timeout=580) == 0, command.errors
    hung, good = command.trials
    assert (hung.state, good.state) == ("failed (timeout)", "complete")
    assert hung.outcome is not None
    assert hung.outcome.reason == "took longer than hydra.sweeper.trial_minutes=1.5"
    runs = runs_by_name(command)
    assert runs[name_of(hung)]["status"] == "KILLED"
    assert runs[name_of(good)]["status"] == "FINISHED"
    assert_ends_soon(command)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("launcher", [[], JOBLIB], ids=["basic", "joblib"])
def test_a_search_killed_at_random_moments_ends_the_same(
    search: Callable[..., Search],
    undisturbed: Search,
    generator: random.Random,
    launcher: list[str],
) -> None:
    command = search(*RANDOM, *launcher)
    for _ in range(5):
        process = command.start()
        # Each start gets on by a trial or so: the last moments would meet nobody.
        wait = generator.uniform(0, 0.6 * undisturbed.seconds)
        time.sleep(wait)
        process.kill()
        print(f"SIGKILL after {wait:.1f} s, exit code {process.wait()}")
    assert command.finish() == 0, command.errors
    assert_same_search(command, undisturbed)
    # Workers of joblib that were never given a trial stay for five minutes.
    assert_ends_soon(command, "experiments.workers.host")


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("launcher", [[], JOBLIB], ids=["basic", "joblib"])
def test_ctrl_c_saves_the_running_trials_and_the_same_command_continues(
    search: Callable[..., Search], launcher: list[str]
) -> None:
    command = search(GRID, "optimizer.lr=1e-3,1e-2", "trainer.epochs=60", *launcher)
    process = command.start()
    command.wait_for("*/checkpoints/manifest.json")
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(90) == 75, command.errors
    assert "Stopped by Ctrl-C. The same command continues." in command.errors
    assert "Traceback" not in command.errors
    assert_ends_soon(command)
    runs = read_runs(command.folder)
    assert {run["status"] for run in runs} == {"KILLED"}
    assert all(trial.outcome is None for trial in command.trials)
    assert command.finish() == 0, command.errors
    runs = read_runs(command.folder)
    assert {run["status"] for run in runs} == {"FINISHED"}
    assert len(runs) == 3
    assert "1" in [run["tags"].get("resumed.count") for run in runs]
    assert [trial.state for trial in command.trials] == ["complete", "complete"]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_budget_that_is_raised_only_adds_trials(
    search: Callable[..., Search], undisturbed: Search
) -> None:
    fewer = search(*RANDOM, "hydra.sweeper.max_trials=2")
    assert fewer.finish() == 0, fewer.errors
    before = fewer.trials
    assert len(before) == 2
    command = search(*RANDOM)
    assert command.finish() == 0, command.errors
    assert "The search goes on after 2 trials." in command.output
    assert command.trials[:2] == before
    assert_same_search(command, undisturbed)
