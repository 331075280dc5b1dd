"""The trials of a search as lines of a file, from which everything else follows."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypedDict

from experiments import job_files
from experiments.config.formats.history import name_key, name_values, name_words
from experiments.config.search.space import Space
from experiments.counts import agree, count_of
from experiments.records import (
    FIRST,
    FORMAT,
    OutsideError,
    RecordError,
    read_record,
    resolve_inside,
    write_record,
)
from experiments.redaction import redact_data
from experiments.search.trials.trial import Outcome, Proposal, Scalar, Trial
from experiments.shapes import Count, ShapeError, conform
from experiments.tracking.spool.journal import DAMAGED, Entry, read_entries

ASKED, TOLD = "asked", "told"
_ADVICE = (
    "Restore it from a backup, or start the search anew in another folder: fresh=true"
)


class _Order(TypedDict):
    keys: list[str]


def _upgrade_order(content: Any, since: int) -> Any:
    is_list = since == FIRST  # in which it was nothing but the keys
    keys = conform(content, list[str]) if is_list else conform(content, _Order)["keys"]
    return {"keys": [name_key(key, since) for key in keys]}


class _Question(TypedDict):
    number: Count
    values: dict[str, Scalar]
    epochs: Count | None
    parent: Count | None
    overrides: list[str]


class _Answer(TypedDict):
    number: Count
    outcome: Outcome


def read_trials(folder: Path) -> list[Trial]:
    """Returns the trials of a search by number.

    Args:
        folder: Of the search, the one that holds the journal.

    Raises:
        RecordError: The journal is damaged.
    """
    return gather_trials(read_entries(folder / job_files.TRIALS), folder)


def is_complete(folder: Path, max_trials: int | None) -> bool:
    """Tells whether a search has asked for all of its trials and knows their outcome.

    Args:
        folder: As above; may not be there.
        max_trials: That end it; `None` where only its oracle knows, for which a search
            without an open trial counts as complete.

    Raises:
        RecordError: The journal is damaged.
    """
    if not (folder / job_files.TRIALS).is_file():
        return False
    trials = read_trials(folder)
    told = [trial for trial in trials if trial.outcome is not None]
    return bool(told) and len(told) >= (max_trials or len(trials))


def keep_order(space: Space, folder: Path) -> Space:
    """Returns the space in the order in which its search was started.

    The same parameters in another order are the same search, whose oracle is asked
    again in the order of before.

    Args:
        space: As typed.
        folder: Of the search.

    Raises:
        RecordError: The order of before cannot be read.
    """
    place = folder / job_files.ORDER
    advice = (
        "It lists the search's keys in the order in which it began: "
        f"{', '.join(space.keys)}, in some order. Delete it to take this one"
    )
    try:
        found = read_record(place, _Order, upgrade=_upgrade_order, advice=advice)
    except FileNotFoundError:
        write_record(place, {"keys": list(space.keys)})
        return space
    keys = found["keys"]
    if sorted(keys) != sorted(space.keys):
        raise RecordError(place, "it names other keys", advice)
    return space.in_order(keys)


def gather_trials(entries: Iterable[Entry], folder: Path) -> list[Trial]:
    """Returns the trials that a journal tells of.

    Args:
        entries: Of the journal.
        folder: Of the search, absolute.

    Raises:
        RecordError: It is damaged.
    """
    trials: list[Trial] = []
    for entry in check_entries(entries, folder):
        if entry.kind == ASKED:
            trials.append(parse_question(entry.content))
        elif entry.kind == TOLD:
            former = trials[entry.content["number"]]
            trials[former.number] = Trial(
                proposal=former.proposal,
                overrides=former.overrides,
                outcome=parse_answer(entry.content, folder.parent),
            )
    return trials


def check_entries(entries: Iterable[Entry], folder: Path) -> Iterator[Entry]:
    """Yields the entries of a journal that is whole: each tells of a known trial.

    Args:
        entries: Of the journal.
        folder: Of the search, absolute.

    Raises:
        RecordError: It is damaged; says which line, and how.
    """
    asked = 0
    for entry in entries:
        try:
            _check_entry(entry, asked, folder.parent)
        except (ShapeError, OutsideError) as error:
            problem = f"line {entry.number + 1} cannot be read: {error}"
            raise RecordError(folder / job_files.TRIALS, problem, _ADVICE) from error
        asked += entry.kind == ASKED
        yield _upgrade_entry(entry)


def _upgrade_entry(entry: Entry) -> Entry:
    """Returns an entry whose keys are called as they are now."""
    if entry.kind != ASKED or entry.format == FORMAT:
        return entry
    words = name_words(entry.content["overrides"], entry.format)
    values = name_values(entry.content["values"], entry.format)
    content = {**entry.content, "values": values, "overrides": words}
    return replace(entry, content=content, format=FORMAT)


def _check_entry(entry: Entry, asked: int, sweep_dir: Path) -> None:
    """Checks a line after which `asked` trials are known."""
    if entry.kind == DAMAGED:
        raise ShapeError(str(entry.content.get("problem", "it is damaged")))
    if entry.kind == ASKED:
        question: _Question = conform(entry.content, _Question)
        parent = question["parent"]
        if question["number"] != asked or (parent is not None and parent >= asked):
            raise ShapeError(
                f"{count_of(asked, 'trial')} {agree(asked, 'comes', 'come')} before "
                f"trial {question['number']}"
            )
    elif entry.kind == TOLD:
        answer: _Answer = conform(entry.content, _Answer)
        if answer["number"] >= asked:
            raise ShapeError(f"trial {answer['number']} was not asked for")
        for folder in answer["outcome"].folders:
            resolve_inside(sweep_dir, _locate(Path(folder), sweep_dir))


def format_question(trial: Trial) -> dict[str, Any]:
    """Returns the content of an `asked` entry."""
    proposal = trial.proposal
    return {
        "number": proposal.number,
        "values": redact_data(proposal.values),
        "epochs": proposal.epochs,
        "parent": proposal.parent,
        "overrides": redact_data(trial.overrides),
    }


def parse_question(content: Mapping[str, Any]) -> Trial:
    """Returns the trial of an `asked` entry."""
    proposal = Proposal(
        number=content["number"],
        values=content["values"],
        epochs=content["epochs"],
        parent=content["parent"],
    )
    return Trial(proposal=proposal, overrides=tuple(content["overrides"]))


def format_answer(
    number: int, outcome: Outcome, sweep_dir: Path | None = None
) -> dict[str, Any]:
    """Returns the content of a `told` entry.

    Args:
        number: Of the trial.
        outcome: How it ended.
        sweep_dir: Folder of the sweep; needed when the outcome names folders, which
            are written relative to it: a copied search must not touch the original.
    """
    if sweep_dir is not None:
        folders = [os.path.relpath(folder, sweep_dir) for folder in outcome.folders]
        outcome = replace(outcome, folders=folders)
    return {"number": number, "outcome": redact_data(outcome.as_dict())}


def parse_answer(content: Mapping[str, Any], sweep_dir: Path) -> Outcome:
    """Returns the outcome of a `told` entry."""
    outcome = Outcome.from_dict(content["outcome"])
    folders = tuple(str(_locate(Path(f), sweep_dir)) for f in outcome.folders)
    return replace(outcome, folders=folders)


def _locate(folder: Path, sweep_dir: Path) -> Path:
    """Returns where a trial's folder is; earlier releases wrote where it was."""
    return sweep_dir / (folder.name if folder.is_absolute() else folder)
