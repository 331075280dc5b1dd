"""`plan=true`: a command line is looked at from all sides, and nothing is started."""

import sys
from collections.abc import Sequence
from pathlib import Path

from experiments.command.plan import Plan
from experiments.command.sweeping.job_words import select_overrides
from experiments.config.schema.task import TrainTaskConfig
from experiments.counts import count_of
from experiments.errors import ConfigError, Problem
from experiments.forecast import page
from experiments.forecast.estimate import Estimate, estimate, find_alike
from experiments.forecast.measure import measure
from experiments.forecast.obstacles import check_runs
from experiments.forecast.past import describe_run, list_past
from experiments.forecast.searching import list_samples, show_search
from experiments.forecast.state import JobState, look_at
from experiments.jobs.showing.display import short_path


def show_forecast(plan: Plan) -> int:
    """Prints what a command line would do.

    Returns:
        Exit code: 0 when all of it could start and end, 1 when another process holds a
        job or the disk is too full.

    Raises:
        ConfigError: Something of this machine is in the way.
    """
    states = list_states(plan)
    waiting = [state for state in states if state.will_run]
    if plan.launch.is_here:
        check_runs([state.run for state in waiting])
    found = _estimate_all(plan, states)
    if plan.search is not None:
        return show_search(plan, plan.search, found)
    known = [each for each in found if each is not None]
    print(f"plan         {_describe(plan, states)}; nothing was started")
    for line in page.list_jobs(states, every=plan.run.plan == "all"):
        print(line)
    return _show_sums(plan, known, len(found) - len(known), states)


def list_states(plan: Plan) -> list[JobState]:
    """Returns what each job has come to; of a search, trials at its space's ends."""
    if plan.search is not None:
        return list_samples(plan, plan.search)
    if not plan.multirun:
        name = plan.run.name or plan.folder.name
        return [look_at(name, plan.folder, plan.run, plan.job)]
    if not plan.jobs:
        reason = "knows no jobs: a sweeper of your own decides on them as it goes."
        raise ConfigError([Problem("plan", reason)], "The command line")
    jobs = zip(plan.jobs, plan.job_folders, plan.runs, strict=True)
    return [
        look_at(
            " ".join(select_overrides(job, plan.swept_keys)) or folder,
            plan.folder / folder,
            run,
            job,
            in_sweep=True,
        )
        for job, folder, run in jobs
    ]


def _estimate_all(plan: Plan, states: Sequence[JobState]) -> list[Estimate | None]:
    """Returns what is known of each job that would run; a kind is looked at once."""
    past = list_past(Path(plan.run.output_dir).absolute())
    kinds: dict[frozenset[tuple[str, str]] | None, list[int]] = {}
    for number, state in enumerate(states):
        if state.will_run:
            kinds.setdefault(_describe_kind(state), []).append(number)
    found: list[Estimate | None] = []
    for kind, (first, *others) in kinds.items():
        run = states[first].run
        alike = [] if kind is None else find_alike(run, past)
        measured = not alike and kind is not None and plan.run.plan == "measure"
        if measured:
            print(f"Measuring some steps of {states[first].name}", file=sys.stderr)
            one = measure(states[first].overrides, run, plan.flags)
            alike = [] if one is None else [one]
        of_kind = (states[number] for number in (first, *others))
        found += [estimate(state, alike, measured=measured) for state in of_kind]
    return found


def _describe_kind(state: JobState) -> frozenset[tuple[str, str]] | None:
    """Returns what decides on a job's time; `None` where a record does."""
    is_training = isinstance(state.run.task, TrainTaskConfig)
    if not is_training or state.run.from_search is not None:
        return None
    return frozenset({**describe_run(state.run), "gpu": str(state.run.gpu)}.items())


def _describe(plan: Plan, states: Sequence[JobState]) -> str:
    jobs = count_of(len(states), "job")
    place = plan.folder if plan.multirun else plan.folder.parent
    return f"{jobs} in {short_path(place)}"


def _show_sums(
    plan: Plan, known: Sequence[Estimate], unknown: int, states: Sequence[JobState]
) -> int:
    output_dir = Path(plan.run.output_dir).absolute()
    advice = page.advise(plan.run)
    waiting, launch = sum(state.will_run for state in states), plan.launch
    # How many a queue lets run, it alone knows.
    at_a_time = None if launch.at_a_time is None else launch.side_by_side(waiting)
    page.print_rows(
        {
            "time": page.describe_time(
                known, unknown, at_a_time=at_a_time, advice=advice
            ),
            "disk": page.describe_disk(known, unknown, output_dir),
        }
    )
    held = any(state.kind == "running" for state in states)
    full = sum(each.bytes for each in known) > page.find_free(output_dir)
    return int(held or full)
