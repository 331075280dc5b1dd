"""The tracked run of a trial that is trained with several seeds or in folds."""

import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

from experiments import job_files
from experiments.command.composing.composer import quote
from experiments.config.kinds.metric_names import name_best
from experiments.config.schema.run import RunConfig
from experiments.config.search.schema import SearchConfig
from experiments.config.search.space import Space
from experiments.jobs.job import SWEEP_VARIABLE
from experiments.search.runner import RepeatedRun
from experiments.search.trials.trial import Outcome, Proposal
from experiments.tracking.tracker import Tracker, open_tracker


def repeated_runs(
    run: RunConfig, search: SearchConfig, space: Space, sweep_dir: Path
) -> Callable[[Proposal], RepeatedRun]:
    """Returns what opens the run of a trial, whose jobs become its children.

    Args:
        run: The config that is varied.
        search: Names the objective.
        space: Names the trial.
        sweep_dir: Folder of the search.
    """

    def prepare(proposal: Proposal) -> RepeatedRun:
        overrides = space.as_overrides(proposal.values)
        folder = sweep_dir / job_files.REPEATS / f"trial-{proposal.number:04d}"
        tracker = open_tracker(
            destination=run.destination(),
            drain_seconds=run.tracking.drain_seconds,
            folder=folder,
            run_name=" ".join(overrides) or f"trial {proposal.number}",
            parent_dir=sweep_dir,
            tags={**run.tags, "run.kind": "trial"},
        )
        tracker.log_params(dict(proposal.values))
        child = f"++hydra.job.env_set.{SWEEP_VARIABLE}={quote(str(folder))}"
        return RepeatedRun([child], lambda outcome: _close(tracker, search, outcome))

    return prepare


def _close(tracker: Tracker, search: SearchConfig, outcome: Outcome) -> None:
    name = search.objective.name
    metrics: dict[str, Any] = {}
    if outcome.objective is not None:
        metrics[name_best(name)] = outcome.objective
    if len(outcome.repeats) > 1:
        metrics[f"spread_{name}"] = statistics.stdev(outcome.repeats)
    if metrics:
        tracker.log_metrics(metrics, step=len(outcome.repeats))
    status: Any = "FAILED" if outcome.end == "failed" else "FINISHED"
    tracker.finish(status, outcome.reason)
