"""What a training keeps of its best epoch, beside what Keras measured of it."""

from pathlib import Path
from typing import Any

import pytest

from experiments.evaluation.scores import score
from experiments.evaluation.table import read_predictions

SMALL = (
    "model=resnet20_cifar",
    "model.depth=null",
    "model.block=basic",
    "model.blocks=[1,1,1]",
    "model.width=4",
    "gpu=cpu",
    "trainer.epochs=1",
    "schedule.warmup_epochs=0",
    "trainer.max_steps_per_epoch=2",
    "task.picture_grid=false",
    "tracking.log_model=none",
)


@pytest.mark.parametrize("head", ["average", "notebook"])
def test_table_says_what_keras_measured(run_job: Any, head: str) -> None:
    result = run_job(*SMALL, f"model.head={head}", "task.predictions=all")
    folder = Path(result.output_dir) / "predictions"
    for split, prefix in (("test", "test_"), ("validation", "best_val_")):
        found = read_predictions(folder / f"{split}.parquet")
        scores = score(found).overall
        assert scores["accuracy"] == pytest.approx(result.metrics[f"{prefix}accuracy"])
        loss = result.metrics[f"{prefix}loss"]
        assert scores["log_loss"] == pytest.approx(loss, rel=1e-5)
        assert found.facts["state_sha256"] == result.state_sha256
        assert found.facts["dataset"] == "digits"
        kept = Path(result.output_dir, "tracking", "artifacts", "predictions")
        assert (kept / f"{split}.parquet").is_file()


def test_nothing_is_kept_where_nothing_is_tested(run_job: Any) -> None:
    result = run_job(*SMALL, "tracking=off", "task.evaluate_test=false")
    assert not (Path(result.output_dir) / "predictions").exists()
