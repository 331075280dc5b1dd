"""What a search would run: its space, and jobs that show whether it is right."""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from omegaconf import DictConfig

from experiments.command.composing.composer import parse
from experiments.command.sweeping.folds import (
    FOLD,
    find_searched_folds,
    list_fold_words,
    refuse_searched_folds,
)
from experiments.command.sweeping.job_count import (
    check_value_counts,
    count_grid_values,
    too_many,
)
from experiments.command.sweeping.job_words import select_overrides
from experiments.command.sweeping.pairs import count_rows, read_sweep
from experiments.config.checks.consistency import check_classes, has_own_callbacks
from experiments.config.kinds.metric_names import TEST
from experiments.config.kinds.objective import (
    EPOCH_METRICS,
    EPOCH_METRICS_SEVERAL,
    check_objective,
)
from experiments.config.reading.convert import UnknownKey
from experiments.config.schema.resume import SweepConfig
from experiments.config.schema.run import RunConfig
from experiments.config.schema.task import TrainTaskConfig
from experiments.config.search.parameter import Scalar
from experiments.config.search.schema import (
    KEY,
    SearchConfig,
    choose_n_jobs,
    read_search,
)
from experiments.config.search.space import Space, parse_space
from experiments.counts import count_of, write_count
from experiments.errors import ConfigError, Problem

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

_MOST_SAMPLES = 256


@dataclass(frozen=True, kw_only=True)
class SearchPlan:
    """A search that was checked.

    Attributes:
        config: How to search.
        space: What is searched.
        fixed: The overrides that every trial has.
        folds: In so many each proposal is trained; `None` for no such thing.
    """

    config: SearchConfig
    space: Space
    fixed: tuple[str, ...]
    folds: int | None = None


def plan_search(own: Sequence["Override"], base: DictConfig) -> SearchPlan:
    """Returns what a search would run.

    Args:
        own: What was typed, without Hydra's own settings.
        base: What it varies, with Hydra's own node.

    Raises:
        ConfigError: The search or its space is wrong in itself.
    """
    search = read_search(base.hydra.sweeper)
    choose_n_jobs(search, str(base.hydra.launcher._target_))
    sweep = read_sweep(base)
    _raise(_refuse_rows(sweep))
    most = sweep.max_jobs
    _raise(check_value_counts(_describe_parameters(search, own), most))
    space = parse_space(search.params, search.when or {}, own, parse)
    _raise(_check_grid(search, space, most))
    folds = find_searched_folds(base, space.keys)
    _raise(
        refuse_searched_folds(
            folds, repeats=search.repeats, oracle=search.oracle, searched=space.keys
        )
    )
    fixed = space.list_fixed(own)
    return SearchPlan(config=search, space=space, fixed=fixed, folds=folds)


def _raise(problems: Iterator[Problem]) -> None:
    if found := list(problems):
        raise ConfigError(found, "The search space")


def _refuse_rows(sweep: SweepConfig) -> Iterator[Problem]:
    for block in count_rows(sweep):
        reason = "cannot be searched: an oracle chooses each value by itself."
        yield Problem(block, reason, f"Type {block}=null, or hydra/sweeper=basic.")


def _describe_parameters(
    search: SearchConfig, own: Sequence["Override"]
) -> list["Override"]:
    """Returns what names values to search, in a file or typed."""
    words = [f"{key}={value}" for key, value in search.params.items()]
    return [*parse(words), *own]


def _check_grid(search: SearchConfig, space: Space, max_jobs: int) -> Iterator[Problem]:
    """Yields a problem for a grid that nobody has counted."""
    counts = [count_grid_values(parameter) for parameter in space.parameters]
    points = math.prod(counts)
    is_endless = search.oracle == "grid" and search.max_trials is None
    if is_endless and points > max_jobs:
        factors = f" ({' x '.join(map(write_count, counts))})" if counts[1:] else ""
        trials = count_of(points, "trial")
        reason = f"is null: all of the grid, {trials}{factors}, and "
        hint = "Set it, or search fewer values."
        key = f"{KEY}.max_trials"
        yield too_many(key, reason, points, max_jobs, hint)


def sample_jobs(plan: SearchPlan) -> list[tuple[str, ...]]:
    """Returns jobs at the ends of the space, which show whether it is right.

    The config as it is is none of them: outside of the space it is never run.

    All combinations when they are few; otherwise each value beside the first ones of
    the other parameters, and beside their last ones.
    """
    space = plan.space
    ends = [parameter.ends() for parameter in space.parameters]
    few = math.prod(len(values) for values in ends) <= _MOST_SAMPLES
    points = itertools.product(*ends) if few else _cross(ends)
    values = (dict(zip(space.keys, point, strict=True)) for point in points)
    jobs = dict.fromkeys(space.as_overrides(point) for point in values)
    fold = list_fold_words(plan.folds)[:1]
    return [(*plan.fixed, *job, *fold) for job in jobs]


def check_search(plan: SearchPlan, runs: Sequence[RunConfig]) -> None:
    """Checks a search against its trials.

    Args:
        plan: The search.
        runs: Configs of jobs that show what the space holds.

    Raises:
        ConfigError: Nothing computes the objective, or trials could not be compared.
    """
    problems: list[Problem] = []
    for run in runs:
        found = [*_check_objective(plan, run)]
        if plan.config.oracle == "hyperband":
            found += _check_rounds(plan, run)
        problems += [problem for problem in found if problem not in problems]
    if plan.config.repeats > 1 and "seed" in plan.space.keys:
        reason = "cannot be searched with hydra.sweeper.repeats, which sets it."
        problems.append(Problem("seed", reason))
    if problems:
        raise ConfigError(problems, "The search")


def _check_objective(plan: SearchPlan, run: RunConfig) -> Iterator[Problem]:
    objective = plan.config.objective
    keys = (f"{KEY}.objective.name", f"{KEY}.objective.direction")
    trains = isinstance(run.task, TrainTaskConfig)
    several = run.dataset.has_several_labels
    if trains and objective.name.startswith(TEST):
        reason = "must not be of the test images: what chooses a proposal shows nothing"
        hint = f"Type {keys[0]}=val_{objective.name.removeprefix(TEST)}"
        yield Problem(keys[0], f"{reason} of it afterwards.", hint)
        return
    yield from check_objective(
        objective.name,
        objective.direction,
        keys=keys,
        accepted=EPOCH_METRICS_SEVERAL if several else EPOCH_METRICS,
        is_open=not trains or has_own_callbacks(run),
    )
    if trains:
        yield from check_classes(run, objective.name, keys[0])


def _check_rounds(plan: SearchPlan, run: RunConfig) -> Iterator[Problem]:
    epochs, own = run.trainer.epochs, plan.config.hyperband.max_epochs
    if own > epochs:
        reason = f"must not be above trainer.epochs={epochs}. Received: {own}."
        yield Problem(f"{KEY}.hyperband.max_epochs", reason)
    if "trainer.epochs" in plan.space.keys:
        reason = "cannot be searched by Hyperband, which decides on epochs itself."
        yield Problem("trainer.epochs", reason)


def _cross(ends: Sequence[Sequence[Scalar]]) -> Iterator[tuple[Scalar, ...]]:
    for others in ([values[0] for values in ends], [values[-1] for values in ends]):
        for index, values in enumerate(ends):
            for value in values:
                yield (*others[:index], value, *others[index + 1 :])


def list_repeated(search: SearchPlan) -> Iterator[str]:
    """Yields the keys by which the jobs of one trial are told apart."""
    if search.config.repeats > 1:
        yield "seed"
    if search.folds is not None:
        yield FOLD


def hint_at_condition(problem: Problem, search: SearchPlan) -> Problem:
    """Tells how to set a key that not every choice of its group has."""
    searched = search.space.keys
    # What lacks a whole component is told by the component.
    inside = (key for key in searched if key.startswith(f"{problem.key}."))
    if isinstance(problem, UnknownKey):
        problem = replace(problem, key=next(inside, problem.key))
    key, group = problem.key, problem.key.partition(".")[0]
    is_typed = key in searched or select_overrides(search.fixed, [key])
    is_slip = problem.hint.startswith("Did you mean")
    if not is_typed or is_slip or not isinstance(problem, UnknownKey):
        return problem
    if group not in searched and key in search.config.params:
        hint = f"To search without it, type 'hydra.sweeper.params={{{key}: null}}'"
        return replace(problem, hint=hint)
    if group not in searched:
        return problem
    hint = "To set it where it is one: "
    hint += f"\"hydra.sweeper.when={{{key}: '{group}=...'}}\""
    return replace(problem, hint=hint)
