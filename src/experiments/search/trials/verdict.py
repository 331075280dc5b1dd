"""From what came back of a trial's jobs to how the trial ended."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace

from experiments.config.kinds.metric_names import name_best
from experiments.errors import Preempted
from experiments.search.trials.trial import Outcome
from experiments.workers.report import STOPPED, Failure, Report


def judge(report: Report, objective: str) -> Outcome:
    """Returns the outcome of a job.

    Args:
        report: What came back.
        objective: Name of the metric to compare.

    Raises:
        Preempted: The search is being stopped.
    """
    if report.status == "stopped":
        return _judge_stop(report)
    if report.status == "failed":
        return _fail(report, report.failure, report.reason)
    value = find_objective(report, objective)
    if value is None or not math.isfinite(value):
        what = "missing" if value is None else value
        return _fail(report, "nan", f"{objective} is {what}")
    result = report.result
    if result is None:
        return Outcome(end="complete", objective=value)
    return replace(_note(report), end=result.end, objective=value, reason=result.reason)


def combine(outcomes: Sequence[Outcome]) -> Outcome:
    """Returns the outcome of a trial from those of its seeds; one failure fails it.

    Objective and metrics are means over the seeds. The run is that of the first seed,
    which the trial's overrides repeat: neither the luckiest one nor the last.
    """
    values = [o.objective for o in outcomes if o.objective is not None]
    first, last = outcomes[0], outcomes[-1]
    common = {
        "epochs": sum(o.epochs for o in outcomes),
        "attempts": sum(o.attempts for o in outcomes),
        "repeats": tuple(values),
        "folders": tuple(folder for o in outcomes for folder in o.folders),
    }
    if last.objective is None:
        return replace(last, **common)  # type: ignore[arg-type]
    return replace(
        last,
        objective=statistics.fmean(values),
        metrics=_average([o.metrics for o in outcomes]),
        run_id=first.run_id,
        **common,  # type: ignore[arg-type]
    )


def _average(metrics: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Returns the means of the metrics that all seeds have."""
    shared = [name for name in metrics[0] if all(name in each for each in metrics)]
    return {name: statistics.fmean(each[name] for each in metrics) for name in shared}


def find_objective(report: Report, name: str) -> float | None:
    """Returns the metric of the best epoch; for other tasks, what they returned."""
    if report.result is None:
        return report.value
    metrics = report.result.metrics
    return metrics.get(name_best(name), metrics.get(name))


def _judge_stop(report: Report) -> Outcome:
    reason = report.reason or "stopped"
    if report.reason == STOPPED.reason:
        raise Preempted(reason)
    # By a limit of its own or a signal that was meant for it alone.
    failure: Failure = "timeout" if "trainer.max" in reason else "killed"
    return _fail(report, failure, reason)


def _fail(report: Report, failure: Failure | None, reason: str | None) -> Outcome:
    return replace(_note(report), failure=failure, reason=reason)


def _note(report: Report) -> Outcome:
    """Returns what is known of a job, however it ended."""
    result = report.result
    if result is None:
        folder = report.output_dir
        return Outcome(end="failed", folders=() if folder is None else (folder,))
    return Outcome(
        end="failed",
        metrics=dict(result.metrics),
        epochs=result.epochs,
        run_id=result.run_id,
        folders=(result.output_dir,) if result.output_dir else (),
    )
