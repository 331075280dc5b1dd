"""A sweep tells its jobs where they belong, and is closed however it ends."""

from typing import Any

import pytest
from hydra.core.hydra_config import HydraConfig

from experiments.command.composing.loader import CheckedHydra
from experiments.errors import (
    DataError,
    Preempted,
)
from experiments.jobs.folder import claim_folder
from tests.launch.starting import raising, refuse_to_run, start


def test_jobs_of_a_sweep_are_told_folder_and_swept_keys(
    plan: Any, closed: list[Any]
) -> None:
    seen: list[Any] = []

    def run(_: Any) -> None:
        hydra = HydraConfig.get()
        seen.append((hydra.sweep.dir, dict(hydra.job.env_set)))

    assert start(run, "-m", "seed=1,2") == 1
    assert closed == [None]
    told = {
        "EXPERIMENTS_SWEPT_KEYS": "model seed",
        "EXPERIMENTS_SWEEP_FOLDER": str(plan.folder),
        "EXPERIMENTS_SWEEP_JOBS": "",
        "EXPERIMENTS_SCRIPT": "run.py",
    }
    assert seen == [(str(plan.folder), told)]


@pytest.mark.parametrize(
    ("error", "code", "reason"),
    [
        (KeyboardInterrupt(), 130, "stopped by Ctrl-C"),
        (Preempted("SIGTERM"), 75, "stopped by SIGTERM"),
        (DataError("No file."), 1, "No file."),
    ],
)
def test_sweep_that_ends_early_is_closed_with_its_reason(
    plan: Any,
    monkeypatch: pytest.MonkeyPatch,
    closed: list[Any],
    error: BaseException,
    code: int,
    reason: str,
) -> None:
    monkeypatch.setattr(CheckedHydra, "multirun", raising(error))
    assert start(refuse_to_run, "-m") == code
    assert closed == [reason]


def test_sweep_in_another_process_is_not_started_twice(
    plan: Any, closed: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    plan.folder.mkdir()
    with claim_folder(plan.folder):
        assert start(refuse_to_run, "-m") == 1
    assert "is being worked on by process" in capsys.readouterr().err
    assert closed == []
