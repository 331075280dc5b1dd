"""A real SLURM of one node, started for the tests by start_slurm.sh."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from tests.launchers.conftest import SEARCH, Sweep, continuations, results, wait_for

pytest.importorskip("hydra_plugins.hydra_submitit_launcher")
pytestmark = [
    pytest.mark.slurm,
    pytest.mark.skipif(
        os.getuid() != 0 or shutil.which("slurmctld") is None,
        reason="needs root and Debian's packages: see start_slurm.sh",
    ),
]
START = Path(__file__).with_name("start_slurm.sh")
LAUNCHER = "hydra/launcher=submitit_slurm"


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A SLURM that runs two jobs at a time; returns its configuration file."""
    folder = tmp_path_factory.mktemp("slurm")
    subprocess.run(["sh", str(START), str(folder)], check=True, timeout=120)
    yield str(folder / "slurm.conf")
    subprocess.run(["sh", str(folder / "stop")], check=True, timeout=60)


@pytest.fixture
def queue(
    slurm: str, sweep: Callable[..., Sweep], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Sweep]:
    """Makes a sweep whose jobs SLURM runs."""
    monkeypatch.setenv("SLURM_CONF", slurm)
    return lambda *overrides: sweep(LAUNCHER, *overrides)


def find_job(folder: Path) -> str:
    """Returns the number that SLURM gave to the job in a folder."""
    hydra = yaml.safe_load((folder / ".hydra" / "hydra.yaml").read_text())
    return str(hydra["hydra"]["job"]["id"])


def cancel(folder: Path, *options: str) -> str:
    """Cancels the job in a folder, and returns its number."""
    number = find_job(folder)
    subprocess.run(["scancel", *options, number], check=True)
    return number


def test_cancelled_trial_is_tried_again_from_its_checkpoint(
    queue: Callable[..., Sweep],
) -> None:
    search = queue(*SEARCH, "trainer.epochs=100")
    process = search.start()
    lucky = search.wait_for_checkpoint("optimizer.lr_0.001")
    unlucky = search.wait_for_checkpoint("optimizer.lr_0.01")
    cancel(lucky)
    first = cancel(unlucky)
    wait_for(lambda: find_job(unlucky) != first and continuations(unlucky))
    cancel(unlucky)
    done = search.finish(process)
    assert done.returncode == 0, done.stderr
    assert [trial.state for trial in search.trials] == ["complete", "failed (killed)"]
    outcomes = [trial.outcome for trial in search.trials]
    assert [outcome.attempts for outcome in outcomes] == [2, 2]
    assert outcomes[0].epochs == 100
    assert continuations(lucky) == 1
    wait_for(lambda: not search.processes())


def test_preempted_trial_is_queued_again_and_counts_as_one_attempt(
    queue: Callable[..., Sweep],
) -> None:
    search = queue(*SEARCH, "hydra.sweeper.max_trials=1", "trainer.epochs=60")
    process = search.start()
    folder = search.wait_for_checkpoint("optimizer.lr_0.001")
    cancel(folder, "--signal=USR2")  # as SLURM does ahead of a preemption
    done = search.finish(process)
    assert done.returncode == 0, done.stderr
    (trial,) = search.trials
    assert (trial.outcome.attempts, trial.outcome.epochs) == (1, 60)
    assert continuations(folder) == 1


def test_jobs_of_a_sweep_run_in_the_queue(queue: Callable[..., Sweep]) -> None:
    jobs = queue("seed=1,2", "debug=one_step")
    done = jobs.finish()
    assert done.returncode == 0, done.stderr
    assert {job["status"] for job in results(jobs).values()} == {"FINISHED"}
    assert len(results(jobs)) == 2
