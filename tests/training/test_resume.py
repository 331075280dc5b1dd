"""A training that is stopped anywhere and goes on ends as if nothing had happened."""

import functools
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from experiments import job_files
from experiments.data.augment.flip_crop import FlipCrop
from experiments.data.pipeline.pipeline import build_pipeline
from experiments.data.split import ArraySplit
from experiments.errors import Preempted
from experiments.interruption import StopRequest
from experiments.training.callbacks.checkpoint import Checkpoint
from experiments.training.callbacks.early_stopping import EarlyStopping
from experiments.training.callbacks.monitors import LearningRateMonitor, TerminateOnNaN
from experiments.training.callbacks.timing import Timing
from experiments.training.checkpoints.state import digest
from experiments.training.checkpoints.store import load_last
from experiments.training.loop.fit import compile_model, fit
from experiments.training.loop.supervisor import Limits
from experiments.training.losses import build_loss
from experiments.training.metrics import build_metrics
from experiments.training.optimizers.keras_classes import build_optimizer
from experiments.training.schedules import CosineSchedule

EPOCHS, STEPS, BATCH = 5, 6, 8
CLOCK = {"epoch_seconds", "images_per_second", "first_step_seconds"}


def split(count: int) -> ArraySplit:
    generator = np.random.default_rng(count)
    labels = generator.integers(0, 3, count)
    images = (
        generator.integers(0, 120, (count, 8, 8, 1)) + 60 * labels[:, None, None, None]
    )
    return ArraySplit(images.astype("uint8"), labels.astype("int32"))


@functools.cache
def train_from(step: int) -> Any:
    return build_pipeline(
        split(STEPS * BATCH + 3),
        image_shape=(8, 8, 1),
        batch_size=BATCH,
        seed=7,
        augment=[FlipCrop(pad=1, flip=True)],
        shuffle=True,
        epochs=None,
        start_step=step,
        drop_remainder=True,
    )


@functools.cache
def validation() -> Any:
    return build_pipeline(
        split(3 * BATCH),
        image_shape=(8, 8, 1),
        batch_size=BATCH,
        seed=0,
        shuffle=False,
        epochs=1,
        drop_remainder=False,
    )


def build_model(
    *, ema: float | None = 0.8, steps_per_execution: int = 1, peak_lr: float = 0.02
) -> Any:
    """A fresh classifier with everything that has a memory."""
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1), dtype="uint8"),
            keras.layers.Rescaling(1 / 255, name="normalise"),
            keras.layers.Conv2D(4, 3, name="conv"),
            keras.layers.BatchNormalization(momentum=0.8, name="norm"),
            keras.layers.Flatten(name="flatten"),
            keras.layers.Dropout(0.3, name="dropout"),
            keras.layers.Dense(3, name="head"),
        ],
        name="classifier",
    )
    schedule = CosineSchedule(
        peak_lr=peak_lr, steps_per_epoch=STEPS, epochs=EPOCHS, warmup_epochs=1
    )
    compile_model(
        model,
        optimizer=build_optimizer(
            keras.optimizers.Adam, lr=schedule, model=model, ema_momentum=ema
        ),
        loss=build_loss(from_logits=True, label_smoothing=0.1, num_classes=3),
        metrics=build_metrics(3),
        jit=False,
        steps_per_execution=steps_per_execution,
    )
    return model


class StopAt(keras.callbacks.Callback):
    """Asks to stop at a hook of an epoch, as a signal would."""

    def __init__(self, stop: StopRequest, hook: str, epoch: int, batch: int) -> None:
        super().__init__()
        self._stop, self._at = stop, (hook, epoch, batch)
        self._epoch = 0

    def _ask(self, hook: str, batch: int) -> None:
        if (hook, self._epoch, batch) == self._at:
            self._stop.request("SIGTERM")

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch = epoch
        self._ask("epoch_begin", 0)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._ask("step", batch)

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        self._ask("validation", batch)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._ask("epoch_end", 0)

    def get_state(self) -> dict[str, Any]:
        return {}

    def set_state(self, state: dict[str, Any]) -> None:
        pass


class StepSum(keras.callbacks.Callback):
    """A user's callback that gathers something in each epoch."""

    async_safe = True

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._sum = 0

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._sum += batch + 1

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs["step_sum"] = self._sum

    def get_state(self) -> dict[str, Any]:
        return {"sum": self._sum}

    def set_state(self, state: dict[str, Any]) -> None:
        self._sum = state["sum"]


@dataclass
class Training:
    """A training in a folder that may take several processes."""

    folder: Path
    ema: float | None = 0.8
    steps_per_execution: int = 1
    patience: int = 10
    peak_lr: float = 0.02
    with_validation: bool = True
    limits: Limits = field(default_factory=Limits)
    others: dict[str, Any] = field(default_factory=dict)

    def run(self, *at: Any) -> "Training":
        """Trains from wherever it stopped, to the end or to where `at` says."""
        stop = StopRequest()
        self.model = build_model(
            ema=self.ema,
            steps_per_execution=self.steps_per_execution,
            peak_lr=self.peak_lr,
        )
        monitor = "val_loss" if self.with_validation else "loss"
        self.checkpoint = Checkpoint(
            output_dir=self.folder, monitor=monitor, mode="min"
        )
        callbacks = {
            "timing": Timing(batch_size=BATCH),
            "lr_monitor": LearningRateMonitor(),
            "terminate_on_nan": TerminateOnNaN(),
            "step_sum": StepSum(),
            "checkpoint": self.checkpoint,
            "early_stopping": EarlyStopping(
                monitor=monitor, mode="min", patience=self.patience
            ),
            **self.others,
        }
        if at:
            callbacks["stop"] = StopAt(stop, *at)
        self.history = fit(
            self.model,
            train_from=train_from,
            validation=validation() if self.with_validation else None,
            epochs=EPOCHS,
            steps_per_epoch=STEPS,
            callbacks=callbacks,
            state=load_last(self.folder / job_files.CHECKPOINTS),
            stop=stop,
            limits=self.limits,
            phases=self.plan_phases(),
        )
        self.end = digest(self.model)
        return self

    def plan_phases(self) -> Any:
        """Returns the phases of `self.model`; `None` for a training without."""
        return None

    def interrupt(self, *at: Any, reason: str = "SIGTERM") -> tuple[int, int]:
        """Trains until it is stopped; returns where."""
        with pytest.raises(Preempted, match=reason):
            self.run(*at)
        return self.position

    @property
    def position(self) -> tuple[int, int]:
        """Where the saved state is: completed epochs, steps of the next one."""
        state = load_last(self.folder / job_files.CHECKPOINTS)
        assert state is not None
        return state.position.epoch, state.position.step

    @property
    def epochs(self) -> list[dict[str, float]]:
        """The metrics of each epoch, those of the clock left out."""
        return [
            {name: value for name, value in epoch.items() if name not in CLOCK}
            for epoch in self.history.epochs
        ]

    @property
    def best(self) -> tuple[int, str]:
        """The best epoch and its weights."""
        return self.checkpoint.load_best(self.model), digest(self.model)


def assert_same_end(training: Training, expected: Training) -> None:
    assert training.epochs == expected.epochs
    assert training.end == expected.end
    assert training.best == expected.best


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: Any) -> Callable[..., Training]:
    """Trains without any interruption; once for each set of options."""

    @functools.cache
    def train(**options: Any) -> Training:
        return Training(tmp_path_factory.mktemp("undisturbed"), **options).run()

    return train


@pytest.fixture
def compare(tmp_path: Path, undisturbed: Any) -> Callable[..., list[tuple[int, int]]]:
    """Compares a training that is stopped with one that is not."""

    def compare(*stops: tuple[Any, ...], **options: Any) -> list[tuple[int, int]]:
        stopped = Training(tmp_path, **options)
        positions = [stopped.interrupt(*at) for at in stops]
        assert_same_end(stopped.run(), undisturbed(**options))
        return positions

    return compare


@pytest.mark.parametrize(
    ("at", "position"),
    [
        (("step", 0, 0), (0, 1)),
        (("step", 1, 3), (1, 4)),
        (("step", 2, STEPS - 1), (2, STEPS)),
        (("validation", 2, 1), (2, STEPS)),
        (("epoch_end", 1, 0), (2, 0)),
        (("validation", EPOCHS - 1, 0), (EPOCHS - 1, STEPS)),
        (("step", EPOCHS - 1, 2), (EPOCHS - 1, 3)),
    ],
)
def test_stopped_training_ends_the_same(at: Any, position: Any, compare: Any) -> None:
    assert compare(at) == [position]


def test_training_stopped_several_times_ends_the_same(compare: Any) -> None:
    compare(
        ("step", 0, 2),
        ("step", 0, 4),
        ("validation", 1, 1),
        ("validation", 1, 0),
        ("step", 4, 0),
    )


@pytest.mark.parametrize(
    ("options", "stops"),
    [
        ({"ema": None}, [("step", 1, 3), ("validation", 2, 0)]),
        ({"with_validation": False}, [("step", 1, 3), ("step", 2, STEPS - 1)]),
        ({"steps_per_execution": 2}, [("step", 1, 1), ("step", 3, 3)]),
    ],
    ids=["plain", "no validation", "several steps an execution"],
)
def test_other_trainings_end_the_same(options: Any, stops: Any, compare: Any) -> None:
    compare(*stops, **options)


def test_killed_training_goes_on_from_its_last_state(
    tmp_path: Path, undisturbed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kill(self: Any, epoch: int, logs: Any = None) -> None:
        if epoch == 3:
            raise KeyboardInterrupt

    killed = Training(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(LearningRateMonitor, "on_epoch_begin", kill)
        with pytest.raises(KeyboardInterrupt):
            killed.run()

    assert killed.position == (3, 0)
    assert_same_end(killed.run(), undisturbed())


def test_early_stopping_stops_at_the_same_epoch(compare: Any, undisturbed: Any) -> None:
    options = {"patience": 2, "peak_lr": 3.0}
    last = len(undisturbed(**options).epochs)
    assert 2 < last < EPOCHS

    compare(("epoch_end", last - 2, 0), ("step", last - 1, 0), **options)


def test_what_remembers_nothing_is_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    training = Training(tmp_path)
    training.others = {"custom": keras.callbacks.LambdaCallback()}
    training.interrupt("step", 0, 2)
    assert "callbacks.custom" not in caplog.text

    training.interrupt("step", 0, 3)

    (record,) = [r for r in caplog.records if r.name.startswith("experiments.")]
    assert record.levelno == logging.WARNING
    assert "callbacks.custom" in record.message
    assert "LambdaCallback has no get_state() and set_state()" in record.message


def test_stop_without_a_checkpoint_says_that_nothing_is_saved(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stop = StopRequest()
    with pytest.raises(Preempted, match="SIGTERM") as stopped:
        fit(
            build_model(),
            train_from=train_from,
            validation=None,
            epochs=EPOCHS,
            steps_per_epoch=STEPS,
            callbacks={"stop": StopAt(stop, "step", 0, 1)},
            stop=stop,
        )

    assert stopped.value.advice == "The same command begins anew."
    assert "nothing is saved, because callbacks.checkpoint is off." in caplog.text


def test_finished_training_is_not_trained_any_further(tmp_path: Path) -> None:
    training = Training(tmp_path).run()
    epochs, end = training.epochs, training.end

    training.run()

    assert (training.epochs, training.end) == (epochs, end)


@pytest.mark.parametrize(
    ("steps", "position"), [(STEPS + 2, (1, 2)), (STEPS, (1, 0))], ids=["in", "after"]
)
def test_step_limit_stops_resumably_and_holds_when_continuing(
    steps: int, position: Any, tmp_path: Path, undisturbed: Any
) -> None:
    limited = Training(tmp_path, limits=Limits(max_steps=steps))

    for _ in range(2):
        assert limited.interrupt(reason=f"trainer.max_steps={steps}$") == position
        assert int(limited.model.optimizer.iterations) == steps

    limited.limits = Limits()
    assert_same_end(limited.run(), undisturbed())


@pytest.mark.parametrize(
    ("limits", "advice"),
    [
        (
            Limits(max_steps=1),
            "With more steps, or without it, the same command continues.",
        ),
        (Limits(max_minutes=1e-6), "The same command continues."),
    ],
    ids=["steps", "minutes"],
)
def test_advice_after_a_limit_is_a_command_that_continues(
    limits: Limits, advice: str, tmp_path: Path
) -> None:
    with pytest.raises(Preempted) as stop:
        Training(tmp_path, limits=limits).run()

    assert stop.value.advice == advice


def test_limit_that_is_the_last_step_does_not_stop(tmp_path: Path) -> None:
    training = Training(tmp_path, limits=Limits(max_steps=EPOCHS * STEPS)).run()

    assert len(training.epochs) == EPOCHS


def test_minute_limit_stops_resumably(tmp_path: Path) -> None:
    limited = Training(tmp_path, limits=Limits(max_minutes=1e-6))

    limited.interrupt(reason="trainer.max_minutes=1e-06")
