"""What is looked at before a folder or a run is begun: images, weights, models."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from experiments import job_files
from experiments.command.data_jobs import (
    needs_run,
    reads_corrections,
    reads_known_place,
)
from experiments.command.plan import Plan
from experiments.config.schema.run import RunConfig
from experiments.config.validation import read_dataset
from experiments.errors import ConfigError, Problem
from experiments.jobs.stored import stored_result
from experiments.jobs.weights_file import check_weights


def look_at_data(error: ConfigError) -> Sequence[Problem]:
    """Returns what is wrong with the images of a job whose config is wrong too."""
    dataset = None if error.config is None else read_dataset(error.config)
    if dataset is None or dataset.known_place is None:
        return ()
    from experiments.data.readiness.check import check_dataset

    try:
        check_dataset(dataset)
    except ConfigError as found:
        return found.problems
    return ()


def list_unfinished(plan: Plan) -> Iterator[RunConfig]:
    """Yields a config for each data set of which a sweep's jobs are not all done."""
    runs = [jobs.run for jobs in plan.data_jobs]
    if not any(reads_known_place(run) or reads_corrections(run) for run in runs):
        return
    if plan.search is not None:
        from experiments.search.trials.journal import is_complete

        folder = plan.folder / job_files.SEARCH
        if is_complete(folder, plan.search.config.max_trials):
            return
    for jobs in plan.data_jobs:
        names = [plan.job_folders[n] for n in jobs.numbers if plan.job_folders]
        find = partial(stored_result, run=jobs.run, in_sweep=True)
        if not (names and all(find(plan.folder / name) for name in names)):
            yield jobs.run


def check_sweep_weights(plan: Plan) -> None:
    """Refuses a sweep of which a job that is to do has no file to begin with."""
    if plan.search is not None and plan.folder.exists():
        return  # its trials tell
    for jobs in plan.data_jobs:
        if getattr(jobs.run.model, "weights", None) is None:
            continue
        names = [plan.job_folders[n] for n in jobs.numbers if plan.job_folders]
        for folder in [plan.folder / name for name in names] or [plan.folder]:
            if stored_result(folder, jobs.run, in_sweep=True) is None:
                check_weights(jobs.run, folder)


def check_images(runs: Iterable[RunConfig]) -> None:
    """Refuses a job whose images are not there; most have none to look at."""
    looked_at = [
        run
        for run in runs
        if needs_run(run) or reads_known_place(run) or reads_corrections(run)
    ]
    if looked_at:
        from experiments.data.readiness.check import check_data

        check_data(looked_at)


def check_model(run: RunConfig) -> None:
    """Looks for the model that a task asks, where no run of this folder is named.

    It is looked for again by the job: one that is not there shall leave no folder.
    """
    name = run.run_id
    if isinstance(name, str) and getattr(run.task, "asks_model", False):
        from experiments.trained.finding import find_trained, is_at_hand

        if not is_at_hand(name, run):
            find_trained(name, run)
