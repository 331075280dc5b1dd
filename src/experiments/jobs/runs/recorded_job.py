"""A training job by the record of a tracked run, in the present surroundings."""

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from experiments.command.composing.overlay import PRESENT, lay_over, list_overlay
from experiments.command.printed import typed_folder
from experiments.command.sweeping.folds import FOLD
from experiments.config.code.targets import check_targets
from experiments.config.kinds.destination import Destination
from experiments.errors import ConfigError, Problem, TrackingError
from experiments.jobs.job import Job
from experiments.jobs.made_from.kept_corrections import restore_corrections
from experiments.jobs.runs.folder_record import find_unresolved, read_folder_run
from experiments.records import resolve_inside
from experiments.redaction import find_hidden
from experiments.tracking.recorded import RecordedRun, Tags, read_run, read_tags
from experiments.tracking.spool.spool import Spool
from experiments.tracking.store.runs.run_names import find_place, is_id

# Tags of a search: the run of its best trial, and the folder of that.
BEST_RUN = "search.best_run_id"
FOLDS_OF_SEARCH = "search.folds"  # in which each of its proposals was trained
BEST_FOLDER = "search.best_folder"

_LINK = re.compile(r"\$\{")


def read_recorded(job: Job, name: str, *, typed_in: Path | None = None) -> RecordedRun:
    """Reads a run from the tracker of a job.

    What a record may have built is what the command allows, typed or in `conf/`: its
    own `allowed_targets` is not asked.

    Args:
        job: Says the tracker.
        name: Of the run.
        typed_in: Where the name was typed; `None` for one of a record.

    Raises:
        TrackingError: There is no such run, or it holds no config.
        ConfigError: The record names what the command does not allow.
    """
    place = job.run.destination()
    folder = None if typed_in is None else _find_untracked(name, place, typed_in)
    if folder is not None:
        recorded = read_folder_run(folder, place.output_dir)
    else:
        recorded = read_run(name, place, typed_in=typed_in)
    problems = [*check_record(recorded.config, job.run.allowed_targets)]
    if problems:
        raise ConfigError(problems, f"The record of run {recorded.run_id}")
    return restore_corrections(recorded, job)


def _find_untracked(name: str, place: Destination, typed_in: Path) -> Path | None:
    """Returns the folder that a name means, where no tracker has or tells its run."""
    folder = None if is_id(name) else find_place(name, typed_in, place.output_dir)
    if folder is None or (place.enabled and Spool(folder).journal.exists()):
        return None
    return folder.absolute()


def check_record(config: object, allowed: Sequence[str]) -> Iterator[Problem]:
    """Yields what of a recorded config is not obeyed.

    Args:
        config: Plain data.
        allowed: Packages whose members it may name.
    """
    for name in ("tags", "trainer"):  # what the present command is laid over
        if not isinstance(config, Mapping) or not isinstance(config.get(name), Mapping):
            yield Problem(name, "is no mapping in it: the record is damaged.")
            return
    yield from check_targets(config, allowed, recorded=True)
    yield from find_unresolved(config, _LINK)


def as_recorded(
    job: Job, recorded: RecordedRun, *, name: str, tags: Mapping[str, object]
) -> Job:
    """Returns a training job of the recorded config and of the files it was made of.

    Args:
        job: Says where it runs; its own name and tags count too.
        recorded: The run whose config decides.
        name: Of the new run, unless the job has one; beside what tells it from the
            others of a sweep.
        tags: Further tags of the new run.

    Raises:
        ConfigError: The record lacks a secret that the run needs.
    """
    _refuse_hidden(recorded.config)
    present: dict[str, Any] = {key: job.resolved[key] for key in PRESENT}
    merged = {**recorded.config["tags"], **job.run.tags, **tags}
    config = {**recorded.config, **present, "tags": merged, "name": job.run.name}
    choices = {**recorded.choices, "task": job.choices.get("task", "train")}
    name = job.run.name or name
    if job.differing:
        name = f"{' '.join(job.differing)} ({name})"
    return dataclasses.replace(job, resolved=config, choices=choices, name=name)


def best_of_search(job: Job) -> Job:
    """Returns the job itself, or the best trial of the search that it names.

    What was typed beside `from_search` is laid over the trial's config.

    Raises:
        TrackingError: There is no such search, or it has no best trial.
        ConfigError: What was typed does not fit the trial.
    """
    if job.run.from_search is None:
        return job
    search = _read_search(job)
    best = _read_best(job, search)
    if FOLDS_OF_SEARCH in search.values:
        best = _without_folds(best)
    recorded = _change(best, job)
    words = [o.input_line or "" for o in list_overlay(job.overrides)]
    name = " ".join([f"best: {recorded.name}", *words])
    tags = {"from_search": search.run_id}
    try:
        return as_recorded(job, recorded, name=name, tags=tags)
    except ConfigError as error:
        title = " ".join(["The best trial with", *words]) if words else "The best trial"
        raise ConfigError(error.problems, title) from error


def read_best_of_search(job: Job) -> RecordedRun:
    """Reads the best trial of the search that a job names.

    Raises:
        TrackingError: There is no such search, or it has no best trial.
        ConfigError: The record names what the command does not allow.
    """
    return _read_best(job, _read_search(job))


def has_folds(job: Job) -> bool:
    """Tells whether each proposal of the search that a job names has several runs."""
    return FOLDS_OF_SEARCH in _read_search(job).values


def _read_search(job: Job) -> Tags:
    name = str(job.run.from_search)
    return read_tags(name, job.run.destination(), typed_in=typed_folder())


def _read_best(job: Job, search: Tags) -> RecordedRun:
    """Reads the best trial that a search names: its run or, without one, its folder."""
    best, folder = (search.values.get(tag) for tag in (BEST_RUN, BEST_FOLDER))
    if best:
        return read_recorded(job, best)
    if folder:
        output_dir = Path(job.run.output_dir).absolute()
        # What a tag says leads nowhere else.
        place = resolve_inside(output_dir, folder)
        return read_recorded(job, str(place), typed_in=output_dir)
    raise TrackingError(
        f"from_search must be the parent run of a search that has a best trial. "
        f"Received: {job.run.from_search}."
    )


def _refuse_hidden(config: Mapping[str, Any]) -> None:
    needed = {k: v for k, v in config.items() if k not in {*PRESENT, "tags", "name"}}
    reason, hint = "was a secret, which is in no record.", "Train by the whole command."
    problems = [Problem(key, reason, hint) for key in find_hidden(needed)]
    if problems:
        raise ConfigError(problems, "The recorded config")


def _without_folds(recorded: RecordedRun) -> RecordedRun:
    """Returns what was trained in a fold as it is trained on the whole split."""
    dataset = {**recorded.config["dataset"], "folds": None, "fold": None}
    config = {**recorded.config, "dataset": dataset}
    words = recorded.name.split(" ")
    name = " ".join(word for word in words if not word.startswith(f"{FOLD}="))
    return dataclasses.replace(recorded, config=config, name=name)


def _change(recorded: RecordedRun, job: Job) -> RecordedRun:
    """Returns a trial that is trained to its end, with what was typed."""
    trainer = {**recorded.config["trainer"], "until_epoch": None}
    config: Mapping[str, Any] = {**recorded.config, "trainer": trainer}
    overlay = list_overlay(job.overrides)
    chosen = {o.key_or_group for o in overlay} & job.choices.keys()
    choices = {**recorded.choices, **{group: job.choices[group] for group in chosen}}
    if overlay:
        config = lay_over(config, overlay, composed=job.resolved, links=job.links)
    return dataclasses.replace(recorded, config=config, choices=choices)
