"""What to do with the experiment."""

from dataclasses import dataclass

from experiments.config.fields import OpenTarget, Target


@dataclass(frozen=True, kw_only=True)
class TrainTaskConfig(Target):
    """Train, keep the best epoch, evaluate.

    Attributes:
        evaluate_test: Score the best epoch on the held-out test set at the end.
        picture_grid: Log a grid of augmented training images.
    """

    evaluate_test: bool
    picture_grid: bool


@dataclass(frozen=True, kw_only=True)
class CustomTaskConfig(OpenTarget):
    """A task of the user's own: a function of one `Job`."""


TASKS = {"experiments.tasks.train.train": TrainTaskConfig}
