"""Asks an oracle for trials and tells it how they ended; survives a crash.

Every question and answer is a line of a journal. A search that goes on asks and tells
the oracle the same again, which brings it into the same state: oracles are
deterministic, and their own files leave out what a grid or a Gaussian process needs.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from experiments import job_files
from experiments.config.search.parameter import Scalar
from experiments.config.search.schema import SearchConfig
from experiments.config.search.space import Space, Values
from experiments.errors import ExperimentError
from experiments.search.oracle.hyperparameters import declare
from experiments.search.oracle.oracles import build_oracle
from experiments.search.trials.journal import (
    ASKED,
    TOLD,
    check_entries,
    format_answer,
    format_question,
    parse_answer,
)
from experiments.search.trials.trial import Outcome, Proposal, Trial
from experiments.tracking.spool.journal import Journal

Pause = Literal["wait", "end"]


class Proposer:
    """An oracle with a memory on disk; not for several threads at once.

    Args:
        search: How to search.
        space: What to search.
        start: The config as a point of the space, which becomes trial 0.
        folder: Of the search; holds the journal.
    """

    def __init__(
        self, search: SearchConfig, space: Space, start: Values | None, folder: Path
    ) -> None:
        self._space = space
        begins = start is not None and search.start_from_current
        self._oracle = build_oracle(
            search,
            declare(space, start if begins else None),
            starts_with_default=begins,
        )
        self._objective = search.objective.name
        self._trials: list[Trial] = []
        self._asked: list[Any] = []  # the oracle's own trials, by number
        self._folder, self._sweep_dir = folder, folder.parent
        self._journal = Journal(folder / job_files.TRIALS, keep=False)
        self._replay()

    @property
    def trials(self) -> Sequence[Trial]:
        """All trials so far, by number."""
        return tuple(self._trials)

    @property
    def unfinished(self) -> tuple[Proposal, ...]:
        """Trials that were proposed and did not end: an earlier process was killed."""
        return tuple(t.proposal for t in self._trials if t.outcome is None)

    def ask(self) -> Proposal | Pause:
        """Returns the next trial, or whether to wait for one that runs."""
        proposal = self._ask()
        if isinstance(proposal, Proposal):
            question = format_question(self._trials[proposal.number])
            self._journal.append(ASKED, question, durable=True)
        return proposal

    def tell(self, number: int, outcome: Outcome) -> None:
        """Reports how a trial ended."""
        answer = format_answer(number, outcome, self._sweep_dir)
        self._journal.append(TOLD, answer, durable=True)
        self._tell(number, outcome)

    def close(self) -> None:
        """Closes the journal."""
        self._journal.close()

    def may_continue(self, number: int) -> bool:
        """Tells whether Hyperband may still give a trial more epochs."""
        identifier = self._asked[number].trial_id
        for bracket in getattr(self._oracle, "_brackets", ()):
            *rounds, _ = bracket["rounds"]
            following = bracket["rounds"][1:]
            for entries, later in zip(rounds, following, strict=True):
                promoted = {entry["past_id"] for entry in later}
                if identifier in {e["id"] for e in entries} - promoted:
                    return True
        return False

    def _ask(self) -> Proposal | Pause:
        number = len(self._trials)
        asked = self._oracle.create_trial(str(number))
        if asked.status != "RUNNING":
            return "wait" if asked.status == "IDLE" else "end"
        values = asked.hyperparameters.values
        proposal = Proposal(
            number=number,
            values={key: values[key] for key in self._space.keys if key in values},
            epochs=values.get("tuner/epochs"),
            parent=self._find(values.get("tuner/trial_id")),
        )
        self._asked.append(asked)
        overrides = self._space.as_overrides(proposal.values)
        self._trials.append(Trial(proposal=proposal, overrides=overrides))
        return proposal

    def _find(self, identifier: str | None) -> int | None:
        names = [asked.trial_id for asked in self._asked]
        return None if identifier is None else names.index(identifier)

    def _tell(self, number: int, outcome: Outcome) -> None:
        former = self._trials[number]
        self._trials[number] = Trial(
            proposal=former.proposal, overrides=former.overrides, outcome=outcome
        )
        asked = self._asked[number]
        if outcome.objective is None:
            asked.message = outcome.reason or outcome.failure or "failed"
        else:
            self._oracle.update_trial(
                asked.trial_id, {self._objective: outcome.objective}
            )
        asked.status = "COMPLETED"
        self._oracle.end_trial(asked)

    def _replay(self) -> None:
        """Brings the oracle into the state in which an earlier process left it."""
        for entry in check_entries(self._journal.entries, self._folder):
            if entry.kind == ASKED:
                self._replay_question(entry.content)
            elif entry.kind == TOLD:
                content = entry.content
                self._tell(content["number"], parse_answer(content, self._sweep_dir))

    def _replay_question(self, content: Mapping[str, Any]) -> None:
        try:
            proposal = self._ask_again(content["values"])
        except (KeyError, TypeError, ValueError) as error:
            reason = f"trial {content['number']} cannot be asked for again: {error}"
            raise _damage(reason) from error
        known = isinstance(proposal, Proposal) and content == format_question(
            self._trials[-1]
        )
        if not known:
            raise _damage(f"trial {content['number']} would be another one now")

    def _ask_again(self, values: Mapping[str, Scalar]) -> Proposal | Pause:
        limit, self._oracle.max_trials = self._oracle.max_trials, None
        self._oracle.recalled = values
        try:
            return self._ask()
        finally:
            self._oracle.max_trials, self._oracle.recalled = limit, None


def _damage(reason: str) -> ExperimentError:
    return ExperimentError(
        f"The search cannot be continued: {reason}. Have Keras Tuner or the journal "
        f"{job_files.TRIALS} changed? Start it anew in another folder: fresh=true"
    )
