"""Runs that a command names by words that mean others tomorrow."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from experiments.command.composing.composer import quote
from experiments.command.plan import Plan
from experiments.config.kinds.weights import RUN

if TYPE_CHECKING:
    from experiments.jobs.runs.run_names import Settled


def settle_names(plan: Plan) -> "Mapping[str, Settled]":
    """Returns the runs that a command names by a word that may mean others tomorrow."""
    begins_with = str(getattr(plan.run.model, "weights", None))
    named = (plan.run.run_id, plan.run.from_search)
    if named == (None, None) and not begins_with.startswith(RUN):
        return {}
    from experiments.jobs.runs import run_names  # and what reads records

    return run_names.settle_names(plan)


def name_runs(
    words: Sequence[str], runs: Mapping[str, str | tuple[str, ...]]
) -> list[str]:
    """Returns words that name runs by what does not change: key -> ids or folders."""
    kept = [word for word in words if word.lstrip("+").partition("=")[0] not in runs]
    return [*kept, *(f"{key}={_quote(named)}" for key, named in runs.items())]


def _quote(named: str | tuple[str, ...]) -> str:
    if isinstance(named, str):
        return quote(named)
    return f"[{','.join(map(quote, named))}]"
