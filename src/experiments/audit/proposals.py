"""What an audit proposes to do about single images: the rows of `corrections.csv`."""

import csv
import io
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from experiments.audit.copies import Copies
from experiments.audit.findings import Findings
from experiments.audit.labels import Judgement
from experiments.audit.near import BITS
from experiments.audit.survey import Survey
from experiments.config.kinds.corrections import COLUMNS, Action, Correction
from experiments.counts import format_share
from experiments.files import replace_bytes

SURE = 0.8  # of a proposed class, from which on relabelling is proposed
_DROPPED = ("unreadable", "blank")
_RANKS: Mapping[Action, int] = {"drop": 2, "relabel": 1, "keep": 0}


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A row of the file.

    Attributes:
        sample: Name of the image.
        split: Where it is; empty for a file that is no usable image.
        given: Its class.
        proposed: The class that it probably shows; empty where that is no question.
        action: What to do.
        reason: Why, in words.
        certainty: Of the finding, 0..1; `None` where it is a matter of taste.
        digest: Hash of its content.
    """

    sample: str
    split: str = ""
    given: str = ""
    proposed: str = ""
    action: Action
    reason: str
    certainty: float | None = None
    digest: str = ""


def list_proposals(
    findings: Findings, decided: Mapping[str, Correction] | None = None
) -> list[Proposal]:
    """Returns one proposal for each image that something was found of.

    Args:
        findings: Of the audit.
        decided: What a person has decided before, by sample: it stays so.

    Returns:
        What is decided first, then the surest.
    """
    found: dict[str, list[Proposal]] = defaultdict(list)
    for proposal in _list_all(findings):
        found[proposal.sample].append(proposal)
    merged = {sample: _merge(same) for sample, same in found.items()}
    known = {place.sample: row for row, place in enumerate(findings.survey.places)}
    for sample, row in (decided or {}).items():
        if sample in known or sample in merged:
            blank = merged.get(sample) or _begin(findings.survey, known[sample])
            merged[sample] = _keep_decision(blank, row)
    return sorted(merged.values(), key=lambda p: _rank(p, decided or {}))


def write_proposals(path: Path, proposals: Sequence[Proposal]) -> None:
    """Writes `corrections.csv`, which `dataset.corrections` takes."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for one in proposals:
        certainty = "" if one.certainty is None else f"{one.certainty:.4f}"
        values = {**vars(one), "certainty": certainty}
        writer.writerow([values[column] for column in COLUMNS])
    replace_bytes(path, text.getvalue().encode())


def _list_all(findings: Findings) -> Iterator[Proposal]:
    survey = findings.survey
    yield from _propose_odd(findings)
    for copies in (*findings.same, *findings.near):
        yield from _propose_copies(survey, copies)
    if findings.labels is not None:
        yield from _propose_labels(survey, findings.labels)


def _rank(
    proposal: Proposal, decided: Mapping[str, Correction]
) -> tuple[bool, float, str]:
    certainty = -1.0 if proposal.certainty is None else proposal.certainty
    return proposal.sample not in decided, -certainty, proposal.sample


def _begin(survey: Survey, row: int) -> Proposal:
    place = survey.places[row]
    return Proposal(
        sample=place.sample,
        split=place.split,
        given=survey.name_class(row),
        action="keep",
        reason="",
        digest=place.digest,
    )


def _propose_odd(findings: Findings) -> Iterator[Proposal]:
    for odd in findings.oddities:
        empty = Proposal(sample=odd.sample, action="keep", reason=odd.reason)
        start = empty if odd.row < 0 else _begin(findings.survey, odd.row)
        dropped = odd.kind in _DROPPED
        yield replace(
            start,
            action="drop" if dropped else "keep",
            reason=odd.reason,
            certainty=1.0 if dropped else None,
        )


def _propose_copies(survey: Survey, copies: Copies) -> Iterator[Proposal]:
    """Yields what to do about all but the one that is kept.

    Copies in other splits go, so that scores are what they say, and so do copies of the
    same pixels and label. Where the labels differ nobody knows which is right.
    """
    first, *others = copies.rows
    kept, given = survey.places[first], survey.name_class(first)
    words = "the same image as"
    if copies.likeness == "near":
        words = "nearly the same image as"
    for row in others:
        start = _begin(survey, row)
        reason = f"{words} {kept.sample}"
        leaks, disagrees = start.split != kept.split, start.given != given
        reason += f" of the {kept.split} split" if leaks else ""
        reason += f", which is labelled {given}" if disagrees else ""
        redundant = copies.likeness != "near" and not disagrees
        yield replace(
            start,
            action="drop" if leaks or redundant else "keep",
            reason=reason,
            certainty=1 - copies.bits / BITS,
        )


def _propose_labels(survey: Survey, labels: Judgement) -> Iterator[Proposal]:
    names = survey.dataset.class_names
    for issue in labels.issues:
        yield replace(
            _begin(survey, issue.row),
            proposed=names[issue.proposed],
            action="relabel" if issue.confidence >= SURE else "keep",
            reason=f"looks like {names[issue.proposed]} "
            f"({format_share(issue.confidence)})",
            certainty=1 - issue.given,
        )


def _merge(same: Sequence[Proposal]) -> Proposal:
    """Returns one proposal for what was found of one image: that of the most effect."""
    chosen = max(same, key=lambda p: (_RANKS[p.action], p.certainty or 0.0))
    return replace(
        chosen,
        proposed=next((p.proposed for p in same if p.proposed), ""),
        reason="; ".join(dict.fromkeys(p.reason for p in same)),
    )


def _keep_decision(proposal: Proposal, row: Correction) -> Proposal:
    reason = proposal.reason or "decided before"
    label = row.label or proposal.proposed
    return replace(proposal, action=row.action, proposed=label, reason=reason)
