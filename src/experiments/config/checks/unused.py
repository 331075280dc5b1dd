"""Keys that are typed for nothing: each is told, for it was meant to do something."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from experiments.config.reading.fields import Target
from experiments.config.schema.run import RunConfig
from experiments.config.schema.task import TASKS
from experiments.config.search.schema import KEY, SearchConfig
from experiments.counts import join_words
from experiments.errors import Problem

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

_OF_SWEEPS = (
    "sweep",
    "hydra/sweeper",
    "hydra.sweeper",
    "hydra/launcher",
    "hydra.launcher",
)
_OF_PROCESSES = (
    "trial_minutes",
    "silent_minutes",
    "trials_per_process",
    "trials_per_gpu",
)
# What a search has keys of its own for.
_OF_PLAIN_SWEEPS = {
    "sweep.job_minutes": f"{KEY}.trial_minutes",
    "sweep.silent_minutes": f"{KEY}.silent_minutes",
    "sweep.keep_top": f"{KEY}.keep_top",
}
_KEYS = {field.name for field in dataclasses.fields(RunConfig)}


def find_unused(
    typed: Sequence["Override"],
    run: RunConfig,
    *,
    multirun: bool,
    search: SearchConfig | None = None,
) -> Iterator[Problem]:
    """Yields what was typed and would not be used.

    Args:
        typed: All overrides.
        run: The config of the (first) job.
        multirun: Whether it is a sweep or a search.
        search: How a space is searched; `None` for any other command.
    """
    keys = list(dict.fromkeys(o.key_or_group for o in typed))
    for key in keys:
        if not multirun and _is_below(key, _OF_SWEEPS):
            yield Problem(key, "is used by a sweep or a search only.", "Add -m.")
        if search is not None and (condition := _condition_of(key, search)):
            yield Problem(key, f"is used with {condition} only.")
        if search is not None and key in _OF_PLAIN_SWEEPS:
            hint = f"Type {_OF_PLAIN_SWEEPS[key]}=..."
            yield Problem(key, "is not used by a search.", hint)
    if multirun and _is_of_one_job(type(run.task)):
        reason = "looks at one job, not at those of a sweep."
        hint = "Type one value a key, without -m; plan=true lists the jobs of a sweep."
        yield Problem(f"task={name_task(run.task._target_)}", reason, hint)
    if "task" in {o.key_or_group for o in typed if o.is_sweep_override()}:
        return  # each job may use others
    for key in keys:
        top = key.partition(".")[0].partition("/")[0]
        if top != "hydra" and not uses(run.task, top):
            # What looks at a training takes what that takes.
            named = {t: task for t, task in TASKS.items() if not _is_of_one_job(task)}
            others = [name_task(t) for t, task in named.items() if _uses(task, top)]
            hint = f"It is used by task={join_words(others)}." if others else ""
            if key in {field.name for field in dataclasses.fields(run.task)}:
                hint = f"Type task.{key}=..."
            yield Problem(
                key, f"is not used by task={name_task(run.task._target_)}.", hint
            )


def _condition_of(key: str, search: SearchConfig) -> str | None:
    """Returns under which setting a key of a search would count, unless it does."""
    for oracle in ("bayesian", "hyperband"):
        if _is_below(key, [f"{KEY}.{oracle}"]) and search.oracle != oracle:
            return f"{KEY}.oracle={oracle}"
    of_processes = [f"{KEY}.{name}" for name in _OF_PROCESSES]
    if key in of_processes and search.isolation == "none":
        return f"{KEY}.isolation=process"
    return None


def find_clashes(typed: Sequence["Override"], run: RunConfig) -> Iterator[Problem]:
    """Yields what cannot be laid over a recorded config: files of many groups' keys."""
    last = {o.key_or_group: o for o in typed}
    for key, override in last.items():
        if override.value() is None:
            continue  # no file at all, as where nothing is typed
        if run.from_search is not None and "." not in key and key not in _KEYS:
            reason = (
                "sets keys of many groups, which cannot be laid over the best trial."
            )
            yield Problem(key, reason, "Type the keys beside from_search.")


def uses(task: Target | type, key: str) -> bool:
    """Tells whether a task, or every one of its dataclass, uses a top-level key."""
    return _uses(task if isinstance(task, type) else type(task), key)


def _uses(task: type, key: str) -> bool:
    if key == "task" or key in getattr(task, "ignores", ()):
        return key == "task"
    return key in getattr(task, "uses", (key,))


def name_task(target: str) -> str:
    """Returns the name of a task, which is that of its function."""
    return target.rpartition(".")[2]


def _is_of_one_job(task: type) -> bool:
    return bool(getattr(task, "of_one_job", False))


def _is_below(key: str, parents: Sequence[str]) -> bool:
    return any(key == parent or key.startswith(f"{parent}.") for parent in parents)
