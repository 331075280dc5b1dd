"""A training in phases: what learns when, at which rate, and over any interruption."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from experiments import job_files
from experiments.models.freezing import freeze_layers
from experiments.training.callbacks.early_stopping import EarlyStopping
from experiments.training.callbacks.plateau import ReduceOnPlateau
from experiments.training.checkpoints.store import load_last
from experiments.training.loop.fit import compile_model
from experiments.training.loop.phases import Phases
from experiments.training.loop.supervisor import Limits
from experiments.training.losses import build_loss
from experiments.training.metrics import build_metrics
from experiments.training.optimizers.keras_classes import build_optimizer
from experiments.training.schedules import CosineSchedule
from tests.training.test_resume import EPOCHS, STEPS, Training, assert_same_end

ENDS = (2, EPOCHS)  # the head for two epochs, then everything for three
PEAKS = (0.02, 0.005)


def compile_for(model: Any, number: int, ema: float | None) -> None:
    freeze_layers(model, ("all", "none")[number])
    begin = (0, *ENDS)[number]
    schedule = CosineSchedule(
        peak_lr=PEAKS[number], steps_per_epoch=STEPS, epochs=ENDS[number] - begin
    )
    compile_model(
        model,
        optimizer=build_optimizer(
            keras.optimizers.Adam, lr=schedule, model=model, ema_momentum=ema
        ),
        loss=build_loss(from_logits=True, label_smoothing=0.1, num_classes=3),
        metrics=build_metrics(3),
        jit=False,
    )


class PhasedTraining(Training):
    def plan_phases(self) -> Phases:
        compile_for(self.model, 0, self.ema)
        return Phases(
            ends=ENDS, compile_for=lambda n: compile_for(self.model, n, self.ema)
        )

    @property
    def phase(self) -> int:
        state = load_last(self.folder / job_files.CHECKPOINTS)
        assert state is not None
        return state.phase


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: Any) -> Callable[..., PhasedTraining]:
    @functools.cache
    def train(**options: Any) -> PhasedTraining:
        folder = tmp_path_factory.mktemp("undisturbed")
        training = PhasedTraining(folder, **options).run()
        assert isinstance(training, PhasedTraining)
        return training

    return train


@pytest.mark.parametrize(
    ("at", "position", "phase", "ema"),
    [
        (("step", 1, 3), (1, 4), 0, 0.8),  # in the last epoch of the first phase
        (("validation", 1, 0), (1, STEPS), 0, 0.8),
        (("epoch_end", 1, 0), (2, 0), 0, 0.8),
        (("epoch_end", 1, 0), (2, 0), 0, None),
        (("epoch_begin", 2, 0), (2, 0), 1, 0.8),  # its optimizer is new
        (("step", 2, 0), (2, 1), 1, 0.8),
        (("step", 3, 4), (3, 5), 1, None),
    ],
)
def test_training_that_is_stopped_anywhere_ends_the_same(
    at: Any, position: Any, phase: int, ema: Any, tmp_path: Path, undisturbed: Any
) -> None:
    stopped = PhasedTraining(tmp_path, ema=ema)
    assert stopped.interrupt(*at) == position
    assert stopped.phase == phase
    assert_same_end(stopped.run(), undisturbed(ema=ema))


def test_training_that_ends_its_steps_on_the_border_ends_the_same(
    tmp_path: Path, undisturbed: Any
) -> None:
    stopped = PhasedTraining(tmp_path, limits=Limits(max_steps=2 * STEPS))
    assert stopped.interrupt(reason="max_steps") == (2, 0)
    stopped.limits = Limits()
    assert_same_end(stopped.run(), undisturbed(ema=0.8))


@pytest.mark.parametrize("until", [1, 2])
def test_training_that_pauses_ends_the_same(
    until: int, tmp_path: Path, undisturbed: Any
) -> None:
    paused = PhasedTraining(tmp_path, limits=Limits(until_epoch=until)).run()
    assert len(paused.epochs) == until
    paused.limits = Limits()
    assert_same_end(paused.run(), undisturbed(ema=0.8))


def test_each_phase_follows_its_own_schedule_from_its_begin(undisturbed: Any) -> None:
    """Half a cosine a phase; `lr` is that of an epoch's last step."""
    expected = []
    for peak, epochs in zip(PEAKS, (2, 3), strict=True):
        last = STEPS * np.arange(1, epochs + 1) - 1
        expected += list(peak * (1 + np.cos(np.pi * last / (STEPS * epochs))) / 2)
    logged = [epoch["lr"] for epoch in undisturbed(ema=0.8).epochs]
    np.testing.assert_allclose(logged, expected, rtol=1e-5)


def test_what_learns_is_recorded_of_each_epoch(undisturbed: Any) -> None:
    head = 6 * 6 * 4 * 3 + 3
    everything = head + (9 * 4 + 4) + 2 * 4
    logged = [epoch["trainable_parameters"] for epoch in undisturbed(ema=0.8).epochs]
    assert logged == [head] * 2 + [everything] * 3


def test_body_is_at_rest_in_the_first_phase(tmp_path: Path) -> None:
    training = PhasedTraining(tmp_path, limits=Limits(until_epoch=2)).run()
    norm = training.model.get_layer("norm")
    for variable, value in zip(norm.variables, (1, 0, 0, 1), strict=True):
        assert (np.array(variable) == value).all()


def test_best_epoch_of_an_earlier_phase_is_loaded(tmp_path: Path) -> None:
    training = PhasedTraining(tmp_path, limits=Limits(until_epoch=2)).run()
    assert isinstance(training, PhasedTraining)
    best = training.best
    phases = training.plan_phases()
    phases.enter(1)
    training.checkpoint.compile_by(phases.enter)
    assert training.best == best
    assert phases.number == 0


def test_last_phase_alone_is_judged_by_early_stopping() -> None:
    callback = EarlyStopping(monitor="val_loss", patience=1)
    callback.set_model(keras.Sequential([keras.layers.Dense(1)]))
    callback.on_train_begin()
    callback.begin_phase(is_last=False)
    for epoch in range(3):
        callback.on_epoch_end(epoch, {"val_loss": 1.0})
    assert callback.get_state()["best"] is None
    callback.begin_phase(is_last=True)
    for epoch in range(3, 5):
        callback.on_epoch_end(epoch, {"val_loss": 1.0 + epoch})
    assert callback.model.stop_training


def test_plateau_begins_anew_with_a_phase() -> None:
    callback = ReduceOnPlateau(monitor="val_loss", patience=1, factor=0.1)
    callback.set_state({"best": 1.0, "wait": 0, "product": 1.0})
    callback._product = 0.1
    callback.begin_phase(is_last=True)
    assert callback.get_state() == {"best": None, "wait": 0, "product": 1.0}
