"""The real command with small jobs, on launchers that start processes elsewhere."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest

from experiments import job_files
from experiments.search.trials.journal import read_trials
from experiments.search.trials.trial import Trial
from tests.conftest import ROOT
from tests.warm import start_command

TINY = (
    "model=resnet",
    "model.depth=null",
    "model.blocks=[1]",
    "model.block=basic",
    "model.width=8",
    "dataset=synthetic_small",
    "dataset.image_size=16",
    "trainer.batch_size=4",
    "schedule.warmup_epochs=0",
    "callbacks.early_stopping=null",
    "gpu=cpu",
)
SEARCH = (
    "hydra/sweeper=keras_tuner",
    "hydra.sweeper.oracle=grid",
    "hydra.sweeper.start_from_current=false",
    "hydra.sweeper.n_jobs=2",
    "optimizer.lr=1e-3,1e-2",
)
_WAIT_SECONDS = 120


class Sweep:
    """`run.py -m` with small jobs in a folder of its own.

    Args:
        folder: Where it is started.
        overrides: Of the command line.
        cold: Start an interpreter that has imported nothing, as a user would.
        environment: Set beside what the tests have.
    """

    def __init__(
        self, folder: Path, *overrides: str, cold: bool = True, **environment: str
    ) -> None:
        self._folder = folder
        self._overrides = overrides
        self._cold = cold
        self._environment = environment

    def start(self) -> subprocess.Popen[str]:
        """Starts the command, in a process group of its own, as a terminal does."""
        return start_command(
            [sys.executable, str(ROOT / "run.py"), "-m", *TINY, *self._overrides],
            cold=self._cold,
            cwd=self._folder,
            env={**os.environ, "PYTHONWARNINGS": "", **self._environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def finish(
        self, process: subprocess.Popen[str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Waits for the end of the command, or runs it."""
        process = process or self.start()
        output, errors = process.communicate(timeout=280)
        return subprocess.CompletedProcess(
            self._overrides, process.returncode, output, errors
        )

    @property
    def folder(self) -> Path:
        """The folder of the only sweep."""
        (path,) = self._folder.glob("outputs/sweeps/*")
        return path

    @property
    def trials(self) -> Sequence[Trial]:
        """What the journal of the search says."""
        return read_trials(self.folder / job_files.SEARCH)

    def job_folder(self, name: str) -> Path:
        """Returns the folder of the job whose name begins like this, once it is there.

        Args:
            name: Such as `optimizer.lr_0.001`.
        """
        pattern = f"outputs/sweeps/*/{name}-*"
        return wait_for(lambda: next(self._folder.glob(pattern), None))

    def wait_for_checkpoint(self, name: str) -> Path:
        """Waits until a job has saved a state, and returns its folder."""
        folder = self.job_folder(name)
        wait_for(lambda: list(folder.glob("checkpoints/*.safetensors")))
        return folder

    def processes(self) -> list[psutil.Process]:
        """Returns the processes that stand in its folder."""
        found = []
        for process in psutil.process_iter():
            try:
                if Path(process.cwd()).is_relative_to(self._folder):
                    found.append(process)
            except psutil.Error:
                continue
        return found


def wait_for(look: Callable[[], Any]) -> Any:
    """Waits until `look` finds something, and returns it."""
    deadline = time.monotonic() + _WAIT_SECONDS
    while not (found := look()):
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.1)
    return found


def continuations(folder: Path) -> int:
    """Returns how often a trial went on from a saved state, by its own words."""
    return (folder / "screen.log").read_text().count("it continues after epoch")


def results(sweep: Sweep) -> dict[str, Any]:
    """Returns the name and the result of each job of a sweep."""
    found = [json.loads(p.read_text()) for p in sweep.folder.glob("*/result.json")]
    return {result["name"]: result for result in found}


@pytest.fixture
def sweep(tmp_path: Path) -> Callable[..., Sweep]:
    """Makes a sweep in a folder of its own."""
    return lambda *overrides, **options: Sweep(
        tmp_path.resolve(), *overrides, **options
    )
