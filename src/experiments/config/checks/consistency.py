"""Checks that span groups: two values that are fine alone and cannot go together."""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from experiments.config.checks.loss import check_loss
from experiments.config.checks.several_labels import (
    asks_each_class,
    check_several_labels,
)
from experiments.config.code.extras import check_audit, check_backend, check_export
from experiments.config.code.programs import name_command
from experiments.config.kinds.freezing import check_rate_factors
from experiments.config.kinds.objective import (
    EPOCH_METRICS,
    EPOCH_METRICS_SEVERAL,
    TOP5_FROM,
    Mode,
    check_objective,
)
from experiments.config.kinds.phases import check_phases
from experiments.config.schema.augment import FlipCropConfig
from experiments.config.schema.models.model import (
    KerasApplicationConfig,
    ResNetConfig,
    ViTConfig,
)
from experiments.config.schema.schedule import (
    MOST_MILESTONES,
    RestartsConfig,
    ScheduleConfig,
    StepConfig,
)
from experiments.config.schema.shipping import ExportTaskConfig
from experiments.config.schema.task import AuditTaskConfig, TrainTaskConfig
from experiments.counts import write_count
from experiments.errors import Problem

if TYPE_CHECKING:
    from experiments.config.schema.run import RunConfig

_OURS = ("experiments.", "keras.")


def check_consistency(run: "RunConfig") -> Iterator[Problem]:
    """Yields every contradiction between the groups of a typed config."""
    if isinstance(run.task, AuditTaskConfig):
        yield from check_audit()
    if isinstance(run.task, ExportTaskConfig):
        yield from check_export(run.task.formats)
    yield from _check_monitors(run)
    yield from _check_warmup(run)
    yield from check_phases(run)
    yield from _check_rate_factors(run)
    yield from _check_milestones(run)
    yield from _check_pad(run)
    yield from _check_trainer(run)
    yield from _check_image(run)
    yield from _check_precision(run)
    yield from _check_backend(run)
    yield from _check_folds(run)
    yield from check_loss(run)
    yield from check_several_labels(run)


def has_own_callbacks(run: "RunConfig") -> bool:
    """Tells whether a callback of the user's own may add metrics that nobody knows."""
    return any(
        not callback._target_.startswith(_OURS) for callback in run.callbacks.values()
    )


def check_classes(run: "RunConfig", name: str, key: str) -> Iterator[Problem]:
    """Yields a problem for a metric that is not measured with so few classes."""
    classes = run.dataset.known_classes
    few = classes is not None and classes < TOP5_FROM
    if few and name.endswith("top5_accuracy"):
        reason = f"needs {TOP5_FROM} classes or more, and the data set has {classes}."
        other = name.replace("top5_accuracy", "accuracy")
        yield Problem(key, f"{reason} Received: {name}.", f"Type {key}={other}.")


def _check_monitors(run: "RunConfig") -> Iterator[Problem]:
    """A metric that nobody computes, or turned the wrong way, picks no best epoch."""
    trainer = run.trainer
    common = (trainer.monitor, trainer.monitor_mode)
    yield from _check_monitor(run, *common, ("trainer.monitor", "trainer.monitor_mode"))
    for name, callback in run.callbacks.items():
        values = callback.arguments()
        monitor, mode = values.get("monitor"), values.get("mode", "auto")
        # What is wrong with the trainer's is told once, not for each that takes it.
        watches = callback._target_.startswith(_OURS) and (monitor, mode) != common
        if watches and isinstance(monitor, str):
            keys = (f"callbacks.{name}.monitor", f"callbacks.{name}.mode")
            yield from _check_monitor(run, monitor, mode, keys)


def _check_monitor(
    run: "RunConfig", name: str, mode: Mode, keys: tuple[str, str]
) -> Iterator[Problem]:
    several = asks_each_class(run)
    accepted = EPOCH_METRICS_SEVERAL if several else EPOCH_METRICS
    is_open = has_own_callbacks(run)
    yield from check_objective(
        name, mode, keys=keys, accepted=accepted, is_open=is_open
    )
    yield from check_classes(run, name, keys[0])


def _check_warmup(run: "RunConfig") -> Iterator[Problem]:
    schedule, epochs = run.schedule, run.trainer.epochs
    warmup = schedule.warmup_epochs if isinstance(schedule, ScheduleConfig) else 0
    if warmup and warmup >= epochs:
        yield Problem(
            "schedule.warmup_epochs",
            f"must be less than trainer.epochs={epochs}. Received: {warmup:g}.",
            f"Type schedule.warmup_epochs=0, or train longer: "
            f"trainer.epochs={int(warmup) + 1}.",
        )


def _check_rate_factors(run: "RunConfig") -> Iterator[Problem]:
    factors = run.optimizer.lr_factors
    if factors and isinstance(run.model, ResNetConfig | ViTConfig):
        stages = run.model.list_stages()
        yield from check_rate_factors(factors, stages, key="optimizer.lr_factors")


def _check_milestones(run: "RunConfig") -> Iterator[Problem]:
    """Each milestone is an operation of every step."""
    schedule, epochs = run.schedule, run.trainer.epochs
    every = schedule.every_epochs if isinstance(schedule, StepConfig) else None
    if every is not None and epochs / every > MOST_MILESTONES:
        yield Problem(
            "schedule.every_epochs",
            f"makes {write_count(int(epochs / every))} milestones of "
            f"trainer.epochs={epochs}, more than {write_count(MOST_MILESTONES)}. "
            f"Received: {every:g}.",
            "Set it higher, or take schedule=cosine.",
        )
    cosines = schedule.ends(epochs) if isinstance(schedule, RestartsConfig) else ()
    if len(cosines) > MOST_MILESTONES:
        yield Problem(
            "schedule.first_epochs",
            f"makes more than {write_count(MOST_MILESTONES)} cosines of "
            f"trainer.epochs={epochs}.",
            "Set it higher, or take schedule=cosine.",
        )


def _check_pad(run: "RunConfig") -> Iterator[Problem]:
    """Moved by its whole size an image is out of sight."""
    size = run.dataset.known_size
    if size is None:
        return
    for name, augment in run.augment.items():
        if isinstance(augment, FlipCropConfig) and augment.pad >= size:
            key = f"augment.{name}.pad"
            yield Problem(
                key,
                f"must be below the {size} pixels of the images, or they are moved out "
                f"of sight. Received: {augment.pad}.",
                f"Type {key}={size // 8}.",
            )


def _check_trainer(run: "RunConfig") -> Iterator[Problem]:
    trainer = run.trainer
    tensorflow = run.backend == "tensorflow"
    if trainer.jit is True and trainer.deterministic and tensorflow:
        yield Problem(
            "trainer.jit",
            "cannot be true with trainer.deterministic=true: TensorFlow's determinism "
            "switches XLA off.",
            "Type trainer.jit=false, or trainer.deterministic=false.",
        )
    if trainer.batch_size % trainer.accumulate_steps:
        yield Problem(
            "trainer.accumulate_steps",
            f"must divide trainer.batch_size={trainer.batch_size}. "
            f"Received: {trainer.accumulate_steps}.",
            "Type trainer.accumulate_steps="
            f"{math.gcd(trainer.batch_size, trainer.accumulate_steps)}.",
        )
    steps = trainer.max_steps_per_epoch
    if steps is not None and steps % trainer.steps_per_execution:
        yield Problem(
            "trainer.steps_per_execution",
            f"must divide trainer.max_steps_per_epoch={steps}. "
            f"Received: {trainer.steps_per_execution}.",
            "Type trainer.steps_per_execution="
            f"{math.gcd(steps, trainer.steps_per_execution)}.",
        )


def _check_image(run: "RunConfig") -> Iterator[Problem]:
    """A network with many strides leaves nothing of a small image."""
    size = run.dataset.known_size
    if size is None:
        return
    if isinstance(run.model, ResNetConfig | KerasApplicationConfig | ViTConfig):
        for problem in run.model.check_image(size):
            yield replace(problem, key=f"model.{problem.key}")


def _check_precision(run: "RunConfig") -> Iterator[Problem]:
    if run.gpu == "cpu" and run.trainer.precision != "float32":
        yield Problem(
            "trainer.precision",
            "must be float32 with gpu=cpu: a CPU is several times slower with half "
            f"precision. Received: {run.trainer.precision}.",
            "Type trainer.precision=float32.",
        )


def _check_backend(run: "RunConfig") -> Iterator[Problem]:
    """A wish that JAX would ignore without a word is refused."""
    yield from check_backend(run.backend)
    if run.backend != "jax":
        return
    trainer = run.trainer
    if trainer.onednn is True:
        reason = "must be auto or false with backend=jax: oneDNN is TensorFlow's."
        yield Problem(
            "trainer.onednn", f"{reason} Received: true.", "Type trainer.onednn=auto."
        )
    if trainer.threads is not None:
        reason = "must be null with backend=jax, which takes all cores it may use."
        hint = (
            f"Type trainer.threads=null; for fewer, taskset -c 0-3 {name_command()} ..."
        )
        received = f"Received: {trainer.threads}."
        yield Problem("trainer.threads", f"{reason} {received}", hint)


def _check_folds(run: "RunConfig") -> Iterator[Problem]:
    """A fold is there to be scored, and its predictions to be put together."""
    task = run.task
    if run.dataset.known_fold is None or not isinstance(task, TrainTaskConfig):
        return
    reason = "with dataset.folds, whose images are scored once by one job each."
    if not task.evaluate_test:
        hint = "Leave it out, or type dataset.folds=null."
        yield Problem("task.evaluate_test", f"must be true {reason}", hint)
    if task.predictions == "none":
        hint = "Type task.predictions=test."
        yield Problem("task.predictions", f"must be test or all {reason}", hint)
