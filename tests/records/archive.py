"""The folders of results that earlier releases left, see README.md beside this."""

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
FORMATS = (1, 2, 3, 4, 5)
# Of every job in them, as `make.sh` types it.
SMALL = (
    "model=resnet20_cifar",
    "model.depth=null",
    "model.block=basic",
    "model.blocks=[1,1,1]",
    "model.width=4",
    "gpu=cpu",
    "trainer.max_steps_per_epoch=2",
    "trainer.max_validation_steps=2",
)
SEARCH = (
    "-m",
    *SMALL,
    "hydra/sweeper=keras_tuner",
    "hydra.sweeper.oracle=random",
    "optimizer=adam,sgd",
    "model.dropout=interval(0,0.5)",
    "optimizer.momentum=interval(0.8,0.98)",
    "hydra.sweeper.when={optimizer.momentum: 'optimizer=sgd'}",
    "name=search",
    "trainer.epochs=2",
)
SWEEP = (
    "-m",
    *SMALL,
    "name=sweep",
    "optimizer=adam,sgd",
    "trainer.epochs=2",
    "callbacks=[default,median_pruner]",
    "tracking.log_model=none",
)
FINISHED = (*SMALL, "name=finished", "trainer.epochs=2")
STOPPED = (
    *SMALL,
    "name=stopped",
    "trainer.epochs=3",
    "seed=1",
    "tracking.log_model=none",
)
KILLED = (
    *SMALL,
    "name=killed",
    "trainer.epochs=100",
    "seed=2",
    "schedule=step",
    "augment=flip_crop",
    "augment.flip_crop.flip=false",
    "augment.flip_crop.pad=1",
    "tracking.log_model=none",
)
PAUSED = (
    *SMALL,
    "name=paused",
    "trainer.epochs=3",
    "seed=3",
    "schedule=polynomial",
    "optimizer=adamw",
    "optimizer.ema_momentum=0.9",
    "callbacks=[default,plateau]",
    "tracking.log_model=none",
)


@pytest.fixture(params=FORMATS, ids=lambda number: f"format_{number}")
def outputs(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The folder of results of each format, where commands of the test look for it."""
    return unpack(tmp_path, request.param)


@pytest.fixture
def last_outputs(tmp_path: Path) -> Path:
    """The folder of results of the format before this one."""
    return unpack(tmp_path, FORMATS[-1])


def unpack(folder: Path, number: int) -> Path:
    """Returns the folder of results of a format, unpacked into `folder`."""
    # Python 3.11.2 has no filters yet, and 3.12 warns where none is named.
    options: dict[str, Any] = (
        {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
    )
    with tarfile.open(HERE / f"format_{number}.tar.xz") as archive:
        archive.extractall(folder, **options)
    return folder / "outputs"


def find_job(outputs: Path, name: str) -> Path:
    """Returns the only folder of a single run of this name."""
    (job,) = (outputs / "runs").glob(f"{name}-*")
    return job


def find_sweep(outputs: Path, name: str) -> Path:
    """Returns the only folder of a sweep of this name."""
    (sweep,) = (outputs / "sweeps").glob(f"{name}-*")
    return sweep


def read_result(job: Path) -> dict[str, Any]:
    """Returns what a job's result says."""
    found: dict[str, Any] = json.loads((job / "result.json").read_text())
    return found
