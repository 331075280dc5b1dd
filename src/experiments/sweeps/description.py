"""What the page of a sweep or a search in MLflow says of it."""

from collections.abc import Mapping, Sequence

from experiments.command.plan import Plan
from experiments.config.kinds.objective import Objective
from experiments.config.search.parameter import Parameter
from experiments.counts import count_of
from experiments.jobs.job import JobResult
from experiments.search.results.files import format_markdown
from experiments.search.results.table import format_objective
from experiments.search.trials.trial import Trial, best_trial
from experiments.sweeps.table import best_result
from experiments.tracking.spool.notes import (
    join_parts,
    shorten_table,
    write_picture,
    write_plain,
)

_ROOM = 4500  # bytes of a table, beside which sentences and pictures have to fit


def list_swept(plan: Plan) -> dict[str, str]:
    """Returns the keys that a sweep or a search varies, each with its values.

    Args:
        plan: The checked command line.
    """
    if plan.search is not None:
        return {p.key: _write_values(p) for p in plan.search.space.parameters}
    values: dict[str, dict[str, None]] = {key: {} for key in plan.swept_keys}
    jobs = plan.jobs or (plan.overrides,)  # another sweeper decides on them later
    for word in (word for job in jobs for word in job):
        key, _, value = word.lstrip("+~").partition("=")
        if key in values:
            values[key][value] = None
    return {key: ", ".join(found) for key, found in values.items() if found}


def describe_jobs(
    results: Sequence[JobResult],
    objective: Objective,
    table: str,
    pictures: Mapping[str, str],
    *,
    folds: Sequence[str] = (),
) -> str:
    """Returns the description of a sweep that has ended.

    Args:
        results: In any order.
        objective: What is compared.
        table: As it is printed.
        pictures: Their path among the run's files -> what they show.
        folds: What came of all folds together, a sentence a setting: of single folds
            the best one is the easiest.
    """
    sentence = f"Sweep of {count_of(len(results), 'job')}."
    best = best_result(results, objective)
    if best is not None and not folds:
        result, value = best
        sentence += _name_best(objective, f"{value:.4f}", result.name)
    unfinished = sum(result.status != "FINISHED" for result in results)
    if unfinished:
        sentence += f" {count_of(unfinished, 'job')} did not finish."
    shown = [_shorten(table, "sweep/results.md")] if results else []
    return join_parts([sentence, *map(write_plain, folds), *shown, *_show(pictures)])


def describe_trials(
    trials: Sequence[Trial],
    objective: Objective,
    pictures: Mapping[str, str],
    *,
    oracle: str,
) -> str:
    """Returns the description of a search that has ended.

    Args:
        trials: In any order.
        objective: What is compared.
        pictures: Their path among the run's files -> what they show.
        oracle: What proposed the trials.
    """
    sentence = f"Search of {count_of(len(trials), 'trial')} by the oracle `{oracle}`."
    best = best_trial(trials, objective)
    if best is not None:
        sentence += _name_best(
            objective, format_objective(best), f"trial {best.number}"
        )
    table = format_markdown(trials, objective)
    shown = [_shorten(table, "search/results.md")] if trials else []
    return join_parts([sentence, *shown, *_show(pictures)])


def _shorten(table: str, rest: str) -> str:
    return shorten_table(table, room=_ROOM, rest=rest)


def _show(pictures: Mapping[str, str]) -> list[str]:
    return [write_picture(path, title) for path, title in pictures.items()]


def _name_best(objective: Objective, value: str, name: str) -> str:
    owner = write_plain(name)
    return f" The best `{objective.name}`, **{value}**, is that of **{owner}**."


def _write_values(parameter: Parameter) -> str:
    """Returns the choices of a parameter, or its interval."""
    if parameter.choices:
        return ", ".join(map(str, parameter.choices))
    low, high = parameter.ends()
    steps = "" if parameter.step is None else f", in steps of {parameter.step:g}"
    return f"{low} to {high}{', log' if parameter.log else ''}{steps}"
