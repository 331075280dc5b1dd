"""The page of an audit: what is wrong, each with its images."""

from collections.abc import Iterator, Sequence

from experiments.audit.copies import Copies
from experiments.audit.findings import Findings
from experiments.audit.labels import Judgement, LabelIssue
from experiments.audit.oddities import Oddity
from experiments.audit.summary import describe_unseen, list_found, summarise
from experiments.audit.survey import Survey, read_image
from experiments.counts import agree, count_of, format_share
from experiments.pages import (
    build_page,
    command,
    gallery,
    groups,
    paragraph,
    section,
    table,
)
from experiments.pictures.thumbnail import draw_thumbnail, is_tiny

SHOWN_LABELS = 120
SHOWN_GROUPS = 60  # of copies, and of near copies
SHOWN_COPIES = 4  # images of a group
SHOWN_ODD = 60
_SIDE = 160  # pixels of an image, so that a page stays below 20 MB

_LIKENESS = {
    "file": "the same file",
    "pixels": "the same pixels",
    "near": "nearly the same",
}


def build_audit_page(findings: Findings, *, title: str, next_command: str) -> str:
    """Returns the page.

    Args:
        findings: What was found.
        title: What was looked at.
        next_command: Trains without what is wrong.
    """
    return build_page(title, _build_sections(findings, next_command))


def _build_sections(findings: Findings, next_command: str) -> Iterator[str]:
    found, absent = list_found(summarise(findings))
    if found:
        rows = [(row.finding, f"{row.count:,}") for row in found]
        yield table(("finding", "found"), rows)
    yield paragraph(absent)
    yield command(
        next_command,
        "Each finding has a line in corrections.csv beside this page, with what is "
        "proposed: keep, relabel or drop. Edit that column, then train with it:",
    )
    yield section("Labels that are probably wrong", *_show_labels(findings))
    survey = findings.survey
    yield section("Copies", *_show_copies(survey, findings.same, "copy", "copies"))
    yield section(
        "Nearly the same",
        *_show_copies(survey, findings.near, "near copy", "near copies"),
    )
    yield section("Blank, blurred and odd images", *_show_odd(findings))
    yield section("Classes", *_show_classes(findings))


def _show_labels(findings: Findings) -> Iterator[str]:
    labels, survey = findings.labels, findings.survey
    if labels is None:
        yield paragraph("No predictions were made: labels were not looked at.")
        return
    yield paragraph(_describe_source(labels))
    if not labels.issues:
        yield paragraph("There is none.")
        return
    yield from _tell_shown(len(labels.issues), SHOWN_LABELS, "image")
    shown = labels.issues[:SHOWN_LABELS]
    yield _gallery(
        survey, [(issue.row, _describe_issue(survey, issue)) for issue in shown]
    )


def _describe_source(labels: Judgement) -> str:
    looked = f"{count_of(labels.looked_at, 'label')} by {labels.source}."
    return f"{looked} {describe_unseen(labels)}".strip()


def _describe_issue(survey: Survey, issue: LabelIssue) -> str:
    place = survey.places[issue.row]
    proposed = survey.dataset.class_names[issue.proposed]
    return (
        f"{place.sample}: {survey.name_class(issue.row)}, looks like {proposed} "
        f"({format_share(issue.confidence)})"
    )


def _show_copies(
    survey: Survey, found: Sequence[Copies], one: str, several: str
) -> Iterator[str]:
    if not found:
        yield paragraph("There is none.")
        return
    leaks = sum(copies.leaks for copies in found)
    are = agree(leaks, "group is", "groups are")
    yield paragraph(
        f"{count_of(len(found), 'group')} of {several}; {leaks:,} {are} in several "
        f"splits, where scores are too good by a {one} in training."
    )
    yield from _tell_shown(len(found), SHOWN_GROUPS, "group")
    yield groups(
        (
            _describe_copies(survey, copies),
            _gallery(
                survey,
                [(row, _describe_copy(survey, row)) for row in copies.rows],
                most=SHOWN_COPIES,
            ),
        )
        for copies in found[:SHOWN_GROUPS]
    )


def _describe_copies(survey: Survey, copies: Copies) -> str:
    words = [_LIKENESS[copies.likeness]]
    if copies.likeness == "near":
        words[0] += f", {count_of(copies.bits, 'bit')} of 64 differ"
    if copies.leaks:
        words.append(f"in {' and '.join(sorted(copies.splits))}")
    if copies.disagrees:
        labels = sorted(survey.dataset.class_names[label] for label in copies.labels)
        words.append(f"labelled {' and '.join(labels)}")
    more = len(copies.rows) - SHOWN_COPIES
    words += [f"{more:,} more"] if more > 0 else []
    return "; ".join(words)


def _describe_copy(survey: Survey, row: int) -> str:
    place = survey.places[row]
    return f"{place.sample}: {survey.name_class(row)}, {place.split}"


def _show_odd(findings: Findings) -> Iterator[str]:
    if not findings.oddities:
        yield paragraph("There is none.")
        return
    seen = [odd for odd in findings.oddities if odd.kind != "unreadable"]
    lost = [odd for odd in findings.oddities if odd.kind == "unreadable"]
    if lost:
        rows = [(odd.sample, odd.reason) for odd in lost[:SHOWN_ODD]]
        yield table(("file", "why"), rows)
        yield from _tell_shown(len(lost), SHOWN_ODD, "file")
    yield from _tell_shown(len(seen), SHOWN_ODD, "image")
    texts = [(odd.row, _describe_odd(odd)) for odd in seen[:SHOWN_ODD]]
    if texts:
        yield _gallery(findings.survey, texts)


def _describe_odd(odd: Oddity) -> str:
    return f"{odd.sample} {odd.reason}"


def _show_classes(findings: Findings) -> Iterator[str]:
    splits = list(findings.survey.dataset.splits)
    yield table(
        ("class", *splits, "remark"),
        [
            (
                size.name,
                *(f"{size.counts[split]:,}" for split in splits),
                size.reason or "",
            )
            for size in findings.classes
        ],
    )


def _tell_shown(count: int, shown: int, noun: str) -> Iterator[str]:
    if count > shown:
        yield paragraph(
            f"The first {shown} of {count_of(count, noun)} are shown; all are in "
            "corrections.csv."
        )


def _gallery(
    survey: Survey, texts: Sequence[tuple[int, str]], most: int | None = None
) -> str:
    """Returns images by their rows, each with its text."""
    files, small = [], True
    for row, text in texts[:most]:
        place = survey.places[row]
        pixels = read_image(survey.dataset.splits[place.split], place.row)
        if pixels is not None:
            files.append((draw_thumbnail(pixels, largest=_SIDE), text))
            small = small and is_tiny(pixels)
    return gallery(files, small=small)
