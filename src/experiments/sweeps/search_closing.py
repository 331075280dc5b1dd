"""The end of a search: its parent run, its pictures, and the way to its best model."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from experiments import job_files
from experiments.command.config_folders.permission import KEY
from experiments.command.plan import Plan
from experiments.command.printed import (
    describe_command,
    describe_output,
    describe_tracking,
)
from experiments.command.sweeping.folds import FOLDS
from experiments.command.sweeping.job_words import select_overrides
from experiments.command.sweeping.search_plan import SearchPlan
from experiments.config.kinds.metric_names import name_best
from experiments.config.kinds.objective import Objective
from experiments.counts import count_of
from experiments.files import replace_bytes
from experiments.jobs.job import JobResult
from experiments.jobs.runs.recorded_job import BEST_FOLDER, BEST_RUN
from experiments.jobs.showing import display
from experiments.search.results.files import format_csv, format_markdown, summarise
from experiments.search.results.importance import tell_importance
from experiments.search.results.page import build_page
from experiments.search.results.pictures import (
    draw_history,
    draw_importance,
    draw_parallel,
    track_best,
)
from experiments.search.trials.journal import read_trials
from experiments.search.trials.trial import Outcome, Trial, best_trial
from experiments.sweeps.closing import compare_runs, show_runs
from experiments.sweeps.description import describe_trials
from experiments.tracking.spool.place import name_below
from experiments.tracking.tracker import Tracker


def close_search(parent: Tracker, plan: Plan, *, stopped_by: str | None = None) -> int:
    """Records what was tried and what came of it, and closes the parent run.

    Args:
        parent: What `open_sweep` returned.
        plan: The checked command line.
        stopped_by: Why the search ended before its time.

    Returns:
        Exit code: 0 when there is a best trial, else 1.
    """
    search = _search_of(plan)
    trials = read_trials(plan.folder / job_files.SEARCH)
    objective = search.config.objective
    best = best_trial(trials, objective)
    _log_files(parent, plan, trials)
    _log_best(parent, plan, trials)
    page = compare_runs(parent, plan, objective)
    if stopped_by is not None:
        parent.finish("KILLED", stopped_by)
    elif best is None:
        parent.finish(
            "FAILED", f"none of {count_of(len(trials), 'trial')} has an objective"
        )
    else:
        parent.finish("FINISHED")
    _show(parent, plan, trials, best, page)
    return int(best is None)


def _search_of(plan: Plan) -> SearchPlan:
    if plan.search is None:
        raise ValueError("plan.search must be the plan of a search. Received: None.")
    return plan.search


def _log_files(parent: Tracker, plan: Plan, trials: Sequence[Trial]) -> None:
    """Records tables and pictures, in the folder too."""
    search = _search_of(plan)
    objective = search.config.objective
    best = best_trial(trials, objective)
    overrides = () if best is None else (*search.fixed, *best.overrides)
    summary = summarise(
        trials,
        objective=objective,
        oracle=search.config.oracle,
        best_overrides=overrides,
    )
    page = build_page(
        trials,
        objective=objective,
        oracle=search.config.oracle,
        folder=plan.folder.name,
    )
    parent.log_dict(summary, "optimization_results.yaml")
    parent.log_text(format_csv(trials, objective), "search/trials.csv")
    parent.log_text(format_markdown(trials, objective), "search/results.md")
    parent.log_text(page, "search/search.html")
    replace_bytes(plan.folder / job_files.PAGE, page.encode())
    parent.log_dict(_describe_space(search), "search/space.yaml")
    journal = plan.folder / job_files.SEARCH / job_files.TRIALS
    if journal.exists():  # not before the first trial
        parent.log_file(journal, "search")
    pictures = _log_pictures(parent, trials, objective)
    oracle = search.config.oracle
    parent.describe(describe_trials(trials, objective, pictures, oracle=oracle))


def _log_pictures(
    parent: Tracker, trials: Sequence[Trial], objective: Objective
) -> dict[str, str]:
    """Records the pictures, and returns which there are and what they show."""
    parent.log_figure(draw_history(trials, objective), "search/history.png")
    parent.log_figure(draw_parallel(trials, objective), "search/parallel.png")
    shown = {
        "search/history.png": "The objective of each trial",
        "search/parallel.png": "The values of each trial and what came of them",
    }
    importances = tell_importance(trials)
    if importances:
        parent.log_figure(draw_importance(importances), "search/importance.png")
        shown["search/importance.png"] = "What the objective depended on"
    return shown


def _log_best(parent: Tracker, plan: Plan, trials: Sequence[Trial]) -> None:
    """Records the best value after each trial, and what the best trial is."""
    objective = _search_of(plan).config.objective
    ended = [trial for trial in trials if trial.outcome is not None]
    for number, value in track_best(ended, objective):
        parent.log_metrics({name_best(objective.name): value}, step=number)
    best = best_trial(trials, objective)
    if best is None or best.outcome is None:
        return
    parent.set_tags(
        {
            "search.best_run": " ".join(best.overrides) or f"trial {best.number}",
            **_name_best(plan, best.outcome),
            **{f"best.{key}": value for key, value in best.proposal.values.items()},
        }
    )


def _name_best(plan: Plan, outcome: Outcome) -> dict[str, str]:
    """Returns the tags by which the best trial is found, of several seeds the first.

    That one is what its overrides repeat; none of them was chosen for its luck.
    """
    run_id = outcome.run_id
    found: dict[str, str] = {}
    if outcome.folders:
        folder = Path(outcome.folders[0])
        output_dir = Path(plan.run.output_dir).absolute()
        found[BEST_FOLDER] = name_below(folder, output_dir)
        if len(outcome.folders) > 1:  # earlier releases noted the run of the last one
            first = JobResult.load(folder)
            run_id = run_id if first is None else first.run_id
    # Empty as long as MLflow was not reached: one of before would be another trial's.
    return {BEST_RUN: run_id or "", **found}


def _describe_space(search: SearchPlan) -> dict[str, object]:
    """Returns the space and the budget as plain data."""
    space: dict[str, object] = {}
    for parameter in search.space.parameters:
        ends = list(parameter.ends())
        kind = "choices" if parameter.choices else "interval"
        described: dict[str, object] = {kind: ends}
        if parameter.log:
            described["log"] = True
        if parameter.step is not None:
            described["step"] = parameter.step
        if parameter.when is not None:
            described["when"] = {parameter.when.key: list(parameter.when.values)}
        space[parameter.key] = described
    config = search.config
    return {
        "space": space,
        "oracle": config.oracle,
        "objective": asdict(config.objective),
        "max_trials": config.max_trials,
        "repeats": config.repeats,
        "folds": search.folds,
        "seed": config.seed,
    }


def _show(
    parent: Tracker,
    plan: Plan,
    trials: Sequence[Trial],
    best: Trial | None,
    page: Path | None,
) -> None:
    objective = _search_of(plan).config.objective
    run_ids = [t.outcome.run_id for t in trials if t.outcome and t.outcome.run_id]
    table = format_markdown(trials, objective)
    show_runs(parent, plan, table, list(dict.fromkeys(run_ids)), page=page)
    if best is not None:
        print("\nThe best trial as a command:")
        print(f"  {_describe_best(plan, best)}")
        _show_folders(best)
        if parent.run_id is not None:
            print("To train it with its model recorded:")
            print(f"  {_describe_training(plan, parent.run_id)}")
    display.show_unsent(parent, plan.run.output_dir, plan.run.tracking.uri)


def _show_folders(best: Trial) -> None:
    """Prints where the best trial's checkpoints are; MLflow has no model of it."""
    for folder in [] if best.outcome is None else best.outcome.folders:
        place = Path(folder, job_files.CHECKPOINTS)
        print(f"Its checkpoints: {display.short_path(place)}")


def _describe_best(plan: Plan, best: Trial) -> str:
    search = _search_of(plan)
    words = [*plan.flags, *search.fixed, *best.overrides]
    if search.folds is not None:  # on the whole training split
        typed = select_overrides(search.fixed, [FOLDS])
        words = [word for word in words if word not in typed] + [f"{FOLDS}=null"]
    return describe_command(*words)


def _describe_training(plan: Plan, run_id: str) -> str:
    """Returns the command that finds the search where this one was recorded."""
    run = plan.run
    return describe_command(
        "task=train",
        f"from_search={run_id}",
        *describe_output(run.output_dir),
        *describe_tracking(run.tracking, plan.overrides),
        *select_overrides(plan.overrides, [KEY]),
        *plan.flags,
    )
