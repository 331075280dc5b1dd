"""A search that might be run: what is left of it, and what its trials take."""

import statistics
from collections.abc import Sequence
from pathlib import Path

from experiments import job_files
from experiments.command.plan import Plan
from experiments.command.sweeping.job_words import select_overrides
from experiments.command.sweeping.search_plan import SearchPlan, sample_jobs
from experiments.config.search.schema import choose_n_jobs
from experiments.counts import count_of
from experiments.forecast import page
from experiments.forecast.estimate import Estimate
from experiments.forecast.state import JobState
from experiments.jobs.folder import describe_holder, is_held
from experiments.jobs.showing.display import short_path
from experiments.search.trials.journal import read_trials


def list_samples(plan: Plan, search: SearchPlan) -> list[JobState]:
    """Returns trials at the ends of a search's space, as jobs that were never run."""
    return [
        JobState(
            name=" ".join(select_overrides(job, plan.swept_keys)),
            folder=plan.folder / "trial",
            run=run,
            overrides=job,
            kind="new",
        )
        for job, run in zip(sample_jobs(search), plan.runs, strict=True)
    ]


def show_search(
    plan: Plan, search: SearchPlan, samples: Sequence[Estimate | None]
) -> int:
    """Prints what a search would do; its jobs are decided on as it goes.

    Args:
        plan: The checked command line.
        search: Its search.
        samples: What trials at the ends of its space are expected to take; `None` for
            those of which nothing is known.

    Returns:
        Exit code, see `show_forecast`.
    """
    trials = read_trials(plan.folder / job_files.SEARCH)
    ended = sum(trial.outcome is not None for trial in trials)
    most = search.config.max_trials
    left = None if most is None else max(0, most - ended)
    held = is_held(plan.folder)
    words = "its oracle decides how many follow" if left is None else f"{left} left"
    print(f"plan         a search in {short_path(plan.folder)}; nothing was started")
    print(f"trials       {count_of(ended, 'trial')} ended, {words}")
    if held:
        print(f"running      held by {describe_holder(plan.folder)}")
    known = [sample for sample in samples if sample is not None]
    kept = search.config.keep_top if most is None else min(search.config.keep_top, most)
    wanted = _average(known, kept).bytes if known else 0
    rows = {
        "time": _describe_time(plan, search, samples, left),
        "disk": f"{_describe_disk(plan, known, kept)}",
    }
    page.print_rows(rows)
    output_dir = Path(plan.run.output_dir).absolute()
    return int(held or wanted > page.find_free(output_dir))


def _average(known: Sequence[Estimate], times: int) -> Estimate:
    """Returns what so many trials take, as the known ones do on average."""
    return Estimate(
        seconds=times * statistics.fmean(each.seconds for each in known),
        bytes=int(times * statistics.fmean(each.bytes for each in known)),
        jobs=max(each.jobs for each in known),
    )


def _describe_time(
    plan: Plan, search: SearchPlan, samples: Sequence[Estimate | None], left: int | None
) -> str:
    known = [sample for sample in samples if sample is not None]
    if not known or left == 0:
        unknown = 0 if left == 0 else len(samples)
        advice = page.advise(plan.run)
        return page.describe_time([], unknown, at_a_time=1, advice=advice)
    side = choose_n_jobs(search.config, plan.launch.target)
    trial = _average(known, search.folds or search.config.repeats)
    text = page.describe_time(
        [trial] * (left or 1), 0, at_a_time=min(side, left or 1), advice=""
    )
    each = f"{text} a trial" if left is None else text
    share = f"; {len(known)} of {len(samples)} kinds of trials are known"
    return each + (share if len(known) < len(samples) else "")


def _describe_disk(plan: Plan, known: Sequence[Estimate], kept: int) -> str:
    output_dir = Path(plan.run.output_dir).absolute()
    wanted = [_average(known, kept)] if known else []
    text = page.describe_disk(wanted, int(not known), output_dir)
    return f"{text} (the best {count_of(kept, 'trial')} keep their checkpoints)"
