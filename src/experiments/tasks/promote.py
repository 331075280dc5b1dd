"""Registers a trained model, and makes it the champion where it is better."""

import os
import shlex
from contextlib import nullcontext
from pathlib import Path

from experiments.command.printed import describe_command
from experiments.counts import count_of
from experiments.errors import ConfigError, ExperimentError, Problem
from experiments.evaluation.reporting.report_files import PAGE
from experiments.jobs.job import Job, JobResult
from experiments.jobs.runs.recorded_job import has_folds, read_best_of_search
from experiments.jobs.showing.display import describe_ui, short_path, show_rows
from experiments.promotion.candidate import Candidate
from experiments.promotion.decision import Decision
from experiments.promotion.facts import check_ended
from experiments.promotion.registering import (
    CHAMPION,
    PREVIOUS,
    Outcome,
    find_own,
    promoting,
    settle,
)
from experiments.promotion.seeds import Seeds, list_words, train_seeds
from experiments.promotion.testing import ask_candidate, check_test_images
from experiments.tracking.registry import Registered, Registry
from experiments.trained.adding import add_to_run, holding
from experiments.trained.evaluation_files import (
    describe_evaluation,
    place_of_evaluations,
)
from experiments.trained.finding import Found, find_trained
from experiments.trained.images import ask_for_images, choose_images
from experiments.trained.record import Record
from experiments.trained.trained import open_trained


def promote(job: Job) -> JobResult:
    """Registers the model that `run_id` or `from_search` names.

    Args:
        job: Its `run.registered_name` names the registered model; with `run.plan`
            it says what would happen, and nothing is registered.

    Returns:
        The scores of its test; FAILED with the reason where the champion stays.

    Raises:
        ExperimentError: There is no such model, or nothing to judge it by.
    """
    run, options = job.run, job.run.task.arguments()
    environment = dict(os.environ)
    registry = Registry(str(run.registered_name), run.destination())
    if run.plan and options["seeds"] is not None:
        return _plan_training(job, options["seeds"])
    seeds = None
    if options["seeds"] is not None:
        seeds = train_seeds(job, options["seeds"], environment)
    found = find_trained(_name_candidate(job, seeds), run)
    record = _check_run(found, registry)
    request = ask_for_images(job, found, None)
    with (
        nullcontext() if run.plan else promoting(Path(run.output_dir)),
        holding(found.folder, later="Promote it"),
        open_trained(found, run) as trained,
    ):
        chosen = choose_images(request, trained)
        check_test_images(chosen)
        place = place_of_evaluations(found.folder or job.output_dir)
        batch_size = options["batch_size"]
        candidate = Candidate(
            run=run,
            registry=registry,
            record=record,
            trained=trained,
            chosen=chosen,
            tested=ask_candidate(trained, chosen, place, batch_size=batch_size),
            seeds=seeds,
            force=options["force"],
            batch_size=batch_size,
        )
        if run.plan:
            return _plan(job, candidate)
        scores = candidate.report.scores
        addition = describe_evaluation(
            chosen,
            metrics=scores.overall,
            images=scores.images,
            files=candidate.files,
        )
        add_to_run(found, addition, run.destination())
        outcome = settle(
            registry,
            weights=candidate.weights,
            compare=candidate.compare,
            add=candidate.add,
            account=candidate.describe,
        )
        now = registry.read()
    _show(job, candidate, outcome, now)
    return _as_result(job, outcome.decision, candidate.report.scores.overall)


def _name_candidate(job: Job, seeds: Seeds | None) -> str:
    """Returns the run that is promoted, by its id or its folder."""
    if seeds is not None:
        return str(seeds.chosen.folder)
    if job.run.from_search is None:
        return str(job.run.run_id)
    if has_folds(job):
        reason = "must be typed: each proposal of this search was trained in folds, "
        hint = "Such as seeds=3, which trains the best one on the whole split."
        raise ConfigError([Problem("task.seeds", f"{reason}and none of all.", hint)])
    best = read_best_of_search(job)
    return best.run_id


def _check_run(found: Found, registry: Registry) -> Record:
    """Returns the record of the run, which has ended and is in the registry's store.

    Raises:
        ExperimentError: It is not, or there is none.
    """
    record = found.record
    if record is None:
        raise ExperimentError(
            f"The run of {found.typed} is gone, and with it what its card would tell. "
            f"To make it the {CHAMPION} all the same, move the alias in MLflow."
        )
    run_id = record.account.run_id
    if run_id is None:
        raise ExperimentError(
            f"{record.account.name} is not in MLflow: it was trained with "
            "tracking=off, or was not sent yet, see task=sync. A version names its run."
        )
    check_ended(record, registry.check_run(run_id))
    return record


def _plan_training(job: Job, count: int) -> JobResult:
    """Says how the best trial would be trained."""
    rows = {
        "plan": f"the best trial is trained with {count_of(count, 'seed')}; the best "
        "by its validation is held against the champion; nothing was started",
        "to train": describe_command(*list_words(job, count)),
    }
    show_rows(rows)
    return JobResult(
        name=job.name,
        status="FINISHED",
        overrides=job.overrides,
        output_dir=str(job.output_dir),
    )


def _plan(job: Job, candidate: Candidate) -> JobResult:
    """Says what would be registered, and what would become of the alias."""
    now = candidate.registry.read()
    decision = candidate.compare(now)
    version = find_own(candidate.registry, now, candidate.weights)
    number = str(len(now.versions) + 1)
    if now.versions:
        number = str(int(now.versions[-1].number) + 1)
    name = candidate.registry.name
    told = f"version {number} of {name} would be registered"
    if version is not None:
        told = f"version {version.number} of {name} has these weights"
    moves = {
        True: f"the alias {CHAMPION} would be moved to it",
        False: f"the alias {CHAMPION} would stay",
    }
    print()
    show_rows(
        {
            "plan": f"{told}, {moves[decision.moves]}; nothing was registered",
            **_describe_model(candidate),
            "reason": decision.reason,
        }
    )
    scores = {"accuracy": candidate.tested.accuracy}
    return _as_result(job, decision, scores, planned=True)


def _as_result(
    job: Job, decision: Decision, scores: dict[str, float], *, planned: bool = False
) -> JobResult:
    is_refused = decision.verdict == "refused" and not planned
    return JobResult(
        name=job.name,
        status="FAILED" if is_refused else "FINISHED",
        metrics=scores,
        overrides=job.overrides,
        output_dir=str(job.output_dir),
        reason=decision.reason,
        exit_code=1 if is_refused else 0,
    )


def _describe_model(candidate: Candidate) -> dict[str, str]:
    tested, record = candidate.tested, candidate.record
    images = count_of(len(tested.predictions), "image")
    return {
        "model": f"{record.account.name} ({record.account.run_id})",
        "tested on": f"{tested.images}: {images}, accuracy {tested.accuracy:.4f}",
    }


def _show(job: Job, candidate: Candidate, outcome: Outcome, now: Registered) -> None:
    name, number = candidate.registry.name, outcome.number
    is_new = ", registered now" if outcome.is_new else ", which has these weights"
    champion, previous = now.aliases.get(CHAMPION), now.aliases.get(PREVIOUS)
    before = "" if previous is None else f"; {PREVIOUS} is version {previous}"
    again = ""
    if outcome.again:
        again = f" The {CHAMPION} changed meanwhile; this is of the last comparison."
    rows = {
        **_describe_model(candidate),
        "version": f"{number} of {name}{is_new}",
        "reason": f"{outcome.decision.reason}{again}",
        CHAMPION: f"version {champion}{before}",
        "report": short_path(candidate.tested.place / PAGE),
        "MLflow page": candidate.registry.url(number),
        "to open it": describe_ui(job.run),
    }
    if champion == number:
        rows["to use it"] = shlex.quote(f"run_id=models:/{name}@{CHAMPION}")
    elif outcome.decision.verdict == "refused":
        rows["to force it"] = "force=true; the reason stays on the version"
    print()
    show_rows(rows)
