"""The trials of a search as lines of a file, from which everything else follows."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from experiments.search.trial import Outcome, Proposal, Trial
from experiments.tracking.journal import Entry, read_entries

FOLDER = "search"  # below the folder of the sweep
JOURNAL_FILE = "trials.jsonl"
ASKED, TOLD = "asked", "told"


def read_trials(folder: Path) -> list[Trial]:
    """Returns the trials of a search by number.

    Args:
        folder: Of the search, the one that holds the journal.
    """
    return gather_trials(read_entries(folder / JOURNAL_FILE), folder.parent)


def gather_trials(entries: Iterable[Entry], sweep_dir: Path) -> list[Trial]:
    """Returns the trials that a journal tells of.

    Args:
        entries: Of the journal.
        sweep_dir: Folder of the sweep, absolute.
    """
    trials: dict[int, Trial] = {}
    for entry in entries:
        if entry.kind == ASKED:
            trial = parse_question(entry.content)
            trials[trial.number] = trial
        elif entry.kind == TOLD:
            former = trials[entry.content["number"]]
            trials[former.number] = Trial(
                proposal=former.proposal,
                overrides=former.overrides,
                outcome=parse_answer(entry.content, sweep_dir),
            )
    return [trials[number] for number in sorted(trials)]


def format_question(trial: Trial) -> dict[str, Any]:
    """Returns the content of an `asked` entry."""
    proposal = trial.proposal
    return {
        "number": proposal.number,
        "values": dict(proposal.values),
        "epochs": proposal.epochs,
        "parent": proposal.parent,
        "overrides": list(trial.overrides),
    }


def parse_question(content: Mapping[str, Any]) -> Trial:
    """Returns the trial of an `asked` entry."""
    asked = dict(content)
    overrides = tuple(asked.pop("overrides"))
    return Trial(proposal=Proposal(**asked), overrides=overrides)


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
    return {"number": number, "outcome": outcome.as_dict()}


def parse_answer(content: Mapping[str, Any], sweep_dir: Path) -> Outcome:
    """Returns the outcome of a `told` entry."""
    outcome = Outcome.from_dict(content["outcome"])
    folders = tuple(str(_locate(Path(f), sweep_dir)) for f in outcome.folders)
    return replace(outcome, folders=folders)


def _locate(folder: Path, sweep_dir: Path) -> Path:
    """Returns where a trial's folder is; earlier releases wrote where it was."""
    return sweep_dir / (folder.name if folder.is_absolute() else folder)
