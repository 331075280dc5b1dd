"""What a model of a config is trained on, and judged by."""

from typing import Any

from experiments.config.schema.run import RunConfig


def build_judgement(run: RunConfig, model: Any, classes: int) -> dict[str, Any]:
    """Builds the losses and metrics of a model.

    Args:
        run: The checked config.
        model: A `keras.Model` of one output `(B, classes)`.
        classes: How many classes there are.

    Returns:
        `loss`, `training_loss` and `metrics` of `compile_model`.
    """
    from experiments.training.losses import (
        build_loss,
        build_training_loss,
        outputs_probabilities,
    )
    from experiments.training.metrics import build_metrics

    head: dict[str, Any] = {
        "from_logits": not outputs_probabilities(model),
        "num_classes": classes,
    }
    smoothing = run.trainer.label_smoothing
    return {
        "loss": build_loss(**head, label_smoothing=0.0),
        "training_loss": build_training_loss(**head, label_smoothing=smoothing),
        "metrics": build_metrics(classes),
    }
