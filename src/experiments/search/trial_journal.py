"""The trials of a search as lines of a file, from which everything else follows."""

from collections.abc import Iterable, Mapping
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
    return gather_trials(read_entries(folder / JOURNAL_FILE))


def gather_trials(entries: Iterable[Entry]) -> list[Trial]:
    """Returns the trials that a journal tells of."""
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
                outcome=Outcome.from_dict(entry.content["outcome"]),
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


def format_answer(number: int, outcome: Outcome) -> dict[str, Any]:
    """Returns the content of a `told` entry."""
    return {"number": number, "outcome": outcome.as_dict()}
