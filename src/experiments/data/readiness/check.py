"""Looks at the data of jobs before anything heavy is imported and anything is left."""

from collections import defaultdict
from collections.abc import Iterable

from experiments.command.data_jobs import (
    needs_run,
    reads_corrections,
    reads_known_place,
    takes_input,
)
from experiments.config.checks.class_names import check_weighed_classes
from experiments.config.checks.promotion import check_promotion
from experiments.config.schema.datasets.dataset import (
    DatasetConfig,
    FolderConfig,
    ImageNetConfig,
    TableConfig,
    UnpackedConfig,
)
from experiments.config.schema.run import RunConfig
from experiments.config.schema.shipping import PromoteTaskConfig
from experiments.config.schema.task import TrainTaskConfig
from experiments.data.files.asked.inputs import check_inputs
from experiments.data.readiness.archives import look_at_archive
from experiments.data.readiness.corrections import look_at_corrections
from experiments.data.readiness.folders import Look, look_at_folder, look_at_imagenet
from experiments.data.readiness.packed import look_at_packed
from experiments.data.readiness.tables import look_at_table
from experiments.data.readiness.training_size import find_batch_fault
from experiments.errors import ConfigError, Problem

# Looks of this process that told of nothing: a sweep's jobs have the same data.
_fine: set[str] = set()


def check_data(runs: Iterable[RunConfig]) -> None:
    """Checks that what jobs shall be trained on is there; each data set is seen once.

    The look is short, however many files there are. What it does not see is seen when
    the data are read.

    Args:
        runs: Of the jobs.

    Raises:
        ConfigError: All that is wrong.
        DataError: What a model shall look at is not there, or no image.
    """
    alike: dict[str, list[RunConfig]] = defaultdict(list)
    corrected: dict[str, DatasetConfig] = {}
    for run in runs:
        _check_named(run)
        if takes_input(run):
            check_inputs(run.inputs())
        elif reads_known_place(run):
            alike[repr(run.dataset)].append(run)
        if reads_corrections(run):
            corrected[repr(run.dataset)] = run.dataset
    problems = [p for one in corrected.values() for p in look_at_corrections(one)]
    for described, same in alike.items():
        batches = {_count_batch(run) for run in same}
        weights = {repr(run.loss.class_weight): run.loss.class_weight for run in same}
        remembered = f"{described} {sorted(batches)} {sorted(weights)}"
        if remembered not in _fine:
            found = _find_problems(same[0].dataset, batches, weights.values())
            problems += found
            _fine.update([] if found else [remembered])
    if problems:
        told = list({str(problem): problem for problem in problems}.values())
        raise ConfigError(told, "The data" if len(alike) > 1 else "The data set")


def check_dataset(dataset: DatasetConfig) -> None:
    """Checks that any images of a data set are there.

    Raises:
        ConfigError: All that is wrong.
    """
    if problems := _find_problems(dataset, {1}, ()):
        raise ConfigError(problems, "The data set")


def _check_named(run: RunConfig) -> None:
    """Raises where a task is told of no run, or of nothing to look at."""
    missing: list[Problem] = []
    if isinstance(run.task, PromoteTaskConfig):
        missing += check_promotion(run, run.task)
    elif needs_run(run) and run.run_id is None:
        hint = "Type run_id=last, or one that task=list shows."
        missing.append(Problem("run_id", "is missing.", hint))
    if takes_input(run) and run.input is None:
        hint = "Name files or folders, such as input=photos/ or 'input=photos/*.jpg'."
        missing.append(Problem("input", "is missing.", hint))
    if missing:
        raise ConfigError(missing, "The command line")


def _count_batch(run: RunConfig) -> int:
    """Returns how many images there must be: of less an epoch has no step."""
    is_trained_on = isinstance(run.task, TrainTaskConfig)  # an audit takes any number
    return run.trainer.batch_size if is_trained_on and run.trainer.drop_remainder else 1


def _find_problems(
    dataset: DatasetConfig, batches: set[int], weights: Iterable[object]
) -> list[Problem]:
    look = _look(dataset, max(batches))
    problems = list(look.problems)
    if look.class_names is not None:
        for wish in weights:
            problems += check_weighed_classes(wish, look.class_names)
    if look.size is not None:
        path = str(dataset.known_place)
        faults = (find_batch_fault(look.size, b, path) for b in sorted(batches))
        problems += [fault for fault in faults if fault is not None]
    return problems


def _look(dataset: DatasetConfig, batch_size: int) -> Look:
    if isinstance(dataset, FolderConfig):
        return look_at_folder(dataset, batch_size)
    if isinstance(dataset, TableConfig):
        return look_at_table(dataset)
    if isinstance(dataset, UnpackedConfig):
        return look_at_packed(dataset)
    if isinstance(dataset, ImageNetConfig):
        return look_at_imagenet(dataset, batch_size)
    return Look(look_at_archive(str(dataset.known_place)))
