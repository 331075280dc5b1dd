"""What to do with the experiment.

A task may say which top-level keys it `uses`, or which it `ignores`: a key that is
typed for nothing is refused.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import ClassVar

from experiments.config.fields import OpenTarget, Target, setting
from experiments.config.schema.tracking import check_uri
from experiments.errors import Problem


@dataclass(frozen=True, kw_only=True)
class TrainTaskConfig(Target):
    """Train, keep the best epoch, evaluate.

    Attributes:
        evaluate_test: Score the best epoch on the held-out test set at the end.
        picture_grid: Log a grid of augmented training images.
    """

    ignores: ClassVar[Collection[str]] = ("run_id",)

    evaluate_test: bool
    picture_grid: bool


@dataclass(frozen=True, kw_only=True)
class ReproduceTaskConfig(Target):
    """Run a tracked run again from its own record and compare the results.

    Attributes:
        tolerance: Largest difference of a metric, relative or absolute, that still
            counts as the same.
    """

    # The recorded config decides on everything else.
    uses: ClassVar[Collection[str]] = (
        "run_id",
        "output_dir",
        "tracking",
        "gpu",
        "resume",
        "sweep",
        "fresh",
        "name",
        "tags",
        "allowed_targets",
    )

    tolerance: float = setting(ge=0, most=1e30)


@dataclass(frozen=True, kw_only=True)
class SyncTaskConfig(Target):
    """Send what runs below `output_dir` could not send to the tracker.

    Attributes:
        uri: Address to send everything to, as `tracking.uri`; null for that one, which
            gets what was meant for it.
    """

    # It does something to the outside: it must be done again each time.
    keeps_result: ClassVar[bool] = False
    uses: ClassVar[Collection[str]] = (
        "output_dir",
        "tracking",
        "fresh",
        "name",
        "allowed_targets",
    )

    uri: str | None

    def check(self) -> Iterator[Problem]:
        """Yields what is wrong with the address."""
        if self.uri is not None:
            yield from check_uri(self.uri)


@dataclass(frozen=True, kw_only=True)
class CustomTaskConfig(OpenTarget):
    """A task of the user's own: a function of one `Job`."""


TASKS: dict[str, type] = {
    "experiments.tasks.train.train": TrainTaskConfig,
    "experiments.tasks.reproduce.reproduce": ReproduceTaskConfig,
    "experiments.tasks.sync.sync": SyncTaskConfig,
}
