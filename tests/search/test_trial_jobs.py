"""Where the jobs of trials run; the tasks here import no framework."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from experiments.search.trial_jobs import choose_task, own_overrides
from experiments.workers.container import ContainedTask, DirectTask
from tests.conftest import ROOT
from tests.warm import run_to_the_end
from tests.workers.conftest import no_task

JOBLIB = "hydra/launcher=joblib"
# What a process sets before it imports a framework; this one has done so.
SETTINGS = {"KERAS_BACKEND", "CUDA_VISIBLE_DEVICES", "JAX_PLATFORMS"}


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
    search = settings(
        isolation="process", trial_minutes=2.0, silent_minutes=1.0, trials_per_process=4
    )
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
        silent_minutes=1.0,
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
from experiments.search.trial_jobs import import_keras_tuner
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
