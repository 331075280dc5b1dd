"""The whole configuration as one typed object."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from experiments.config.kinds.destination import Destination
from experiments.config.kinds.model_names import check_registered_name
from experiments.config.kinds.paths import find_fault, list_paths
from experiments.config.reading.fields import Target, component, setting
from experiments.config.schema.augment import AUGMENTS, CustomAugmentConfig
from experiments.config.schema.callbacks import CALLBACKS, CustomCallbackConfig
from experiments.config.schema.datasets.dataset import (
    DATASETS,
    CustomDatasetConfig,
    DatasetConfig,
)
from experiments.config.schema.loss import FORMER as FORMER_LOSS
from experiments.config.schema.loss import LOSSES, CustomLossConfig, LossConfig
from experiments.config.schema.models.model import MODELS, CustomModelConfig
from experiments.config.schema.optimizer import OptimizerConfig, OtherOptimizerConfig
from experiments.config.schema.optimizer_classes import OPTIMIZERS
from experiments.config.schema.resume import ResumeConfig, SweepConfig
from experiments.config.schema.schedule import SCHEDULES, CustomScheduleConfig
from experiments.config.schema.task import TASKS, CustomTaskConfig
from experiments.config.schema.tracking import TrackingConfig
from experiments.config.schema.trainer import TrainerConfig
from experiments.disk_space import DiskSpace
from experiments.errors import Problem
from experiments.redaction import redact

_SHOWN = 200  # characters of a path that is too long


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """One experiment, checked.

    Attributes:
        task: What to do.
        model: The network.
        dataset: The images and how they are split.
        augment: Name -> what is done to training images, in this order; a name set to
            null is left out.
        optimizer: The update rule and its peak rate.
        schedule: The learning rate over the epochs.
        loss: What training minimises; validation and test have the cross-entropy.
        trainer: How long and how to train.
        callbacks: Name -> callback; a name set to null is left out.
        tracking: Where the run is recorded.
        resume: What may differ when a job is continued.
        sweep: What a sweep does with jobs that ran before.
        seed: Seeds weights, shuffling, augmentation and dropout.
        gpu: `auto`, `cpu`, `all`, an index or a list of indices.
        backend: Keras backend.
        run_id: Run that a task such as `reproduce` works on, several for `diff`: its
            id, the first characters of that, its folder, its name, `last` or `best`.
        from_search: Parent run of a search, whose best trial is trained; named so too.
        input: Images for a task that has a model look at some: files, folders,
            patterns, lists of files, or `-` for names from a pipe.
        registered_name: Of a model in MLflow's registry, which `task=promote` gives a
            version.
        fresh: Start anew in a new folder, although the job was started before.
        plan: Show what would be run, and what it is expected to take, and start
            nothing; `all` shows every job of a large sweep, and `measure` trains some
            steps of what no job before was like.
        name: Name of the run; null for the model's and the data set's.
        tags: Free labels of the run.
        output_dir: Folder of everything that runs leave.
        max_disk_gb: What all of that may take; null for as much as the disk has.
        allowed_targets: Packages whose members a `_target_` may name.
    """

    task: Target = component(CustomTaskConfig, TASKS)
    model: Target = component(CustomModelConfig, MODELS)
    dataset: DatasetConfig = component(CustomDatasetConfig, DATASETS)
    augment: dict[str, Target] = component(CustomAugmentConfig, AUGMENTS)
    optimizer: OptimizerConfig = component(OtherOptimizerConfig, OPTIMIZERS)
    schedule: Target = component(CustomScheduleConfig, SCHEDULES)
    loss: LossConfig = component(CustomLossConfig, LOSSES, added=5, before=FORMER_LOSS)
    trainer: TrainerConfig
    callbacks: dict[str, Target] = component(CustomCallbackConfig, CALLBACKS)
    tracking: TrackingConfig = setting(incidental=True)
    resume: ResumeConfig = setting(incidental=True)
    sweep: SweepConfig = setting(incidental=True)
    seed: int = setting(ge=0, lt=2**31)
    gpu: Literal["auto", "cpu", "all"] | int | list[int] = setting(
        ge=0, most=1023, min_length=1, max_length=1024, incidental=True
    )
    backend: Literal["tensorflow", "jax"]
    run_id: str | list[str] | None = setting(min_length=2)
    from_search: str | None
    input: str | list[str] | None = setting(
        path="inputs",
        min_length=1,
        max_length=10_000,
        added=4,
        before=None,
    )
    registered_name: str | None = setting(added=6, before=None)
    fresh: bool = setting(incidental=True)
    plan: Literal["all", "measure"] | bool = setting(
        incidental=True, added=3, before=False
    )
    name: str | None = setting(incidental=True)
    tags: dict[str, str | int | float | bool] = setting(
        incidental=True, unbounded="labels, with which nothing is computed"
    )
    output_dir: str = setting(incidental=True)
    max_disk_gb: float | None = setting(
        gt=0, most=1e9, incidental=True, added=3, before=None
    )
    allowed_targets: list[str] = setting(incidental=True)

    def destination(self) -> Destination:
        """Returns where the run is recorded, and runs that it names are looked for."""
        tracking = self.tracking
        return Destination(
            output_dir=Path(self.output_dir),
            uri=tracking.uri,
            experiment=redact(tracking.experiment),  # which is a name for others
            ui_url=tracking.ui_url,
            server_timeout=tracking.server_timeout,
            enabled=tracking.enabled,
        )

    def inputs(self) -> list[str]:
        """Returns what a model shall look at, one or several names."""
        named = self.input or []
        return [named] if isinstance(named, str) else named

    def disk_space(self) -> DiskSpace:
        """Returns what all runs together may take of the disk."""
        return DiskSpace(folder=Path(self.output_dir), most_gb=self.max_disk_gb)

    def check(self) -> Iterator[Problem]:
        """Yields a problem for a GPU named twice and for a folder without a name."""
        if isinstance(self.gpu, list) and len(set(self.gpu)) < len(self.gpu):
            yield Problem("gpu", f"names a GPU twice. Received: {self.gpu}.")
        if isinstance(self.run_id, list) and not getattr(self.task, "takes_runs", 0):
            reason = f"must be one run for this task. Received: {self.run_id}."
            yield Problem("run_id", reason, "Several are compared by task=compare.")
        if self.registered_name is not None:
            yield from check_registered_name(self.registered_name)
        yield from self._check_paths()

    def _check_paths(self) -> Iterator[Problem]:
        folder = self.output_dir
        if not folder.strip():
            hint = "Name a folder; . is the current one."
            yield Problem("output_dir", "must not be empty.", hint)
        elif "://" in folder:
            hint = "Mount it, or send the records elsewhere: tracking.uri=..."
            reason = "must be a folder of this machine, not an address."
            yield Problem("output_dir", f"{reason} Received: {folder!r}.", hint)
        elif folder.startswith("~"):
            hint = "Such as output_dir=$HOME/outputs."
            reason = "must be typed out: ~ would be the name of a folder."
            yield Problem("output_dir", f"{reason} Received: {folder!r}.", hint)
        else:
            yield from _check_path("output_dir", folder)
        for key, path in list_paths(self):
            if not path.strip() and key.startswith("input"):
                yield Problem(key, "must not be empty.", "Name a file or folder.")
            else:
                yield from _check_path(key, path)


def _check_path(key: str, path: str) -> Iterator[Problem]:
    if (fault := find_fault(path)) is not None:
        received = path if len(path) <= _SHOWN else f"{path[:_SHOWN]}..."
        yield Problem(key, f"{fault} Received: {received!r}.")
