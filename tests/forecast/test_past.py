"""What a real job has left tells what another like it takes."""

from pathlib import Path
from typing import Any

from experiments.forecast.past import describe_run, is_alike, list_past

SMALL = (
    "model=resnet20_cifar",
    "model.depth=null",
    "model.block=basic",
    "model.blocks=[1,1,1]",
    "model.width=4",
    "gpu=cpu",
    "trainer.epochs=2",
    "trainer.max_steps_per_epoch=2",
    "trainer.max_validation_steps=1",
    "task.picture_grid=false",
    "tracking.log_model=none",
)


def test_job_is_like_one_that_was_run_and_unlike_others(
    run_job: Any, check: Any, tmp_path: Path
) -> None:
    run_job(*SMALL)
    (past,) = list_past(tmp_path / "outputs")
    assert past.epoch_seconds > 0
    assert past.bytes > 0

    def alike(*words: str) -> bool:
        return is_alike(describe_run(check(*SMALL, *words).run), past)

    assert alike("seed=7", "optimizer.lr=1e-2", "trainer.epochs=50")
    # The same keys, another network or other data.
    assert not alike("model=plain20_cifar")
    assert not alike("dataset=fashion_mnist", "dataset.image_size=10")
    assert not alike("trainer.batch_size=8")
