"""Each optimizer trains, also by parts and clipped, and goes on to the same bits."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments import job_files
from experiments.builders.optimizer import build_optimizer
from experiments.config.schema.optimizer_classes import OPTIMIZERS
from experiments.errors import Preempted
from experiments.training.callbacks.checkpoint import Checkpoint
from experiments.training.checkpoints.state import digest
from experiments.training.checkpoints.store import load_last
from experiments.training.loop.fit import compile_model, fit
from experiments.training.loop.supervisor import Limits
from experiments.training.losses import build_loss
from experiments.training.metrics import build_metrics
from tests.conftest import CONF

# Those of the other modules here train elsewhere too.
OPTIONS = {
    "adadelta": "adadelta",
    "adagrad": "adagrad",
    "adamax": "adamax",
    "nadam": "nadam",
    "ftrl": "ftrl",
    "adafactor": "adafactor",
    "lamb": "lamb",
    "muon": "muon",
    "schedule_free_adamw": "schedule_free_adamw",
}


@pytest.mark.parametrize("option", OPTIONS)
def test_stopped_inside_an_epoch_it_ends_the_same(
    option: str, dense_model: Any, batches: Any, check: Any, tmp_path: Path
) -> None:
    free = option == "schedule_free_adamw"
    ema = "null" if free else "0.5"
    run = check(
        f"optimizer={option}",
        "optimizer.clip_norm=0.5",
        f"optimizer.ema_momentum={ema}",
        "schedule.warmup_epochs=1",
        "trainer.epochs=2",
    ).run

    def train(folder: Path, **limits: Any) -> Any:
        model = dense_model()
        compile_model(
            model,
            optimizer=build_optimizer(run, model, steps_per_epoch=3),
            loss=build_loss(from_logits=True, label_smoothing=0.0, num_classes=3),
            metrics=build_metrics(3),
            jit=False,
            micro_batch=4,
        )
        history = fit(
            model,
            train_from=lambda step: batches(6).skip(step).repeat(),
            validation=batches(2),
            epochs=2,
            steps_per_epoch=3,
            callbacks={
                "checkpoint": Checkpoint(
                    output_dir=folder, monitor="val_loss", mode="min"
                )
            },
            state=load_last(folder / job_files.CHECKPOINTS),
            limits=Limits(**limits),
        )
        return model, history

    whole, history = train(tmp_path / "whole")
    with pytest.raises(Preempted):
        train(tmp_path / "again", max_steps=4)
    again, other = train(tmp_path / "again")

    first = dense_model().get_weights()
    pairs = zip(whole.get_weights(), first, strict=True)
    assert all(not np.array_equal(now, then) for now, then in pairs)
    assert all(np.isfinite(array).all() for array in whole.get_weights())
    assert digest(again) == digest(whole)
    assert other.epochs == history.epochs
    # What the last epoch was judged by is what the training leaves.
    judged = whole.evaluate(batches(2), verbose=0, return_dict=True)
    assert judged["loss"] == pytest.approx(history.epochs[-1]["val_loss"], rel=1e-5)


def test_no_optimizer_is_left_out() -> None:
    files = {path.stem for path in (CONF / "optimizer").glob("*.yaml")}
    usual = {"adam", "adamw", "sgd", "rmsprop", "lion"}
    assert {name for name in files if "_" not in name or "free" in name} == {
        *usual,
        *OPTIONS,
    }
    assert len(OPTIMIZERS) == len(usual) + len(OPTIONS)


@pytest.mark.parametrize("target", OPTIMIZERS)
def test_what_is_kept_of_each_weight_is_what_memory_is_estimated_by(
    target: str, dense_model: Any
) -> None:
    from experiments.config.code.targets import resolve

    kind = resolve(target, key="optimizer", allowed=["experiments", "keras"])
    model = dense_model()
    optimizer = kind(0.1)
    optimizer.build(model.trainable_variables)
    kernel = model.trainable_variables[0]
    same = [v for v in optimizer.variables if v.shape == kernel.shape]

    wanted = 0 if target.endswith("SGD") else OPTIMIZERS[target].slots
    assert len(same) == wanted
    assert dataclasses.is_dataclass(OPTIMIZERS[target])
