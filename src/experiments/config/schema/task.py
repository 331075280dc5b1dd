"""What to do with the experiment.

A task may say which top-level keys it `uses`, or which it `ignores`: a key that is
typed for nothing is refused. One that `keeps_result` is not done again; one that does
not may have a `folder_of_its_own` for each command, and else has one folder for all.
One that looks at a training before it is started is `of_one_job`, not of a sweep's.
It says whether it `needs_run`, whether `run_id` `takes_runs`, several, of which
`run_kinds` one and of which `listed_kinds` those of a list are, and whether it
`asks_model`: it then needs a trained one. One that `plans_itself` tells by `plan=true`
what it would do. One that `works_anywhere` is done in a temporary folder where it can
have none of its own.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

from experiments.config.reading.fields import OpenTarget, Target, setting
from experiments.config.schema.shipping import (
    ExportTaskConfig,
    PromoteTaskConfig,
    ServeTaskConfig,
)
from experiments.config.schema.tracking import check_uri
from experiments.errors import Problem

_NAME = re.compile(r"(?!\.)[^/\0]{1,200}")  # of a folder below `evaluation/`
# What is asked of a task that looks at what earlier ones have left.
_OF_FOLDER = ("output_dir", "tracking", "fresh", "name", "allowed_targets")


@dataclass(frozen=True, kw_only=True)
class TrainTaskConfig(Target):
    """Train, keep the best epoch, evaluate.

    Attributes:
        evaluate_test: Score the best epoch on the held-out test set at the end.
        picture_grid: Log a grid of augmented training images.
        predictions: Of which splits to keep what the best epoch says of each image.
    """

    ignores: ClassVar[Collection[str]] = ("run_id", "input", "registered_name")

    evaluate_test: bool
    picture_grid: bool
    predictions: Literal["none", "test", "all"] = setting(
        incidental=True, added=3, before="none"
    )


@dataclass(frozen=True, kw_only=True)
class InspectTaskConfig(TrainTaskConfig):
    """Show what a training would see and do, and train nothing.

    It takes every key of the training, which need not be taken out of a command.

    Attributes:
        images: Of the first batch, so many are shown at most.
        files: Of image files, the headers of so many are read at most.
    """

    keeps_result: ClassVar[bool] = False
    folder_of_its_own: ClassVar[bool] = True
    of_one_job: ClassVar[bool] = True

    images: int = setting(ge=1, most=1024)
    files: int = setting(ge=2, most=1_000_000)


@dataclass(frozen=True, kw_only=True)
class FindLrTaskConfig(TrainTaskConfig):
    """Train some steps at rising rates, and propose one.

    It takes every key of the training, which need not be taken out of a command.

    Attributes:
        steps: Of each training.
        lowest: `optimizer.lr` of the first step.
        highest: That of the last one.
        seeds: How many trainings, each with a seed of its own.
        smoothing: Weight of the past in the smoothed loss.
    """

    keeps_result: ClassVar[bool] = False
    folder_of_its_own: ClassVar[bool] = True
    of_one_job: ClassVar[bool] = True

    steps: int = setting(ge=10, most=100_000)
    lowest: float = setting(gt=0, least=1e-30, most=1e6)
    highest: float = setting(gt=0, least=1e-30, most=1e6)
    seeds: int = setting(ge=1, most=100)
    smoothing: float = setting(ge=0, lt=1)

    def check(self) -> Iterator[Problem]:
        """Yields a problem for rates that do not rise."""
        if self.lowest >= self.highest:
            yield Problem(
                "highest",
                f"must be more than task.lowest={self.lowest:g}. Received: "
                f"{self.highest:g}.",
                f"Type task.highest={10 * self.lowest:g}.",
            )


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
        "max_disk_gb",
        "tracking",
        "gpu",
        "resume",
        "sweep",
        "fresh",
        "plan",
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
    uses: ClassVar[Collection[str]] = _OF_FOLDER

    uri: str | None

    def check(self) -> Iterator[Problem]:
        """Yields what is wrong with the address."""
        if self.uri is not None:
            yield from check_uri(self.uri)


@dataclass(frozen=True, kw_only=True)
class ListTaskConfig(Target):
    """Show the runs below `output_dir`.

    Attributes:
        kind: Only runs, sweeps or searches; null for all of them.
        state: Only those that stand so.
        model: Only those of this option.
        dataset: Likewise.
        experiment: Only those of this tracking experiment.
        text: Only those whose name or folder has this in it.
        sort: What comes first: the latest, the best, the largest, or by name.
        limit: So many at most; null for all.
        format: A table for people, or csv or json for programs.
    """

    keeps_result: ClassVar[bool] = False
    uses: ClassVar[Collection[str]] = _OF_FOLDER

    kind: Literal["run", "sweep", "search"] | None
    state: (
        Literal["finished", "paused", "to_continue", "running", "failed", "killed"]
        | None
    )
    model: str | None
    dataset: str | None
    experiment: str | None
    text: str | None
    sort: Literal["age", "score", "size", "name"]
    limit: int | None = setting(ge=1, most=1_000_000)
    format: Literal["table", "csv", "json"]


@dataclass(frozen=True, kw_only=True)
class DiffTaskConfig(Target):
    """Compare two or more runs and show what differs.

    Attributes:
        tolerance: Largest difference of a metric, relative or absolute, that counts
            as none.
        format: A table for people, or csv or json for programs.
    """

    keeps_result: ClassVar[bool] = False
    takes_runs: ClassVar[bool] = True
    uses: ClassVar[Collection[str]] = (*_OF_FOLDER, "run_id")

    tolerance: float = setting(ge=0, most=1e30)
    format: Literal["table", "csv", "json"]


@dataclass(frozen=True, kw_only=True)
class CleanTaskConfig(Target):
    """Remove what is needed no more below `output_dir`, or say what that is.

    Attributes:
        dry: Say it and remove nothing.
        weights: The checkpoints of finished runs.
        keep_top: Of each sweep and search, so many of the best keep theirs.
        last_copies: Also where nothing else holds the weights of a single run.
        orphans: What killed processes left, and folders without a run.
        orphan_hours: How long what may still be written must have been left alone.
    """

    keeps_result: ClassVar[bool] = False
    uses: ClassVar[Collection[str]] = _OF_FOLDER

    dry: bool
    weights: bool
    keep_top: int = setting(ge=0, most=1_000_000)
    last_copies: bool
    orphans: bool
    orphan_hours: float = setting(ge=0, most=1_000_000)


@dataclass(frozen=True, kw_only=True)
class EvaluateTaskConfig(Target):
    """Score a trained model on the images of its run, or on others.

    Attributes:
        split: Which images; null for the test split or, of a folder without split
            folders, all of them.
        batch_size: Images at a time; null for those of the training.
    """

    keeps_result: ClassVar[bool] = False
    folder_of_its_own: ClassVar[bool] = True
    needs_run: ClassVar[bool] = True
    asks_model: ClassVar[bool] = True
    uses: ClassVar[Collection[str]] = (
        *_OF_FOLDER,
        "run_id",
        "dataset",
        "gpu",
        "max_disk_gb",
    )

    split: Literal["train", "validation", "test"] | None
    batch_size: int | None = setting(ge=1, most=1_000_000, incidental=True)


@dataclass(frozen=True, kw_only=True)
class PredictTaskConfig(Target):
    """Say what a trained model takes files for.

    Attributes:
        format: Of the table.
        top: So many of the likeliest classes of each file.
        batch_size: Files that the model is asked about at once.
        gallery: So many images on the page, those of which the model is least sure; 0
            for no page.
    """

    keeps_result: ClassVar[bool] = False
    folder_of_its_own: ClassVar[bool] = True
    needs_run: ClassVar[bool] = True
    asks_model: ClassVar[bool] = True
    takes_input: ClassVar[bool] = True
    uses: ClassVar[Collection[str]] = (*_OF_FOLDER, "run_id", "input", "gpu")

    format: Literal["csv", "parquet"]
    top: int = setting(ge=1, most=1_000_000)
    batch_size: int = setting(ge=1, most=10_000)
    gallery: int = setting(ge=0, most=2_000)


@dataclass(frozen=True, kw_only=True)
class CompareTaskConfig(Target):
    """Compare runs, or those of a sweep or search, on a page and on the screen.

    Attributes:
        data: Name of the evaluation whose predictions are compared; null for those of
            the runs' own test split.
        pair: Two of the rows, whose images are shown on which they disagree; null for
            the best two.
    """

    keeps_result: ClassVar[bool] = False
    folder_of_its_own: ClassVar[bool] = True
    takes_runs: ClassVar[bool] = True
    needs_run: ClassVar[bool] = True
    run_kinds: ClassVar[tuple[str, ...]] = ("sweep", "search")
    listed_kinds: ClassVar[tuple[str, ...]] = ("run", "trial", "sweep", "search")
    uses: ClassVar[Collection[str]] = (*_OF_FOLDER, "run_id")

    data: str | None
    pair: list[str] | None = setting(length=2)

    def check(self) -> Iterator[Problem]:
        """Yields what is wrong with the name of an evaluation."""
        if self.data is not None and not _NAME.fullmatch(self.data):
            yield Problem(
                "data",
                "must be the name of an evaluation, as `evaluation/` in a run's folder "
                f"has it. Received: {self.data!r}.",
            )


@dataclass(frozen=True, kw_only=True)
class ExplainTaskConfig(Target):
    """Show where images speak for a class.

    Attributes:
        class_name: A class whose maps are shown beside those of the likeliest one.
        method: Class activation maps, Grad-CAM, or the former where they are exact.
        most: So many images at most, the first ones.
    """

    keeps_result: ClassVar[bool] = False
    folder_of_its_own: ClassVar[bool] = True
    needs_run: ClassVar[bool] = True
    asks_model: ClassVar[bool] = True
    takes_input: ClassVar[bool] = True
    uses: ClassVar[Collection[str]] = (*_OF_FOLDER, "run_id", "input", "gpu")

    class_name: str | None
    method: Literal["auto", "cam", "grad_cam"]
    most: int = setting(ge=1, most=200)


@dataclass(frozen=True, kw_only=True)
class AuditTaskConfig(Target):
    """Look for what is wrong with a data set.

    Attributes:
        train: Train models that judge the labels, unless `run_id` names predictions.
        folds: How many, each without the images that it judges.
        near_bits: Of 64 bits of a perceptual hash, so many may differ between images
            that are nearly the same.
    """

    keeps_result: ClassVar[bool] = False
    folder_of_its_own: ClassVar[bool] = True
    run_kinds: ClassVar[Collection[str]] = ("sweep", "run")
    ignores: ClassVar[Collection[str]] = ("input", "from_search", "registered_name")

    train: bool
    folds: int = setting(ge=2, most=1000)
    near_bits: int = setting(ge=0, le=16)


@dataclass(frozen=True, kw_only=True)
class DoctorTaskConfig(Target):
    """Look at what a training needs of this machine.

    Attributes:
        full: Also whether two trainings give the same bits, and how fast this is.
    """

    keeps_result: ClassVar[bool] = False
    works_anywhere: ClassVar[bool] = True
    uses: ClassVar[Collection[str]] = (*_OF_FOLDER, "gpu", "backend", "max_disk_gb")

    full: bool


@dataclass(frozen=True, kw_only=True)
class CustomTaskConfig(OpenTarget):
    """A task of the user's own: a function of one `Job`."""


TASKS: dict[str, type] = {
    "experiments.tasks.train.train": TrainTaskConfig,
    "experiments.tasks.inspect.inspect": InspectTaskConfig,
    "experiments.tasks.find_lr.find_lr": FindLrTaskConfig,
    "experiments.tasks.reproduce.reproduce": ReproduceTaskConfig,
    "experiments.tasks.sync.sync": SyncTaskConfig,
    "experiments.tasks.list.list": ListTaskConfig,
    "experiments.tasks.diff.diff": DiffTaskConfig,
    "experiments.tasks.clean.clean": CleanTaskConfig,
    "experiments.tasks.evaluate.evaluate": EvaluateTaskConfig,
    "experiments.tasks.predict.predict": PredictTaskConfig,
    "experiments.tasks.compare.compare": CompareTaskConfig,
    "experiments.tasks.explain.explain": ExplainTaskConfig,
    "experiments.tasks.audit.audit": AuditTaskConfig,
    "experiments.tasks.export.export": ExportTaskConfig,
    "experiments.tasks.promote.promote": PromoteTaskConfig,
    "experiments.tasks.serve.serve": ServeTaskConfig,
    "experiments.tasks.doctor.doctor": DoctorTaskConfig,
}
