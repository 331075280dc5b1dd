from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from experiments.audit import page as module
from experiments.audit.classes import measure_classes
from experiments.audit.copies import Copies
from experiments.audit.findings import Findings, find_all
from experiments.audit.labels import Judgement, LabelIssue
from experiments.audit.oddities import Oddity
from experiments.audit.page import SHOWN_LABELS, build_audit_page
from tests.audit.made import alternate, noise, survey
from tests.test_pages import Reader

COUNT = 300


@pytest.fixture(scope="module")
def findings() -> Findings:
    images = noise(COUNT + 20, side=32)
    train = [*alternate(images[:COUNT]), (images[0], 1), (images[1], 1)]
    found = survey(train, [*alternate(images[COUNT:]), (images[2], 0)])
    return find_all(found, near_bits=2, labels=None)


def judge(count: int) -> Judgement:
    issues = [
        LabelIssue(row=row, proposed=1 - row % 2, confidence=0.9, given=0.05)
        for row in range(count)
    ]
    unseen = {"validation": 21}
    return Judgement(
        issues=issues, source="a model", looked_at=302, unseen=unseen, changed=0
    )


def read(findings: Findings) -> Reader:
    return Reader(build_audit_page(findings, title="Audit", next_command="train it"))


def test_labels_are_shown_with_what_they_probably_are(findings: Findings) -> None:
    shown = read(replace(findings, labels=judge(3)))
    assert "0: a, looks like b (90 %)" in shown.texts
    assert any(
        "21 images have no prediction (21 of validation)" in t for t in shown.texts
    )
    assert "train it" in shown.texts


def test_copies_are_beside_each_other_those_in_several_splits_first(
    findings: Findings,
) -> None:
    texts = read(findings).texts
    leak = texts.index("the same pixels; in train and validation")
    assert texts[leak + 1 : leak + 3] == ["322: a, validation", "2: a, train"]
    within = texts.index("the same pixels; labelled a and b")
    assert leak < within


def test_of_many_findings_the_first_are_shown_and_all_counted(
    findings: Findings,
) -> None:
    shown = read(replace(findings, labels=judge(COUNT)))
    told = (
        f"The first {SHOWN_LABELS} of 300 images are shown; all are in corrections.csv."
    )
    assert told in shown.texts
    assert len(shown.sources) == SHOWN_LABELS + 6  # and three pairs of copies


def test_data_set_without_a_fault_says_so() -> None:
    found = survey(alternate(noise(60)), alternate(noise(4, seed=1)))
    labels = replace(judge(0), looked_at=64, unseen={})
    shown = read(find_all(found, near_bits=4, labels=labels))
    assert shown.texts.count("There is none.") == 4
    assert shown.sources == []


def test_page_of_as_much_as_is_shown_stays_below_20_megabytes(
    findings: Findings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of images that no file format makes smaller."""
    random = np.random.RandomState(0)

    def read_noise(*_: Any) -> Any:
        return random.randint(0, 256, (400, 400, 3)).astype(np.uint8)

    monkeypatch.setattr(module, "read_image", read_noise)
    one = build_audit_page(
        replace(findings, labels=judge(1)), title="Audit", next_command=""
    )
    two = build_audit_page(
        replace(findings, labels=judge(2)), title="Audit", next_command=""
    )
    groups = 2 * module.SHOWN_GROUPS * module.SHOWN_COPIES
    most = module.SHOWN_LABELS + groups + module.SHOWN_ODD
    assert (len(two) - len(one)) * most < 20e6


def test_page_of_ten_thousand_findings_of_each_kind_stays_below_20_mb() -> None:
    generator = np.random.default_rng(0)
    # Noise makes the largest files there are.
    images = generator.integers(0, 256, (40, 170, 170, 3), np.uint8)
    found = survey(alternate(images[:30]), alternate(images[30:]))
    rows = range(10_000)
    copies = [
        Copies(
            rows=(row % 40, *((row + n) % 40 for n in range(1, 9))),
            likeness="pixels",
            bits=0,
            splits=frozenset({"train", "validation"}),
            labels=frozenset({0, 1}),
        )
        for row in rows
    ]
    issues = [
        LabelIssue(row=row % 40, proposed=0, confidence=0.9, given=0.05) for row in rows
    ]
    findings = Findings(
        survey=found,
        same=copies,
        near=copies,
        oddities=[
            Oddity(row=row % 40, sample=str(row), kind="blurred", reason="is blurred")
            for row in rows
        ],
        classes=measure_classes(found.dataset),
        labels=replace(judge(1), issues=issues),
    )
    page = build_audit_page(findings, title="Audit", next_command="train it")
    assert "10,000" in page
    assert 10e6 < len(page.encode()) < 20e6
