"""Real processes of the real command, killed at chosen and at random moments."""

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.warm import start_command

INJECT = Path(__file__).parent / "inject"
SEED_VARIABLE = "FAULTS_SEED"
# Everything that keeps a memory: dropout, stochastic depth, averaged weights,
# augmentation, a schedule, early stopping, batch norm, shuffling.
JOB = (
    "model=resnet",
    "model.depth=null",
    "model.blocks=[1]",
    "model.block=basic",
    "model.width=8",
    "model.dropout=0.2",
    "model.stochastic_depth=0.2",
    "dataset=synthetic_small",
    "dataset.image_size=16",
    "augment=flip_crop",
    "optimizer.lr=3e-3",
    "optimizer.ema_momentum=0.9",
    "schedule=cosine",
    "schedule.warmup_epochs=2",
    "callbacks.early_stopping.patience=25",
    "trainer.epochs=40",
    "trainer.batch_size=4",
    "trainer.progress=plain",
    "gpu=cpu",
)
# Metrics of the clock are the only ones that may differ.
_CLOCK = ("epoch_seconds", "images_per_second", "first_step_seconds")
_MACHINE = ("time/", "system/")


class Command:
    """`run.py` with one job, in a folder of its own."""

    def __init__(self, folder: Path, *overrides: str) -> None:
        self.folder = folder
        self.overrides = overrides
        self.seconds = 0.0
        self.last_epoch = ""

    def start(self, fault: str = "", **environment: str) -> subprocess.Popen[str]:
        """Starts the command; `fault` is what `inject/sitecustomize.py` reads."""
        return start_command(
            [sys.executable, str(ROOT / "run.py"), *self.overrides],
            cwd=self.folder,
            env={
                **os.environ,
                "FAULT": fault,
                "PYTHONPATH": str(INJECT),
                "PYTHONWARNINGS": "",
                **environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def finish(self, **environment: str) -> subprocess.CompletedProcess[str]:
        """Runs the command to its end."""
        process = self.start(**environment)
        output, errors = process.communicate(timeout=280)
        return subprocess.CompletedProcess(
            self.overrides, process.returncode, output, errors
        )

    @property
    def result(self) -> dict[str, Any]:
        """The stored result of the only job."""
        (path,) = self.folder.glob("outputs/**/result.json")
        return dict(json.loads(path.read_text()))

    @property
    def job_folder(self) -> Path:
        """The folder of the only job."""
        (path,) = self.folder.glob("outputs/runs/*")
        return path


def read_runs(folder: Path) -> list[dict[str, Any]]:
    """Returns name, status, tags and all points of every run in the record."""
    from experiments.tracking.store.mlflow_import import import_mlflow

    client = import_mlflow().MlflowClient(f"sqlite:///{folder}/outputs/mlflow.db")
    ids = [experiment.experiment_id for experiment in client.search_experiments()]
    return [
        {
            "name": run.info.run_name,
            "status": run.info.status,
            "tags": run.data.tags,
            "params": run.data.params,
            "points": {
                name: [
                    (point.step, point.value)
                    for point in sorted(
                        client.get_metric_history(run.info.run_id, name),
                        key=lambda point: point.step,
                    )
                ]
                for name in sorted(run.data.metrics)
                if name not in _CLOCK and not name.startswith(_MACHINE)
            },
        }
        for run in client.search_runs(ids)
    ]


def assert_same_end(left: Command, right: Command) -> None:
    """Weights, optimizer, scores and the whole recorded history are equal."""
    for key in ("status", "state_sha256", "metrics", "objective"):
        assert left.result[key] == right.result[key], key
    (own,), (expected,) = read_runs(left.folder), read_runs(right.folder)
    assert own["points"] == expected["points"]
    assert own["params"] == _moved(expected["params"], own["params"])
    assert own["status"] == expected["status"] == "FINISHED"


def _moved(expected: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    """Returns the parameters with the only one that names a folder from `own`."""
    return {**expected, "output_dir": own["output_dir"]}


@pytest.fixture
def generator() -> random.Random:
    """Draws the moments; its seed is printed, and set by FAULTS_SEED."""
    seed = int(os.environ.get(SEED_VARIABLE) or time.time_ns() % 2**32)
    print(f"To draw the same moments again: {SEED_VARIABLE}={seed}")
    return random.Random(seed)


@pytest.fixture(scope="session")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Command:
    """The job that nobody disturbed: how long it took, and how its last epoch began."""
    command = Command(tmp_path_factory.mktemp("uninterrupted"), *JOB)
    begin = time.monotonic()
    done = command.finish()
    assert done.returncode == 0, done.stderr
    command.seconds = time.monotonic() - begin
    epochs = [x for x in done.stdout.splitlines() if x.startswith("epoch ")]
    command.last_epoch = epochs[-1].partition("  loss ")[0]
    return command


@pytest.fixture
def job(tmp_path: Path) -> Callable[..., Command]:
    """Makes the same job in a folder of its own, with further overrides."""
    return lambda *overrides: Command(tmp_path, *JOB, *overrides)
