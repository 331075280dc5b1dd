"""How long jobs will take and how much they will leave, judged by jobs like them."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from experiments.config.checks.machine import may_have_accelerator
from experiments.config.schema.run import RunConfig
from experiments.forecast.past import Past, describe_run, is_alike
from experiments.forecast.state import JobState
from experiments.tracking.spool.process import host_name


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What a job is expected to take.

    Attributes:
        seconds: From its start to its end.
        bytes: That it adds to the output folder.
        jobs: How many jobs of before say so; none where steps were measured.
    """

    seconds: float
    bytes: int
    jobs: int = 0


def find_alike(run: RunConfig, past: Iterable[Past]) -> list[Past]:
    """Returns the jobs of before that did the same on this machine and device."""
    described = describe_run(run)
    on_cpu = run.gpu == "cpu" or not may_have_accelerator()
    return [
        job
        for job in past
        if job.host == host_name()
        and (job.device is None or (job.device == "cpu") == on_cpu)
        and is_alike(described, job)
    ]


def estimate(
    state: JobState, alike: Sequence[Past], *, measured: bool = False
) -> Estimate | None:
    """Returns what is left of a job; `None` without any job like it.

    The medians of jobs of before: that of what comes around the epochs, and so many
    times that of an epoch.

    Args:
        state: The job.
        alike: See `find_alike`.
        measured: They are some steps that were trained for this.
    """
    if not alike:
        return None
    each = statistics.median(job.epoch_seconds for job in alike)
    around = statistics.median(job.other_seconds for job in alike)
    size = statistics.median(job.bytes for job in alike)
    return Estimate(
        seconds=around + each * state.epochs_left,
        bytes=int(size) if state.kind == "new" else 0,
        jobs=0 if measured else len(alike),
    )


def add_up(estimates: Sequence[Estimate], at_a_time: int) -> float:
    """Returns the seconds that several jobs take with so many side by side.

    None is shorter than its longest job. Jobs side by side are taken to be as quick
    as one alone.
    """
    total = sum(each.seconds for each in estimates)
    longest = max((each.seconds for each in estimates), default=0.0)
    return max(total / max(1, at_a_time), longest)
