"""Processes that submitit starts on this machine."""

import os
import signal
from collections.abc import Callable

import pytest

from tests.launchers.conftest import SEARCH, Sweep, continuations, results, wait_for

pytest.importorskip("hydra_plugins.hydra_submitit_launcher")


def test_search_stopped_by_ctrl_c_goes_on(sweep: Callable[..., Sweep]) -> None:
    launcher = "hydra/launcher=submitit_local"
    search = sweep(*SEARCH, launcher, "trainer.epochs=15", cold=False)
    process = search.start()
    folder = search.wait_for_checkpoint("optimizer.lr_0.001")
    os.killpg(process.pid, signal.SIGINT)  # what a terminal does
    stopped = search.finish(process)
    assert stopped.returncode == 75
    assert "Stopped by Ctrl-C. The same command continues." in stopped.stderr
    assert [trial.outcome for trial in search.trials] == [None, None]
    wait_for(lambda: not search.processes())
    done = search.finish()
    assert done.returncode == 0, done.stderr
    assert [trial.state for trial in search.trials] == ["complete", "complete"]
    assert [trial.outcome.epochs for trial in search.trials] == [15, 15]
    assert continuations(folder) == 1
    # submitit's own files are beside those of the trials, a folder a start.
    assert len(list(search.folder.glob(".submitit/*/*_submitted.pkl"))) == 4
    assert len(list(search.folder.glob("optimizer.lr_*"))) == 2


@pytest.mark.slow
def test_jobs_of_a_sweep_run_side_by_side(sweep: Callable[..., Sweep]) -> None:
    jobs = sweep("seed=1,2", "hydra/launcher=submitit_local", "debug=one_step")
    done = jobs.finish()
    assert done.returncode == 0, done.stderr
    assert {name: job["status"] for name, job in results(jobs).items()} == {
        "seed=1": "FINISHED",
        "seed=2": "FINISHED",
    }
    assert "job 2 of 2 finished" in done.stdout
    assert "| 1 | 2 |" in done.stdout  # a row for both seeds
