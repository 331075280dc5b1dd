from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from experiments.data.split import ArraySplit, FileSplit
from experiments.fitting import advice
from experiments.fitting.advice import LARGE_SHARE, WORTHWHILE_SECONDS, advise
from experiments.training.loop.spending import Spent


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing has been advised yet, and there are eight cores."""
    monkeypatch.setattr(advice, "_given", set())
    monkeypatch.setattr(advice.os, "cpu_count", lambda: 8)


def arrays() -> Any:
    images = np.zeros((4, 32, 32, 3), np.uint8)
    return ArraySplit(images, np.zeros(4, np.int32))


def files() -> Any:
    split = object.__new__(FileSplit)
    object.__setattr__(split, "paths", ("a", "b"))
    return split


def dataset(train: Any) -> Any:
    return SimpleNamespace(
        train=train, splits={"train": range(1000)}, image_shape=(224, 224, 3)
    )


def config(*, epochs: int = 100, every_epochs: int = 1, **keys: Any) -> Any:
    keys = {"cache": "auto", "decode_threads": None, "image_size": 224, **keys}
    return SimpleNamespace(
        trainer=SimpleNamespace(epochs=epochs),
        callbacks={"checkpoint": SimpleNamespace(every_epochs=every_epochs)},
        dataset=SimpleNamespace(**keys),
    )


def spent(**seconds: Any) -> Spent:
    return Spent(**{"seconds": 100.0, "data": 0.0, **seconds})


def advised(
    caplog: pytest.LogCaptureFixture, run: Any, *given: Spent, of: Any = None
) -> list[str]:
    for epoch, each in enumerate(given, start=1):
        advise(run, of or dataset(arrays()), each, epoch=epoch)
    return caplog.messages


def test_nothing_is_said_of_a_good_epoch(caplog: pytest.LogCaptureFixture) -> None:
    below = 100 * LARGE_SHARE - 1
    good = spent(data=below, saving=below, tracking=below, callbacks={"a": below})
    assert advised(caplog, config(), good) == []


def test_nothing_is_said_where_less_than_a_minute_is_lost(
    caplog: pytest.LogCaptureFixture,
) -> None:
    short = Spent(seconds=1.0, data=0.9)
    run = config(epochs=1 + int(WORTHWHILE_SECONDS / 0.9))
    assert advised(caplog, run, short) == []


def test_images_that_fit_are_to_be_kept(caplog: pytest.LogCaptureFixture) -> None:
    (line,) = advised(caplog, config(), spent(data=46.0), of=dataset(files()))
    assert line == (
        "46 % of epoch 1 went to waiting for images. Keep them in memory, 0.2 GB: "
        "dataset.cache=memory"
    )


@pytest.mark.parametrize("cache", ["memory", "auto"])
def test_images_that_are_kept_are_to_be_smaller(
    caplog: pytest.LogCaptureFixture, cache: str
) -> None:
    (line,) = advised(caplog, config(cache=cache), spent(data=46.0))
    assert line.endswith("Take smaller images: dataset.image_size=112")


def test_threads_that_were_few_are_named_first(
    caplog: pytest.LogCaptureFixture,
) -> None:
    run = config(decode_threads=1)
    (line,) = advised(caplog, run, spent(data=46.0), of=dataset(files()))
    assert line.endswith("Prepare them on all 8 cores: dataset.decode_threads=null")


def test_data_set_without_such_keys_is_left_to_its_author(
    caplog: pytest.LogCaptureFixture,
) -> None:
    run = config()
    run.dataset = SimpleNamespace()
    (line,) = advised(caplog, run, spent(data=46.0))
    assert line.endswith("Let the data set's own code do less for each image.")


def test_slow_callback_is_named(caplog: pytest.LogCaptureFixture) -> None:
    slow = spent(callbacks={"timing": 5.0, "tensorboard": 30.0})
    (line,) = advised(caplog, config(), slow)
    assert line == (
        "30 % of epoch 1 went to callbacks.tensorboard. Leave it out, if you can do "
        "without it: callbacks.tensorboard=null"
    )


@pytest.mark.parametrize(("every", "advice"), [(1, 13), (2, 26)])
def test_saving_is_to_take_a_twentieth(
    caplog: pytest.LogCaptureFixture, every: int, advice: int
) -> None:
    """40 s of saving to 60 s of steps: every 13th time it is 3.1 s of 63.1."""
    (line,) = advised(caplog, config(every_epochs=every), spent(saving=40.0))
    assert line.endswith(f"Save less often: callbacks.checkpoint.every_epochs={advice}")


def test_slow_recording_asks_for_a_faster_disk(
    caplog: pytest.LogCaptureFixture,
) -> None:
    (line,) = advised(caplog, config(), spent(tracking=30.0))
    assert "went to recording the run. Put output_dir=..." in line


def test_largest_loss_is_told_first_and_nothing_twice(
    caplog: pytest.LogCaptureFixture,
) -> None:
    slow = spent(data=25.0, callbacks={"mine": 30.0})
    first, second = advised(caplog, config(), slow, slow, slow)
    assert "callbacks.mine=null" in first
    assert "epoch 2 went to waiting for images" in second


def test_what_another_job_of_the_sweep_has_advised_is_not_told_again(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each job may have a process of its own, which knows of no other."""
    slow = spent(data=25.0, callbacks={"mine": 30.0})
    told = []
    for sweep in (tmp_path / "a", tmp_path / "a", tmp_path / "a", tmp_path / "b"):
        monkeypatch.setattr(advice, "_given", set())
        caplog.clear()
        advise(config(), dataset(arrays()), slow, epoch=1, sweep_dir=sweep)
        told.append([record.getMessage()[:30] for record in caplog.records])
    mine, data = ["30 % of epoch 1 went to callba"], ["25 % of epoch 1 went to waitin"]
    assert told == [mine, data, [], mine]


@pytest.mark.parametrize(
    "typed",
    [
        "dataset.cache=memory",
        "dataset.decode_threads=null",
        "dataset.image_size=112",
        "callbacks.timing=null",
        "trainer.progress=off",
        "optimizer.ema_momentum=null",
        "callbacks.checkpoint.every_epochs=13",
    ],
)
def test_what_is_advised_can_be_typed(check: Any, typed: str) -> None:
    assert check(typed)
