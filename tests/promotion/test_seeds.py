"""Which of several seeds is promoted: the best by its validation, never by its test."""

import math
from pathlib import Path

import pytest
import yaml

from experiments.errors import ExperimentError
from experiments.jobs.job import JobResult, Status
from experiments.promotion import seeds
from experiments.promotion.seeds import choose_seed


@pytest.fixture(autouse=True)
def _plain_configs(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(folder: Path) -> object:
        return yaml.safe_load((folder / "config.yaml").read_text())

    monkeypatch.setattr(seeds, "read_folder_config", read)


def leave(
    folder: Path,
    seed: int,
    score: float,
    *,
    test: float = 0.5,
    status: Status = "FINISHED",
    monitor: str = "val_accuracy",
) -> Path:
    """Returns the folder of a training that has ended."""
    place = folder / f"seed_{seed}"
    place.mkdir()
    trainer = {"monitor": monitor, "monitor_mode": "auto"}
    content = {"seed": seed, "trainer": trainer}
    (place / "config.yaml").write_text(yaml.safe_dump(content))
    JobResult(
        name=f"seed={seed}",
        status=status,
        metrics={f"best_{monitor}": score, "test_accuracy": test},
        output_dir=str(place),
    ).save()
    return place


def test_best_by_validation_is_chosen_although_another_tests_better(
    tmp_path: Path,
) -> None:
    folders = [
        leave(tmp_path, 7, 0.8, test=0.9),
        leave(tmp_path, 5, 0.9, test=0.6),
        leave(tmp_path, 6, 0.7, test=0.6),
    ]
    found = choose_seed(folders)
    assert found.chosen.seed == 5
    assert found.chosen.folder == folders[1]
    assert [member.seed for member in found.members] == [5, 6, 7]
    assert found.estimate_test().mean == pytest.approx(0.7)


def test_smallest_loss_is_the_best_one(tmp_path: Path) -> None:
    folders = [
        leave(tmp_path, seed, score, monitor="val_loss")
        for seed, score in enumerate((0.4, 0.2, 0.3))
    ]
    assert choose_seed(folders).chosen.seed == 1


def test_training_that_failed_or_has_no_number_does_not_count(tmp_path: Path) -> None:
    failed = leave(tmp_path, 0, 0.99, status="FAILED")
    without = leave(tmp_path, 1, math.nan)
    good = leave(tmp_path, 2, 0.5)
    assert choose_seed([failed, without, good]).chosen.seed == 2
    with pytest.raises(ExperimentError, match="No training of the best trial"):
        choose_seed([failed, without])
