"""The best proposal of a search, trained with several seeds."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.command.composing.composer import quote
from experiments.command.printed import describe_command
from experiments.comparison.estimate import Estimate, estimate
from experiments.config.kinds.metric_names import TEST, name_best
from experiments.config.kinds.objective import Objective, find_bounds
from experiments.counts import count_of
from experiments.errors import ExperimentError
from experiments.jobs.children.child_command import list_flags
from experiments.jobs.children.child_sweep import run_sweep
from experiments.jobs.folder import list_job_folders
from experiments.jobs.job import Job, JobResult
from experiments.jobs.runs.folder_record import read_folder_config
from experiments.jobs.runs.recorded_job import read_best_of_search
from experiments.tracking.store.runs.run_names import is_id

# What was typed for the promotion, and not for those that train.
_LEFT = (
    *("task", "run_id", "from_search", "registered_name"),
    *("fresh", "plan", "name", "dataset"),
)


@dataclass(frozen=True, kw_only=True)
class Member:
    """One of several trainings.

    Attributes:
        folder: Its folder.
        seed: Its seed.
        score: By which the best one is chosen, of the validation.
        test: Its accuracy on the test images, where it was measured.
    """

    folder: Path
    seed: int
    score: float
    test: float | None


@dataclass(frozen=True, kw_only=True)
class Seeds:
    """Trainings that differ in their seed alone.

    Attributes:
        members: All of them, by their seeds.
        chosen: The best one by the validation.
        objective: Name of what it is best by.
    """

    members: Sequence[Member]
    chosen: Member
    objective: str

    def estimate_test(self) -> Estimate:
        """Returns the accuracy on the test images, over all seeds."""
        tests = [member.test for member in self.members]
        return estimate(tests, bounds=find_bounds(f"{TEST}accuracy"))


def list_words(job: Job, count: int) -> list[str]:
    """Returns the command that trains the best trial of a search with several seeds.

    Args:
        job: Its `from_search` names the search, and what was typed for records and
            devices is handed on.
        count: How many seeds: that of the trial and those that follow.

    Raises:
        TrackingError: There is no such search, or it has no best trial.
    """
    first = int(read_best_of_search(job).config["seed"])
    seeds = ",".join(str((first + number) % 2**31) for number in range(count))
    kept = [word for word in job.overrides if _top(word) not in _LEFT]
    search = str(job.run.from_search)
    named = search if is_id(search) else quote(search)
    words = ["task=train", f"from_search={named}", *kept, f"seed={seeds}"]
    return ["-m", *list_flags(), *words]


def train_seeds(job: Job, count: int, environment: Mapping[str, str]) -> Seeds:
    """Trains the best trial of a search with several seeds; what is there stays.

    Args:
        job: See `list_words`.
        count: How many.
        environment: Of the sweep.

    Raises:
        Preempted: It was stopped; the same command continues.
        ExperimentError: None of them has finished.
    """
    words = list_words(job, count)
    print(
        f"The best trial is trained with {count_of(count, 'seed')} first. The same as:"
        f"\n  {describe_command(*words)}\n",
        flush=True,
    )
    folder = run_sweep(words, job, environment)
    return choose_seed(list_job_folders(folder))


def choose_seed(folders: Sequence[Path]) -> Seeds:
    """Returns trainings with the best one by its validation, never by its test.

    Args:
        folders: Of the trainings.

    Raises:
        ExperimentError: None of them has finished with a score.
    """
    configs = [read_folder_config(folder) for folder in folders]
    objectives = [_read_objective(config) for config in configs]
    members = [
        member
        for folder, config, objective in zip(folders, configs, objectives, strict=True)
        for member in _read(folder, config, objective)
    ]
    if not members:
        raise ExperimentError("No training of the best trial has finished.")
    members.sort(key=lambda member: member.seed)
    best = objectives[0].best([member.score for member in members])
    return Seeds(
        members=members, chosen=members[best or 0], objective=objectives[0].name
    )


def _read(
    folder: Path, config: Mapping[str, object], objective: Objective
) -> Iterator[Member]:
    result = JobResult.load(folder)
    if result is None or result.status != "FINISHED":
        return
    score = result.metrics.get(name_best(objective.name))
    if score is None or not math.isfinite(score):
        return
    yield Member(
        folder=folder,
        seed=int(str(config["seed"])),
        score=score,
        test=result.metrics.get(f"{TEST}accuracy"),
    )


def _read_objective(config: Mapping[str, Any]) -> Objective:
    trainer = config["trainer"]
    return Objective(trainer["monitor"], trainer["monitor_mode"])


def _top(word: str) -> str:
    return word.lstrip("+~").partition("=")[0].partition(".")[0]
