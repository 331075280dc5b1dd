"""A small experiment in a folder of its own, trained once for all tests of a module."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from experiments.api.training import train
from experiments.command.composing.composed import Config, compose
from experiments.jobs.job import JobResult
from tests.tiny import TINY

WORDS = [
    *TINY,
    "gpu=cpu",
    "trainer.epochs=3",
    "trainer.batch_size=8",
    "trainer.max_steps_per_epoch=2",
    "schedule.warmup_epochs=0",
    "optimizer.lr=1e-2",
    "+tags.a=b",
]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the module's run is."""
    return tmp_path_factory.mktemp("api")


@pytest.fixture(scope="module")
def config(place: Path) -> Config:
    """Of the module's run."""
    return compose([*WORDS, f"output_dir={place / 'outputs'}"])


@pytest.fixture(scope="module")
def result(config: Config) -> Iterator[JobResult]:
    """What came of it."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield train(config, quiet=True)
    tf.config.run_functions_eagerly(False)


def small(*more: str, output_dir: Path, **options: Any) -> Config:
    """Returns another small experiment."""
    return compose([*WORDS, f"output_dir={output_dir}", *more], **options)
