import math
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from experiments.training.schedules import (
    ConstantSchedule,
    CosineSchedule,
    ExponentialSchedule,
    OneCycleSchedule,
    PolynomialSchedule,
    RestartsSchedule,
    StepSchedule,
)

PEAK = 0.4
# 10 epochs of 100 steps, of which 2 warm up from a tenth of the peak.
LENGTH = {"peak_lr": PEAK, "steps_per_epoch": 100, "epochs": 10}
WARMUP = {**LENGTH, "warmup_epochs": 2, "warmup_start": 0.1}


def value(schedule: Any, step: int) -> float:
    return float(schedule(step))


SHAPES = [
    (ConstantSchedule(**WARMUP), PEAK, PEAK),
    (CosineSchedule(**WARMUP), PEAK * 0.5, 0.0),
    (CosineSchedule(**WARMUP, end_lr_fraction=0.2), PEAK * 0.6, PEAK * 0.2),
    (PolynomialSchedule(**WARMUP), PEAK * 0.5, 0.0),
    (PolynomialSchedule(**WARMUP, power=2.0), PEAK * 0.25, 0.0),
    (PolynomialSchedule(**WARMUP, end_lr_fraction=0.5), PEAK * 0.75, PEAK * 0.5),
    (StepSchedule(**WARMUP, milestones=[5, 8]), PEAK * 0.1, PEAK * 0.01),
    (StepSchedule(**WARMUP, every_epochs=4, factor=0.5), PEAK * 0.5, PEAK * 0.25),
    (ExponentialSchedule(**WARMUP, factor=0.5), PEAK * 0.5**4, PEAK * 0.5**8),
]


@pytest.mark.parametrize(("schedule", "middle", "end"), SHAPES)
def test_schedule_has_its_closed_form_values(
    schedule: Any, middle: float, end: float
) -> None:
    values = [value(schedule, step) for step in (0, 100, 200, 600, 1000)]

    expected = [PEAK * 0.1, PEAK * 0.55, PEAK, middle, end]
    assert values == pytest.approx(expected, rel=1e-6, abs=1e-7)


@pytest.mark.parametrize(("schedule", "middle", "end"), SHAPES)
def test_schedule_stays_at_its_end_after_the_last_step(
    schedule: Any, middle: float, end: float
) -> None:
    assert value(schedule, 5000) == pytest.approx(end, abs=1e-7)


def test_cosine_is_a_quarter_down_where_the_formula_says() -> None:
    schedule = CosineSchedule(**LENGTH)

    assert value(schedule, 250) == pytest.approx(
        PEAK * 0.5 * (1 + math.cos(math.pi * 0.25)), rel=1e-6
    )


def test_without_warmup_the_first_step_has_the_peak() -> None:
    assert value(CosineSchedule(**LENGTH), 0) == pytest.approx(PEAK)


def test_warmup_may_be_a_fraction_of_an_epoch() -> None:
    schedule = ConstantSchedule(**LENGTH, warmup_epochs=0.5, warmup_start=0.0)

    assert [value(schedule, step) for step in (0, 25, 50)] == pytest.approx(
        [0.0, PEAK / 2, PEAK]
    )


@pytest.mark.parametrize(
    ("t_0", "t_mult", "peak_factor", "lowest"),
    [(2.0, 1, 1.0, 0.0), (1.0, 2, 0.7, 0.1), (2.5, 3, 0.2, 0.3)],
)
def test_restarts_follow_equation_5_of_sgdr(
    t_0: float, t_mult: float, peak_factor: float, lowest: float
) -> None:
    schedule = RestartsSchedule(
        **LENGTH,
        warmup_epochs=1,
        first_epochs=t_0,
        length_factor=t_mult,
        peak_factor=peak_factor,
        end_lr_fraction=lowest,
    )
    steps = range(100, 1000, 7)
    expected = []
    for step in steps:
        t_cur, t_i, top = (step - 100) / 100, t_0, 1.0
        while t_cur >= t_i:
            t_cur, t_i, top = t_cur - t_i, t_i * t_mult, top * peak_factor
        top = max(top, lowest)
        cosine = math.cos(math.pi * t_cur / t_i)
        expected.append(PEAK * (lowest + 0.5 * (top - lowest) * (1 + cosine)))

    found = [value(schedule, step) for step in steps]
    assert found == pytest.approx(expected, rel=1e-4, abs=1e-6)
    assert value(schedule, 5000) == value(schedule, 999)


def test_one_cycle_is_fastais() -> None:
    """Its combined_cos, with the end at the last step of the training."""
    schedule = OneCycleSchedule(
        **LENGTH, rising_fraction=0.25, start_divisor=25, end_divisor=1e5
    )

    def anneal(start: float, end: float, position: float) -> float:
        return start + (1 + math.cos(math.pi * (1 - position))) * (end - start) / 2

    def combined(position: float) -> float:
        if position < 0.25:
            return anneal(PEAK / 25, PEAK, position / 0.25)
        return anneal(PEAK, PEAK / 1e5, (position - 0.25) / 0.75)

    steps = range(0, 1000, 9)
    expected = [combined(step / 999) for step in steps]
    assert [value(schedule, s) for s in steps] == pytest.approx(expected, rel=1e-4)
    assert value(schedule, 0) == pytest.approx(PEAK / 25)
    assert value(schedule, 5000) == pytest.approx(PEAK / 1e5, abs=1e-7)


@pytest.mark.parametrize(
    "schedule",
    [
        RestartsSchedule(**LENGTH, first_epochs=2, length_factor=2, peak_factor=0.5),
        OneCycleSchedule(**LENGTH),
        ExponentialSchedule(**LENGTH, factor=0.9),
    ],
    ids=lambda schedule: type(schedule).__name__,
)
def test_schedule_is_the_same_compiled_and_after_saving(schedule: Any) -> None:
    config = keras.optimizers.schedules.serialize(schedule)
    copy = keras.optimizers.schedules.deserialize(config)
    compiled = tf.function(copy, jit_compile=True)

    for step in (0, 100, 333, 700, 999):
        found = float(compiled(tf.constant(step, "int64")))
        assert found == pytest.approx(value(schedule, step), rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("milestones", [[5, 8], [2.5]])
def test_step_falls_exactly_at_its_milestone(milestones: list[float]) -> None:
    schedule = StepSchedule(**LENGTH, milestones=milestones)
    boundary = round(milestones[0] * 100)

    assert value(schedule, boundary - 1) == pytest.approx(PEAK)
    assert value(schedule, boundary) == pytest.approx(PEAK * 0.1)


def test_step_falls_at_the_right_step_late_in_a_long_training() -> None:
    # 30 * 5005 steps: a float32 quotient would round to the wrong side somewhere.
    schedule = StepSchedule(
        peak_lr=0.1, steps_per_epoch=5005, epochs=90, every_epochs=30
    )

    steps = [30 * 5005 - 1, 30 * 5005, 60 * 5005 - 1, 60 * 5005, 90 * 5005 - 1]
    assert [value(schedule, s) for s in steps] == pytest.approx(
        [0.1, 0.01, 0.01, 0.001, 0.001]
    )


@pytest.mark.parametrize(
    "arguments", [{}, {"milestones": [3], "every_epochs": 2}], ids=["none", "both"]
)
def test_step_wants_its_milestones_in_exactly_one_way(
    arguments: dict[str, Any],
) -> None:
    with pytest.raises(ValueError, match="Exactly one of"):
        StepSchedule(**LENGTH, **arguments)


def test_warmup_as_long_as_training_is_refused() -> None:
    with pytest.raises(ValueError, match=r"less than trainer.epochs, which is 10"):
        CosineSchedule(**LENGTH, warmup_epochs=10)


@pytest.mark.parametrize(("schedule", "middle", "end"), SHAPES)
def test_schedule_survives_serialisation(
    schedule: Any, middle: float, end: float
) -> None:
    config = keras.optimizers.schedules.serialize(schedule)
    copy = keras.optimizers.schedules.deserialize(config)

    assert type(copy) is type(schedule)
    assert copy.get_config() == schedule.get_config()
    assert value(copy, 600) == value(schedule, 600)


@pytest.mark.parametrize(("schedule", "middle", "end"), SHAPES)
def test_compiled_schedule_equals_the_eager_one(
    schedule: Any, middle: float, end: float
) -> None:
    compiled = tf.function(schedule, jit_compile=True)
    steps = (0, 150, 450, 999)

    values = [float(compiled(tf.constant(step, "int64"))) for step in steps]

    assert values == pytest.approx([value(schedule, s) for s in steps], rel=1e-5)


def test_saved_model_brings_its_schedule_back(dense_model: Any, tmp_path: Any) -> None:
    model = dense_model(keras.optimizers.Adam(CosineSchedule(**WARMUP)))
    model.train_on_batch(np.zeros((2, 4)), np.zeros(2))

    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")

    assert float(loaded.optimizer.learning_rate) == pytest.approx(
        value(CosineSchedule(**WARMUP), 1)
    )
