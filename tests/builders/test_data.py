from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments.builders.data import (
    build_dataset,
    build_pipelines,
    naming_damaged_files,
)
from experiments.errors import DataError
from tests.tiny import TINY


@pytest.mark.parametrize(
    ("overrides", "steps"),
    [
        ([], 2),
        (["trainer.drop_remainder=false"], 3),
        (["trainer.max_steps_per_epoch=1"], 1),
        (["trainer.overfit_batches=1"], 1),
    ],
)
def test_steps_of_an_epoch(check: Any, overrides: list[str], steps: int) -> None:
    run = check(*TINY, *overrides).run  # 40 training images in batches of 16
    pipelines = build_pipelines(run, build_dataset(run))
    assert pipelines.steps_per_epoch == steps


def test_the_batches_of_a_step_are_built_once(check: Any) -> None:
    run = check(*TINY).run
    pipelines = build_pipelines(run, build_dataset(run))
    first = pipelines.train_from(0)
    assert pipelines.train_from(0) is first
    batches = [next(iter(first))[1].numpy() for _ in range(2)]
    assert np.array_equal(*batches)
    later = next(iter(pipelines.train_from(1)))[1].numpy()
    assert np.array_equal(later, next(iter(first.skip(1)))[1].numpy())


def test_overfitting_repeats_the_same_batch(check: Any) -> None:
    run = check(*TINY, "trainer.overfit_batches=1", "augment=flip_crop").run
    pipelines = build_pipelines(run, build_dataset(run))
    first, second = (images for images, _ in pipelines.train_from(0).take(2))
    assert np.array_equal(first, second)


def test_file_damaged_while_training_is_named(check: Any, tmp_path: Path) -> None:
    from PIL import Image

    for number in range(40):
        folder = tmp_path / f"class{number % 2}"
        folder.mkdir(exist_ok=True)
        colour = (number * 6, 0, 0)
        Image.new("RGB", (16, 16), colour).save(folder / f"{number}.png")
    run = check(
        *TINY[:-2],
        "dataset=folder",
        f"dataset.path={tmp_path}",
        "dataset.image_size=16",
        "dataset.scan_cache=null",
    ).run
    dataset = build_dataset(run)
    victim = Path(dataset.train.paths[0])
    victim.write_bytes(victim.read_bytes()[:40])
    with pytest.raises(DataError, match=victim.name):
        _read_once(run, dataset)


def _read_once(run: Any, dataset: Any) -> None:
    with naming_damaged_files(dataset):
        list(build_pipelines(run, dataset).train_from(0).take(3))
