"""The optimizer of a config, with its schedule."""

from typing import Any

from experiments.config.schema.run import RunConfig
from experiments.config.targets import instantiate, resolve


def build_optimizer(
    run: RunConfig, model: Any, *, steps_per_epoch: int, lr_factor: float = 1.0
) -> Any:
    """Builds a fresh optimizer with its schedule for a built model."""
    from experiments.training.optimizers.keras_classes import build_optimizer, scale_lr

    arguments = run.optimizer.arguments()
    peak_lr = scale_lr(
        arguments.pop("lr"),
        batch_size=run.trainer.batch_size,
        reference_batch_size=run.trainer.reference_batch_size,
    )
    schedule = instantiate(
        run.schedule,
        key="schedule",
        allowed=run.allowed_targets,
        peak_lr=lr_factor * peak_lr,
        steps_per_epoch=steps_per_epoch,
        epochs=run.trainer.epochs,
    )
    optimizer_class = resolve(
        run.optimizer._target_, key="optimizer", allowed=run.allowed_targets
    )
    return build_optimizer(
        optimizer_class,
        lr=schedule,
        model=model,
        fused=run.trainer.fused_optimizer,
        **arguments,
    )
