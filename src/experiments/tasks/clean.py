"""Removes what is needed no more, or says what that is; imports no framework."""

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from experiments import job_files
from experiments.command.printed import describe_command, describe_output
from experiments.config.kinds.objective import Objective, find_direction
from experiments.counts import count_of, format_size
from experiments.errors import ExperimentError
from experiments.jobs.folder import refuse_outer_links
from experiments.jobs.job import Job, JobResult
from experiments.jobs.runs.catalogue import ListedRun, find_job_folders, list_runs
from experiments.jobs.runs.disposal import (
    Disposable,
    dispose,
    find_drafts,
    find_empty,
    find_leftovers,
    find_states,
    is_touched_elsewhere,
)
from experiments.jobs.showing.display import short_path
from experiments.search.trials.journal import read_trials
from experiments.search.trials.trial import Trial, rank_trials
from experiments.tracking.spool.held_model import has_sent_model

_SECONDS = 3600
_DIRECTIONS = {"(max)": "max", "(min)": "min"}


@dataclass
class Plan:
    """What can go and what stays.

    Attributes:
        runs: How many there are.
        items: That can go.
        kept: Why other checkpoints stay -> of how many runs.
        problems: Folders that are left alone, and why.
    """

    runs: int = 0
    items: list[Disposable] = field(default_factory=list)
    kept: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    problems: list[str] = field(default_factory=list)


def clean(job: Job) -> JobResult:
    """Says what can go below `output_dir`, or removes it.

    Args:
        job: Says the folder and, in its task, what.

    Returns:
        A result with the bytes; FAILED when something could not be removed.
    """
    options = job.run.task.arguments()
    output_dir = job.run.destination().output_dir
    plan = find_disposable(output_dir, options)
    total = sum(item.size for item in plan.items)
    _show_items(plan.items, output_dir)
    failures: list[str] = []
    if not options["dry"]:
        total = _dispose(plan.items, output_dir, failures)
    _show_end(job, plan, total, dry=options["dry"])
    for line in (*plan.problems, *failures):
        print(f"Left alone: {line}")
    reason = f"{count_of(len(failures), 'folder')} could not be cleaned"
    return JobResult(
        name=job.name,
        status="FAILED" if failures else "FINISHED",
        metrics={"bytes": float(total), "items": float(len(plan.items))},
        overrides=job.overrides,
        output_dir=str(job.output_dir),
        reason=reason if failures else None,
        exit_code=int(bool(failures)),
    )


def find_disposable(output_dir: Path, options: dict[str, Any]) -> Plan:
    """Returns what can go below a folder.

    Args:
        output_dir: Of all runs.
        options: Of the task.
    """
    runs = list_runs(output_dir)
    plan = Plan(runs=len(runs))
    busy = {run.folder for run in runs if is_touched_elsewhere(run.folder)}
    if options["weights"]:
        finished = [run for run in runs if _is_finished(run)]
        _add_states(plan, finished, runs, busy, options)
    if options["orphans"]:
        before = time.time() - options["orphan_hours"] * _SECONDS
        _add_orphans(plan, output_dir, runs, busy, before)
    return plan


def _is_finished(run: ListedRun) -> bool:
    """Tells whether a job will not go on: one that has paused may."""
    return run.kind == "run" and run.state == "finished"


def _add_states(
    plan: Plan,
    finished: Sequence[ListedRun],
    runs: Sequence[ListedRun],
    busy: set[Path],
    options: dict[str, Any],
) -> None:
    parents = {run.folder: run for run in runs if run.kind in ("sweep", "search")}
    groups: dict[Path | None, list[ListedRun]] = defaultdict(list)
    for run in finished:
        groups[next((p for p in run.folder.parents if p in parents), None)].append(run)
    for place, members in groups.items():
        if place is None:
            spared = _spare_single(plan, members, last_copies=options["last_copies"])
        elif place in busy:
            plan.kept["of a sweep or search that runs now"] += len(members)
            continue
        else:
            spared = _spare_best(plan, parents[place], members, options["keep_top"])
        for run in members:
            if run.folder not in spared and run.folder not in busy:
                _add(plan, find_states(run.folder))


def _spare_single(
    plan: Plan, members: Sequence[ListedRun], *, last_copies: bool
) -> set[Path]:
    """Returns the runs whose weights would be lost with their checkpoints."""
    if last_copies:
        return set()
    spared = {
        run.folder
        for run in members
        if not has_sent_model(run.folder) and find_states(run.folder)
    }
    if spared:
        why = "whose weights nothing else has: task.last_copies=true takes them too"
        plan.kept[why] += len(spared)
    return spared


def _spare_best(
    plan: Plan, parent: ListedRun, members: Sequence[ListedRun], keep_top: int
) -> set[Path]:
    """Returns the best jobs of a sweep, or the jobs of the best trials of a search."""
    try:
        if parent.kind == "search":
            spared = _rank_search(parent, keep_top)
        else:
            spared = _rank_sweep(members, keep_top)
    except (ExperimentError, OSError) as error:
        # Not known to be worse than others.
        plan.problems.append(f"{short_path(parent.folder)}: {error}")
        return {run.folder for run in members}
    kept = [run for run in members if run.folder in spared and find_states(run.folder)]
    if kept:
        plan.kept[f"among the best {keep_top} of a sweep or search"] += len(kept)
    return spared


def _rank_search(parent: ListedRun, keep_top: int) -> set[Path]:
    trials = read_trials(parent.folder / job_files.SEARCH)
    name, _, direction = parent.tags.get("search.objective", "").rpartition(" ")
    if direction not in _DIRECTIONS:
        raise ExperimentError("it does not say what its trials are compared by")
    objective = Objective(name, _DIRECTIONS[direction])  # type: ignore[arg-type]
    ended = [trial for trial in trials if trial.outcome is not None]
    chosen = [*rank_trials(ended, objective)[:keep_top], *_list_parents(trials)]
    return {
        Path(folder)
        for trial in chosen
        if trial.outcome is not None
        for folder in trial.outcome.folders
    }


def _list_parents(trials: Sequence[Trial]) -> Iterator[Trial]:
    """Yields the trials that one which has not ended goes on from."""
    for trial in trials:
        parent = trial.proposal.parent
        while trial.outcome is None and parent is not None:
            yield trials[parent]
            parent = trials[parent].proposal.parent


def _rank_sweep(members: Sequence[ListedRun], keep_top: int) -> set[Path]:
    monitors = {run.monitor for run in members if run.monitor is not None}
    if len(monitors) > 1:
        raise ExperimentError(f"its jobs monitor {' and '.join(sorted(monitors))}")
    if not monitors:
        return set()
    name = monitors.pop()
    if find_direction(name) is None:
        raise ExperimentError(f"nothing tells whether a small {name} is a good one")
    order = Objective(name, "auto").rank([run.score for run in members])
    return {members[index].folder for index in order[:keep_top]}


def _add_orphans(
    plan: Plan,
    output_dir: Path,
    runs: Sequence[ListedRun],
    busy: set[Path],
    before: float,
) -> None:
    folders = list(find_job_folders(output_dir))
    busy = busy | {folder for folder in folders if is_touched_elsewhere(folder)}
    planned = {path for item in plan.items for path in item.paths}
    for folder in folders:
        if not busy & {folder, *folder.parents}:
            for item in find_leftovers(folder, before=before):
                if not planned & set(item.paths):
                    _add(plan, item)
    known = {*folders, *(parent for folder in folders for parent in folder.parents)}
    for folder in _list_places(output_dir, folders):
        if folder not in known and not busy & set(folder.parents):
            _add(plan, find_empty(folder, before=before))
    for item in find_drafts(output_dir, before=before):
        _add(plan, item)


def _list_places(output_dir: Path, jobs: Sequence[Path]) -> Iterator[Path]:
    """Yields where folders of jobs are made: below `runs`, `sweeps` and each sweep."""
    own = {job_files.SEARCH, job_files.REPEATS, job_files.TRACKING, ".hydra"}
    own |= {job_files.CHECKPOINTS}
    sweeps = {job for job in jobs if job.parent.parent == output_dir}
    for place in (output_dir / "runs", output_dir / "sweeps", *sorted(sweeps)):
        if place.is_symlink() or not place.is_dir():
            continue
        for folder in sorted(place.iterdir()):
            if folder.name not in own and folder.is_dir() and not folder.is_symlink():
                yield folder


def _add(plan: Plan, item: Disposable | None) -> None:
    """Adds an item, unless a link in its folder leads out of it."""
    if item is None:
        return
    try:
        refuse_outer_links(item.folder, depth=1)
    except ExperimentError as error:
        plan.problems.append(str(error))
    else:
        plan.items.append(item)


def _dispose(items: Sequence[Disposable], output_dir: Path, failures: list[str]) -> int:
    removed = 0
    for item in items:
        try:
            removed += dispose(item, output_dir)
        except (ExperimentError, OSError) as error:
            failures.append(f"{short_path(item.folder)}: {error}")
    return removed


def _show_items(items: Sequence[Disposable], output_dir: Path) -> None:
    """Prints a line an item, never broken: folders can be copied whole."""
    for item in sorted(items, key=lambda item: -item.size):
        inside = item.folder.is_relative_to(output_dir)
        place = item.folder.relative_to(output_dir) if inside else item.folder
        print(f"{format_size(item.size):>8}  {item.what}  {place}")
    if items:
        print()


def _show_end(job: Job, plan: Plan, total: int, *, dry: bool) -> None:
    output_dir = job.run.destination().output_dir
    place, size = short_path(output_dir), format_size(total)
    if not plan.items:
        print(f"Nothing in {place} can go.")
        if not plan.runs:
            print("There is no run in it. output_dir says where to look.")
    elif dry:
        typed = [w for w in job.overrides if w.startswith(("task.", "tracking"))]
        words = [w for w in typed if not w.startswith("task.dry")]
        words = ["task=clean", "task.dry=false", *words, *describe_output(output_dir)]
        print(f"{size} in {place} can go; nothing was removed. To remove it:")
        print(f"  {describe_command(*words)}")
    else:
        print(f"{size} in {place} were removed. Results and records are as they were.")
    for why, count in plan.kept.items():
        print(f"Kept: checkpoints of {count_of(count, 'run')} {why}.")
