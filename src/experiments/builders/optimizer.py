"""The optimizer of a config, with its schedule."""

from collections.abc import Callable
from typing import Any

from experiments.config.code.targets import instantiate, resolve
from experiments.config.kinds.phases import Phase, list_phases
from experiments.config.schema.run import RunConfig


def build_optimizer(
    run: RunConfig,
    model: Any,
    *,
    steps_per_epoch: int,
    lr_factor: float = 1.0,
    phase: Phase | None = None,
) -> Any:
    """Builds a fresh optimizer with its schedule for a built model.

    Args:
        run: The checked config.
        model: A built `keras.Model`, its layers frozen as the phase has them.
        steps_per_epoch: Optimizer steps in an epoch.
        lr_factor: What the configured learning rate is multiplied by.
        phase: What it is for; `None` for the first one.
    """
    from experiments.models.layer_rates import find_rate_factors
    from experiments.training.optimizers.keras_classes import build_optimizer
    from experiments.training.optimizers.layer_rates import scale_rates

    arguments = run.optimizer.arguments()
    del arguments["lr"]
    schedule = build_schedule(
        run, phase or list_phases(run)[0], steps_per_epoch, lr_factor
    )
    optimizer_class = resolve(
        run.optimizer._target_, key="optimizer", allowed=run.allowed_targets
    )
    optimizer = build_optimizer(
        optimizer_class,
        lr=schedule,
        model=model,
        fused=run.trainer.fused_optimizer,
        **arguments,
    )
    scale_rates(optimizer, find_rate_factors(model, **rate_options(run)))
    return optimizer


def rate_options(run: RunConfig) -> dict[str, Any]:
    """Returns what the config says of the rates of layers, as keyword arguments."""
    optimizer = run.optimizer
    return {
        "decay": optimizer.layer_decay,
        "stem": optimizer.stem_lr_factor,
        "factors": optimizer.lr_factors,
    }


def build_schedule(
    run: RunConfig, phase: Phase, steps_per_epoch: int, lr_factor: float = 1.0
) -> Any:
    """Builds the schedule of a phase, whose steps are counted from its begin."""
    return instantiate(
        run.schedule,
        key="schedule",
        allowed=run.allowed_targets,
        peak_lr=lr_factor * scale_to_batch(run, phase.lr),
        steps_per_epoch=steps_per_epoch,
        epochs=phase.epochs,
    )


def find_rates(run: RunConfig, steps_per_epoch: int) -> Callable[[int], float]:
    """Returns what tells the rate of a step, counted from 0 over all epochs."""
    phases = list_phases(run)
    schedules = [build_schedule(run, phase, steps_per_epoch) for phase in phases]

    def rate_at(step: int) -> float:
        number = sum(step >= phase.end * steps_per_epoch for phase in phases[:-1])
        first = phases[number].begin * steps_per_epoch
        return float(schedules[number](step - first))

    return rate_at


def scale_to_batch(run: RunConfig, lr: float) -> float:
    """Returns the rate of a step of the configured batch, see `scale_lr`."""
    from experiments.training.optimizers.keras_classes import scale_lr

    return scale_lr(
        lr,
        batch_size=run.trainer.batch_size,
        reference_batch_size=run.trainer.reference_batch_size,
    )
