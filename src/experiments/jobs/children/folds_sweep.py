"""Trains a model for each fold of a data set, by a sweep of this same program."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from experiments import job_files
from experiments.command.printed import describe_command
from experiments.command.sweeping.folds import FOLDS
from experiments.data.dataset import Dataset
from experiments.errors import ExperimentError
from experiments.jobs.children.child_command import list_flags
from experiments.jobs.children.child_sweep import run_sweep
from experiments.jobs.job import Job

# What was typed for the job that looks, and not for those that train.
_LEFT = ("task", "run_id", "fresh", "plan", "name", FOLDS)


def train_folds(
    job: Job, dataset: Dataset, folds: int, environment: Mapping[str, str]
) -> Path:
    """Trains models of which each has not seen one of the folds.

    The sweep is found again by what it is: a second time there is nothing to do.

    Args:
        job: What was typed for it is handed on.
        dataset: Its images, all of them if they can be.
        folds: How many models.
        environment: Of the sweep.

    Returns:
        The sweep's folder.

    Raises:
        Preempted: It was stopped; the same command continues.
        ExperimentError: The sweep has failed.
    """
    words = ["-m", *list_flags(), *_list_words(job, dataset, folds)]
    print(
        f"Labels are judged by {folds} models, each trained without the images that "
        "it judges; task.train=false looks at the images alone. The same as:\n"
        f"  {describe_command(*words)}\n"
    )
    folder = run_sweep(words, job, environment)
    if not (folder / job_files.PREDICTIONS).is_dir():
        raise ExperimentError(
            "The sweep over the folds left no predictions: see what it told above."
        )
    return folder


def _list_words(job: Job, dataset: Dataset, folds: int) -> Iterator[str]:
    """Yields the overrides of the sweep."""
    forced = dict(_force(job, dataset))
    for word in job.overrides:
        key = word.lstrip("+~").partition("=")[0]
        if key.partition(".")[0] not in _LEFT and key not in {*_LEFT, *forced}:
            yield word
    yield from ("task=train", f"{FOLDS}={folds}")
    yield from (f"{key}={value}" for key, value in forced.items())


def _force(job: Job, dataset: Dataset) -> Iterator[tuple[str, str]]:
    """Yields what lets every image be in a fold, and no file stop the sweep."""
    own_test = dataset.files.get("splits")  # of folders that divide the images
    if hasattr(job.run.dataset, "test_fraction") and not own_test:
        yield "dataset.test_fraction", "0"
    if dataset.skipped_files:
        yield "dataset.on_corrupt", "skip"
