"""Whether a loss fits the head of the network and the labels that it gets."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from experiments.config.schema.loss import BinaryCrossEntropyConfig, BinaryFocalConfig
from experiments.config.schema.models.model import ResNetConfig
from experiments.errors import Problem

if TYPE_CHECKING:
    from experiments.config.schema.run import RunConfig

_SIGMOIDS: dict[type, str] = {
    BinaryCrossEntropyConfig: "binary_cross_entropy",
    BinaryFocalConfig: "binary_focal",
}


def check_loss(run: "RunConfig") -> Iterator[Problem]:
    """Yields what is wrong before the network is built."""
    softmax = isinstance(run.model, ResNetConfig) and run.model.head == "notebook"
    yield from check_head(run, from_logits=not softmax)
    yield from check_threshold(run, run.dataset.known_classes)
    if run.dataset.has_weights and run.loss.class_weight is not None:
        yield Problem(
            "loss.class_weight",
            "is not used with dataset.weight_column: one of them says what an image "
            "counts.",
            "Leave one of them out, or multiply the weights in the table.",
        )


def check_head(run: "RunConfig", *, from_logits: bool) -> Iterator[Problem]:
    """Yields a problem for sigmoids of what a softmax made.

    Args:
        run: A typed config.
        from_logits: The network gives logits, not probabilities.
    """
    if type(run.loss) in _SIGMOIDS and not from_logits:
        name = _SIGMOIDS[type(run.loss)]
        yield Problem(
            "loss",
            f"{name} takes the sigmoid of each class's logit, and this "
            "network ends in a softmax.",
            "Type loss=cross_entropy, or model.head=average.",
        )


def check_threshold(run: "RunConfig", classes: int | None) -> Iterator[Problem]:
    """Yields a problem for a threshold that every class of a smoothed label passes.

    Args:
        run: A typed config.
        classes: How many there are; `None` when only the data can tell.
    """
    loss, smoothing = run.loss, run.trainer.label_smoothing
    if run.dataset.has_several_labels:
        classes = 2  # each is a question of its own
    if not isinstance(loss, BinaryCrossEntropyConfig) or classes is None:
        return
    threshold = loss.target_threshold
    if threshold is not None and smoothing / classes > threshold:
        answers = "answers" if run.dataset.has_several_labels else "classes"
        yield Problem(
            "loss.target_threshold",
            f"must not be below {smoothing / classes:g}, which "
            f"trainer.label_smoothing={smoothing:g} gives every one of {classes} "
            f"{answers}. Received: {threshold:g}.",
            "Type trainer.label_smoothing=0.",
        )
