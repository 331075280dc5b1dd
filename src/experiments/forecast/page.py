"""A plan on the screen: the jobs by what they have come to, time and disk."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from experiments.config.checks.demand import write_bytes
from experiments.config.schema.run import RunConfig
from experiments.counts import count_of
from experiments.forecast.estimate import Estimate, add_up
from experiments.forecast.state import JobState, Kind
from experiments.forecast.words import about

_ADVICE = "To train some steps of each and see: plan=measure"
_KINDS: tuple[Kind, ...] = ("running", "finished", "failed", "to continue", "new")
_MOST_ROWS, _FIRST_ROWS = 40, 5  # of a plan, and of each kind in a longer one
_WIDEST = 60


def list_jobs(states: Sequence[JobState], *, every: bool) -> Iterator[str]:
    """Yields the lines that tell the jobs, kind by kind.

    Args:
        states: The jobs in their order.
        every: All of them, however many there are.
    """
    for kind in _KINDS:
        of_kind = [state for state in states if state.kind == kind]
        if not of_kind:
            continue
        yield f"{kind:12} {count_of(len(of_kind), 'job')}"
        is_long = len(states) > _MOST_ROWS and not every
        shown = of_kind[:_FIRST_ROWS] if is_long else of_kind
        width = min(_WIDEST, max(len(state.name) for state in shown))
        for state in shown:
            note = f"  ({state.note})" if state.note else ""
            name = f"{state.name:{width}}  " if state.name != state.folder.name else ""
            yield f"  {name}{state.folder.name}{note}"
        if left := len(of_kind) - len(shown):
            yield f"  ... and {left:,} more; plan=all shows them"


def advise(run: RunConfig) -> str:
    """Returns what to do about jobs of which nothing is known."""
    return "" if run.plan == "measure" else _ADVICE


def describe_time(
    known: Sequence[Estimate], unknown: int, *, at_a_time: int | None, advice: str
) -> str:
    """Returns how long the jobs take, and how that is known.

    Args:
        known: Of the jobs of which something is known.
        unknown: How many others would run.
        at_a_time: How many side by side; `None` where a queue decides.
        advice: What to do about the others.
    """
    if not known:
        reason = "no job like them has run on this machine"
        return f"unknown: {reason}. {advice}".strip() if unknown else "none"
    side = "" if at_a_time in (None, 1) else f" with {at_a_time} side by side"
    seconds = about(add_up(known, at_a_time or 1))
    alone = ", one after the other" if at_a_time is None and len(known) > 1 else ""
    rest = f"; nothing is known of {count_of(unknown, 'job')} more. {advice}".strip()
    rest = rest if unknown else ""
    return f"about {seconds}{side}{alone}, {_describe_source(known)}{rest}"


def _describe_source(known: Sequence[Estimate]) -> str:
    measured = sum(not each.jobs for each in known)
    parts = []
    if len(known) > measured:
        former = count_of(max(each.jobs for each in known), "earlier job")
        parts.append(f"judged by {former} like these on this machine")
    if measured:
        parts.append("measured on some steps of each kind")
    return " and ".join(parts)


def describe_disk(known: Sequence[Estimate], unknown: int, output_dir: Path) -> str:
    """Returns what the jobs leave, and what is free.

    Args:
        known: Of the jobs of which something is known.
        unknown: How many others would run.
        output_dir: Where they leave it; need not exist.
    """
    free = f"{write_bytes(find_free(output_dir))} are free"
    wanted = sum(each.bytes for each in known)
    if not known:
        return f"unknown; {free}" if unknown else free
    rest = f" and that of {count_of(unknown, 'job')} more" if unknown else ""
    return f"about {write_bytes(wanted)}{rest}; {free}"


def find_free(output_dir: Path) -> int:
    """Returns the bytes that are free where an output folder is, or would be."""
    places = (output_dir, *output_dir.parents)
    return shutil.disk_usage(next(p for p in places if p.is_dir())).free


def print_rows(rows: Mapping[str, str]) -> None:
    """Prints what the plan comes to, a line each."""
    for name, text in rows.items():
        print(f"{name:12} {text}")
