"""What a training on images of several labels each cannot do, or must be told."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from experiments.config.schema.datasets.common import CommonDatasetConfig
from experiments.config.schema.loss import (
    BinaryCrossEntropyConfig,
    BinaryFocalConfig,
    CustomLossConfig,
)
from experiments.config.schema.task import AuditTaskConfig
from experiments.errors import Problem

if TYPE_CHECKING:
    from experiments.config.schema.run import RunConfig

_ASKS_EACH = (BinaryCrossEntropyConfig, BinaryFocalConfig, CustomLossConfig)
_BECAUSE = "where an image may have several labels"


def asks_each_class(run: "RunConfig") -> bool:
    """Tells whether a task looks at a training on several labels an image.

    A task that names the keys that it uses, such as `evaluate`, has the loss and the
    metrics of a record, whatever stands here.
    """
    trains = getattr(run.task, "uses", None) is None
    return trains and run.dataset.has_several_labels


def check_several_labels(run: "RunConfig") -> Iterator[Problem]:
    """Yields what is not defined where an image may have several labels, or none."""
    if not asks_each_class(run):
        return
    if not isinstance(run.loss, _ASKS_EACH):
        name = run.loss._target_.rpartition(".")[2]
        reason = f"must ask about each class by itself {_BECAUSE}. Received: {name}."
        yield Problem("loss", reason, "Type loss=binary_cross_entropy.")
    if run.loss.class_weight is not None:
        reason = f"is not defined {_BECAUSE}: the classes of one image differ in it."
        yield Problem("loss.class_weight", reason, "Leave it out.")
    if run.trainer.sampling != "uniform":
        reason = f"must be uniform {_BECAUSE}: an image that is repeated for one class "
        told = f"{reason}brings its others. Received: {run.trainer.sampling}."
        yield Problem("trainer.sampling", told, "Type trainer.sampling=uniform.")
    yield from _check_dataset(run)
    yield from _check_task(run)


def _check_dataset(run: "RunConfig") -> Iterator[Problem]:
    dataset = run.dataset
    if not isinstance(dataset, CommonDatasetConfig):
        return
    if dataset.corrections is not None:
        reason = f"is not supported {_BECAUSE}: a correction has one label."
        yield Problem("dataset.corrections", reason, "Change the table instead.")
    if dataset.fraction != 1:
        reason = f"is not supported {_BECAUSE}: it is taken of each class."
        told = f"{reason} Received: {dataset.fraction:g}."
        yield Problem("dataset.fraction", told, "Leave rows out of the table instead.")
    if dataset.folds is not None:
        reason = f"is not supported {_BECAUSE}. Received: {dataset.folds}."
        yield Problem("dataset.folds", reason, "Type dataset.split=stratified.")


def _check_task(run: "RunConfig") -> Iterator[Problem]:
    if isinstance(run.task, AuditTaskConfig):
        yield Problem("task", f"audit is not supported {_BECAUSE}.")
