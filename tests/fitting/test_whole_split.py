"""A training on images of several labels each, from its table to its result."""

from pathlib import Path
from typing import Any

import pytest
from sklearn.metrics import average_precision_score

from experiments.evaluation.several_labels.table import read_several
from tests.drawn_shapes import SHAPES, SIZE, write_shapes

SMALL = (
    "model=resnet",
    "model.depth=null",
    "model.blocks=[1]",
    "model.block=basic",
    "model.width=8",
    "dataset=table",
    f"dataset.image_size={SIZE}",
    "dataset.label_delimiter=semicolon",
    "loss=binary_cross_entropy",
    "trainer.monitor=val_map",
    "trainer.epochs=2",
    "trainer.batch_size=16",
    "schedule.warmup_epochs=0",
    "optimizer.lr=1e-2",
    "augment=mixup",
    "gpu=cpu",
    "tracking=off",
)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_shapes(tmp_path_factory.mktemp("shapes"), 120)


@pytest.fixture(scope="module")
def trained(
    run_job_in: Any, table: Path, tmp_path_factory: pytest.TempPathFactory
) -> Any:
    folder = tmp_path_factory.mktemp("several")
    return run_job_in(folder, *SMALL, f"dataset.table={table}", "task.predictions=all")


def test_best_epoch_is_that_of_the_mean_average_precision(trained: Any) -> None:
    folder = Path(trained.output_dir)
    for split, prefix in (("validation", "best_val_"), ("test", "test_")):
        found = read_several(folder / "predictions" / f"{split}.parquet")
        ours = trained.metrics[f"{prefix}map"]
        assert ours == pytest.approx(
            average_precision_score(found.truth, found.outputs, average="macro")
        )
        assert found.class_names == SHAPES
        assert found.facts["state_sha256"] == trained.state_sha256
    assert trained.objective == trained.metrics["best_val_map"]
    assert 0 < trained.metrics["best_train_pr_auc"] < 1


def test_splits_name_all_labels_of_an_image(trained: Any, table: Path) -> None:
    rows = dict(
        line.rsplit(",", 2)[0:2]
        for line in Path(trained.output_dir, "splits.csv").read_text().splitlines()[1:]
    )
    said = [line.split(",")[:2] for line in table.read_text().splitlines()[1:]]

    assert rows == {name: labels.replace(";", "; ") for name, labels in said}


@pytest.mark.parametrize("stop", ["3", pytest.param("9", marks=pytest.mark.slow)])
def test_training_goes_on_to_the_same_bits(
    trained: Any, run_job: Any, table: Path, stop: str
) -> None:
    """Stopped inside the first epoch, and inside the second one."""
    words = (*SMALL, f"dataset.table={table}")
    from experiments.errors import Preempted

    with pytest.raises(Preempted):
        run_job(*words, f"trainer.max_steps={stop}")
    again = run_job(*words)

    assert again.state_sha256 == trained.state_sha256
    assert again.metrics == trained.metrics
