"""What `conf/debug/` promises of each shipped model."""

from pathlib import Path
from typing import Any

import pytest

CONF = Path(__file__).resolve().parents[2] / "conf"

# Within seconds; the others take minutes on two cores.
_QUICK = ("resnet20_cifar",)
# Needs images of 37 pixels at least: its head pools windows of 2 x 2.
_IMAGES = {"resnet50_notebook": ["dataset.image_size=37"]}
MODELS = sorted(path.stem for path in (CONF / "model").glob("*.yaml"))


@pytest.mark.timeout(3000)
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in _QUICK else pytest.mark.slow)
        for name in MODELS
        if name != "resnet"  # the table that the others fill in
    ],
)
def test_model_learns_a_batch_of_digits_by_heart(run_job: Any, name: str) -> None:
    typed = [f"model={name}", "tracking=off", "gpu=cpu", "trainer.progress=off"]
    result = run_job(*typed, *_IMAGES.get(name, ()), "debug=overfit")
    assert result.metrics["best_train_loss"] < 0.01
