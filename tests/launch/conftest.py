"""A command line of its own for each test, and what checking it gives."""

import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from omegaconf import OmegaConf

from experiments.command.plan import Plan
from experiments.disk_space import DiskSpace
from experiments.jobs import running
from experiments.launch import execution, processes

assert running  # knows `${job_folder:}`, as in `run.py`


@pytest.fixture(autouse=True)
def _own_command_line(own_log: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Gives back the command line, streams and variables that the tests change."""
    for variable in (processes.PROCESS_VARIABLE, processes.SCRIPT_VARIABLE):
        monkeypatch.setenv(variable, "")
    monkeypatch.setenv(processes.SAFE_PATH_VARIABLE, "")
    monkeypatch.setenv("EXPERIMENTS_LOCAL_KEYS", "")
    monkeypatch.setattr(sys, "argv", ["run.py"])
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, getattr(sys, name))
        # Of others absl's log handler takes it that it may close them.
        monkeypatch.setattr(sys, f"__{name}__", getattr(sys, name))


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The plan that checking any command line gives."""
    config = OmegaConf.create({"seed": 5, "copy": "${seed}"})
    plan = Plan(
        run=SimpleNamespace(  # type: ignore[arg-type]
            model=None,
            fresh=False,
            sweep=SimpleNamespace(
                max_hours=None, job_minutes=None, silent_minutes=None, keep_top=None
            ),
            task=None,
            gpu="cpu",
            from_search=None,
            run_id=None,
            plan=False,
            allowed_targets=["experiments"],
            disk_space=lambda: DiskSpace(folder=tmp_path),
        ),
        config=config,
        folder=tmp_path / "it's here",
        overrides=(),
        jobs=(),
        job_folders=(),
        swept_keys=("model", "seed"),
    )

    def check(*_: Any, multirun: bool, **__: Any) -> Plan:
        settings = ("hydra.mode=MULTIRUN",) if multirun else ()
        return replace(plan, multirun=multirun, settings=settings)

    monkeypatch.setattr(execution, "check", check)
    return plan


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Why each sweep was closed; closing answers with the exit code 1."""
    closed: list[Any] = []

    def close(parent: Any, plan: Any, *, stopped_by: str | None = None) -> int:
        closed.append(stopped_by)
        return 1

    parent = SimpleNamespace(run_id="abc")
    monkeypatch.setattr("experiments.sweeps.closing.open_sweep", lambda plan: parent)
    monkeypatch.setattr("experiments.sweeps.closing.close_sweep", close)
    return closed
