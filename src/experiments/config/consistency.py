"""Checks that span groups: two values that are fine alone and cannot go together."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from experiments.config.convert import nearest
from experiments.config.extras import check_backend
from experiments.config.model import ResNetConfig
from experiments.config.schedule import ScheduleConfig
from experiments.errors import Problem

if TYPE_CHECKING:
    from experiments.config.schema import RunConfig

METRICS = ("loss", "accuracy", "top5_accuracy")
EPOCH_METRICS = (*(f"val_{name}" for name in METRICS), *METRICS)


def check_consistency(run: "RunConfig") -> Iterator[Problem]:
    """Yields every contradiction between the groups of a typed config."""
    yield from _check_monitor(run)
    yield from _check_warmup(run)
    yield from _check_trainer(run)
    yield from _check_image(run)
    yield from _check_precision(run)
    yield from check_backend(run.backend)


def has_own_callbacks(run: "RunConfig") -> bool:
    """Tells whether a callback of the user's own may add metrics that nobody knows."""
    return any(
        not callback._target_.startswith(("experiments.", "keras."))
        for callback in run.callbacks.values()
    )


def _check_monitor(run: "RunConfig") -> Iterator[Problem]:
    """A metric that nobody computes would never pick a best epoch."""
    accepted = EPOCH_METRICS
    monitor = run.trainer.monitor
    if monitor not in accepted and not has_own_callbacks(run):
        message = f"must be one of {', '.join(accepted)}. Received: {monitor!r}."
        yield Problem("trainer.monitor", message, nearest(monitor, accepted))
    wanted = "min" if monitor.endswith("loss") else "max"
    if monitor in accepted and run.trainer.monitor_mode != wanted:
        yield Problem(
            "trainer.monitor_mode",
            f"must be {wanted} for {monitor}. Received: {run.trainer.monitor_mode}.",
        )


def _check_warmup(run: "RunConfig") -> Iterator[Problem]:
    schedule, epochs = run.schedule, run.trainer.epochs
    warmup = schedule.warmup_epochs if isinstance(schedule, ScheduleConfig) else 0
    if warmup and warmup >= epochs:
        yield Problem(
            "schedule.warmup_epochs",
            f"must be less than trainer.epochs={epochs}. Received: {warmup:g}.",
            "Set it to 0, or train longer.",
        )


def _check_trainer(run: "RunConfig") -> Iterator[Problem]:
    trainer = run.trainer
    if trainer.jit is True and trainer.deterministic:
        yield Problem(
            "trainer.jit",
            "cannot be true with trainer.deterministic=true: TensorFlow's determinism "
            "switches XLA off.",
            "Set one of them to false.",
        )
    if trainer.batch_size % trainer.accumulate_steps:
        yield Problem(
            "trainer.accumulate_steps",
            f"must divide trainer.batch_size={trainer.batch_size}. "
            f"Received: {trainer.accumulate_steps}.",
        )
    steps = trainer.max_steps_per_epoch
    if steps is not None and steps % trainer.steps_per_execution:
        yield Problem(
            "trainer.steps_per_execution",
            f"must divide trainer.max_steps_per_epoch={steps}. "
            f"Received: {trainer.steps_per_execution}.",
        )


def _check_image(run: "RunConfig") -> Iterator[Problem]:
    """A network with many strides leaves nothing of a small image."""
    size = run.dataset.known_size
    if isinstance(run.model, ResNetConfig) and size is not None:
        for problem in run.model.check_image(size):
            yield replace(problem, key=f"model.{problem.key}")


def _check_precision(run: "RunConfig") -> Iterator[Problem]:
    if run.gpu == "cpu" and run.trainer.precision != "float32":
        yield Problem(
            "trainer.precision",
            "must be float32 with gpu=cpu: a CPU is several times slower with half "
            f"precision. Received: {run.trainer.precision}.",
        )
