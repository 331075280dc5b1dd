"""A training on a part of each class, which is stopped and goes on."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from experiments import job_files
from experiments.errors import Preempted

IMAGES = 40  # of each of two classes: about 29 to train on, 14 or 15 of which are left
WORDS = (
    *("model=resnet", "model.depth=null", "model.blocks=[1]", "model.block=basic"),
    *("model.width=8", "dataset=folder", "dataset.image_size=8"),
    *("dataset.fraction=0.5", "dataset.scan_cache=null"),
    *("augment=flip_crop", "augment.flip_crop.pad=1"),
    *("trainer.epochs=2", "trainer.batch_size=8", "gpu=cpu", "tracking=off"),
    *("trainer.progress=off", "task.picture_grid=false"),
)


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    draw = np.random.default_rng(0)
    for name, least in (("dark", 0), ("light", 100)):
        folder = tmp_path / "photographs" / name
        folder.mkdir(parents=True)
        for number in range(IMAGES):
            pixels = draw.integers(least, least + 150, (8, 8, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(folder / f"{number}.png")
    return tmp_path / "photographs"


def test_it_ends_as_if_it_had_not_been_stopped(
    run_job: Any, photographs: Path, tmp_path: Path
) -> None:
    words = (*WORDS, f"dataset.path={photographs}")
    whole = run_job(*words, folder=tmp_path / "whole")
    steps = (tmp_path / "whole" / job_files.SPLITS).read_text().count(",train\n") // 8
    stopped = tmp_path / "stopped"
    with pytest.raises(Preempted):  # after a step of the second epoch
        run_job(*words, f"trainer.max_steps={steps + 1}", folder=stopped)
    before = (stopped / job_files.SPLITS).read_bytes()

    other = run_job(*words, folder=stopped)

    assert other.state_sha256 == whole.state_sha256
    assert other.metrics == whole.metrics
    assert (stopped / job_files.SPLITS).read_bytes() == before
    assert (tmp_path / "whole" / job_files.SPLITS).read_bytes() == before
    rows = list(csv.DictReader(before.decode().splitlines()))
    assert len(rows) < 2 * IMAGES  # what is left out is in no split
    for name in ("dark", "light"):
        kept = sum(row["class"] == name and row["split"] == "train" for row in rows)
        assert 10 <= kept <= 18
