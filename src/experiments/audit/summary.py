"""How much an audit has found, in a few lines."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from experiments.audit.copies import Copies
from experiments.audit.findings import Findings
from experiments.audit.labels import Judgement
from experiments.counts import agree, count_of, join_words


@dataclass(frozen=True)
class Row:
    """A line of the summary.

    Attributes:
        finding: What.
        count: Of how many images or classes.
    """

    finding: str
    count: int


def summarise(findings: Findings) -> list[Row]:
    """Returns a line for each kind of finding, those without any included."""
    return [
        *_count_labels(findings.labels),
        *_count_copies(findings.same, "copies"),
        *_count_copies(findings.near, "near copies"),
        Row("unreadable files", findings.count("unreadable")),
        Row("blank images", findings.count("blank")),
        Row("blurred images", findings.count("blurred")),
        Row("small images", findings.count("small")),
        Row("long images", findings.count("long")),
        Row(
            "classes with few images",
            sum(size.reason is not None for size in findings.classes),
        ),
    ]


def list_found(rows: Sequence[Row]) -> tuple[list[Row], str]:
    """Returns the lines that count something, and what the others are, a sentence."""
    found = [row for row in rows if row.count]
    absent = [row.finding for row in rows if not row.count]
    return found, f"There are no {_join_any(absent)}." if absent else ""


def _join_any(words: Sequence[str]) -> str:
    """Returns words as a sentence lists what is not there: a, b or c."""
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last


def describe_unseen(labels: Judgement) -> str:
    """Returns which images had no prediction; empty where all had one."""
    parts = []
    if labels.unseen:
        splits = [f"{n:,} of {split}" for split, n in labels.unseen.items()]
        count = sum(labels.unseen.values())
        have = agree(count, "image has", "images have")
        parts.append(f"{count:,} {have} no prediction ({join_words(splits)}).")
    if labels.changed:
        have = agree(labels.changed, "has", "have")
        images = count_of(labels.changed, "image")
        parts.append(f"{images} {have} changed since and were not judged.")
    return " ".join(parts)


def _count_labels(labels: Judgement | None) -> Iterator[Row]:
    if labels is not None:
        yield Row("labels that are probably wrong", len(labels.issues))


def _count_copies(found: Sequence[Copies], words: str) -> Iterator[Row]:
    def count(*, leaks: bool) -> int:
        return sum(len(one.rows) - 1 for one in found if one.leaks == leaks)

    yield Row(f"{words} across splits", count(leaks=True))
    yield Row(f"{words} within a split", count(leaks=False))
    disagreeing = sum(len(one.rows) for one in found if one.disagrees)
    yield Row(f"{words} with other labels", disagreeing)
