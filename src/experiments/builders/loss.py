"""What a model of a config is trained on, and judged by."""

from typing import TYPE_CHECKING, Any

from experiments.config.checks.loss import check_head, check_threshold
from experiments.config.code.targets import instantiate
from experiments.config.schema.run import RunConfig
from experiments.data.dataset import Dataset
from experiments.errors import ConfigError

if TYPE_CHECKING:
    from experiments.builders.model import Images


def build_judgement(
    run: RunConfig, model: Any, dataset: "Dataset | Images"
) -> dict[str, Any]:
    """Builds the losses and metrics of a model.

    Args:
        run: The checked config.
        model: A `keras.Model` of one output `(B, classes)`.
        dataset: Says the classes; a model that is not trained needs no `Dataset`.

    Returns:
        `loss`, `training_loss`, `metrics` and `has_several` of `compile_model`.

    Raises:
        ConfigError: The loss does not fit the model.
    """
    from experiments.training.losses import (
        build_loss,
        build_several_loss,
        build_training_loss,
        outputs_probabilities,
    )
    from experiments.training.metrics import build_metrics, build_several_metrics

    classes, several = dataset.num_classes, run.dataset.has_several_labels
    from_logits = not outputs_probabilities(model)
    smoothing = run.trainer.label_smoothing
    problems = [
        *check_head(run, from_logits=from_logits),
        *check_threshold(run, classes),
    ]
    if problems:  # that the config alone could not tell
        raise ConfigError(problems)
    head: dict[str, Any] = {"from_logits": from_logits, "num_classes": classes}
    of_image = instantiate(
        run.loss, key="loss", allowed=run.allowed_targets, from_logits=from_logits
    )
    judged = (
        build_several_loss() if several else build_loss(**head, label_smoothing=0.0)
    )
    return {
        "loss": judged,
        "training_loss": build_training_loss(
            **head,
            label_smoothing=smoothing,
            of_image=of_image,
            class_weights=_weigh(run, dataset),
            has_several=several,
        ),
        "metrics": (build_several_metrics if several else build_metrics)(classes),
        "has_several": several,
    }


def _weigh(run: RunConfig, dataset: "Dataset | Images") -> list[float] | None:
    from experiments.training.class_weights import weigh_classes

    wish, counts = run.loss.class_weight, dataset.train_counts
    if wish is None or counts is None:
        return None
    return weigh_classes(wish, class_names=dataset.class_names, counts=counts)
