"""What `conf/debug/` promises of each shipped model."""

from pathlib import Path
from typing import Any

import pytest

CONF = Path(__file__).resolve().parents[2] / "conf"

# Larger images than the digits are by default: for the notebook's head, which pools
# windows of 2 x 2, for whole patches, and for five halvings of Keras' networks.
_IMAGES = {
    "resnet50_notebook": ["dataset.image_size=37"],
    "keras_application": ["dataset.image_size=32"],
    "vit": ["dataset.image_size=12"],
    **{f"vit_{size}": ["dataset.image_size=16"] for size in ("base", "small", "tiny")},
    "resnet50_imagenet": ["model.weights=null"],  # a download, and for three channels
}
MODELS = sorted(
    path.stem
    for path in (CONF / "model").glob("*.yaml")
    if path.stem != "resnet"  # the table that the others fill in
)
# One of each kind within seconds; the shipped ones that take minutes are slow.
_KINDS = {
    "v1": ["model=resnet20_cifar"],
    "v1_5": ["model=resnet18", "model.width=16"],
    "v2": ["model=resnet20_cifar", "model.variant=v2"],
    "plain": ["model=plain20_cifar"],
    "vit": ["model=vit", "model.depth=2", *_IMAGES["vit"]],
    "keras": [
        *("model=keras_application", "model.architecture=MobileNetV2"),
        *("model.alpha=0.35", *_IMAGES["keras_application"]),
    ],
}
_HERE = ["tracking=off", "gpu=cpu", "trainer.progress=off", "debug=overfit"]


@pytest.mark.parametrize("name", MODELS)
def test_overfit_goes_with_every_model(check: Any, name: str) -> None:
    run = check(f"model={name}", "debug=overfit", *_IMAGES.get(name, ())).run
    assert run.trainer.overfit_batches == 1
    assert run.trainer.epochs == 600


def test_the_rate_is_the_optimizers_then_ten_times_it(check: Any) -> None:
    from experiments.builders.optimizer import find_rates

    for words, lr in (
        ([], 1e-4),
        (["optimizer.lr=3e-3"], 3e-3),
        (["optimizer=sgd"], 0.1),
        (["experiment=cifar10_resnet110"], 0.1),
    ):
        rates = find_rates(check("debug=overfit", *words).run, 1)
        assert rates(0) == pytest.approx(lr)
        assert rates(50) == pytest.approx(0.5 * lr)
        assert rates(100) == pytest.approx(10 * lr)
        assert rates(350) == pytest.approx(5 * lr)
        assert 0 < rates(599) < 0.01 * lr


def test_a_schedule_that_is_typed_is_taken(check: Any) -> None:
    from experiments.builders.optimizer import find_rates

    rates = find_rates(check("debug=overfit", "schedule=constant").run, 1)
    assert rates(0) == rates(599) == pytest.approx(1e-4)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("words", _KINDS.values(), ids=_KINDS)
def test_each_kind_learns_a_batch_by_heart(run_job: Any, words: list[str]) -> None:
    result = run_job(*words, *_HERE)
    assert str(result.reason).startswith("learnt this batch by heart")
    assert result.metrics["best_train_loss"] < 0.01


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("name", MODELS)
def test_model_learns_a_batch_of_digits_by_heart(run_job: Any, name: str) -> None:
    result = run_job(f"model={name}", *_HERE, *_IMAGES.get(name, ()))
    assert str(result.reason).startswith("learnt this batch by heart")
    assert result.metrics["best_train_loss"] < 0.01
