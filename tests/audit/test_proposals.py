import csv
from pathlib import Path

import numpy as np
import pytest

from experiments.audit.findings import Findings, find_all
from experiments.audit.labels import Judgement, LabelIssue
from experiments.audit.proposals import list_proposals, write_proposals
from experiments.config.kinds.corrections import Correction, read_corrections
from tests.audit.made import alternate, noise, survey


@pytest.fixture(scope="module")
def findings() -> Findings:
    images = noise(20)
    train = alternate(images[:12])
    train += [(images[0], 0), (images[1], 0)]  # 12 as 0, and 13 as 1 under label 0
    train.append((np.full((32, 32, 1), 9, np.uint8), 0))  # 14
    validation = alternate(images[12:16])  # 15 to 18
    found = survey(train, validation, [*alternate(images[16:]), (images[2], 0)])
    issues = [
        LabelIssue(row=4, proposed=1, confidence=0.95, given=0.01),
        LabelIssue(row=5, proposed=0, confidence=0.6, given=0.3),
        LabelIssue(row=12, proposed=1, confidence=0.9, given=0.05),
    ]
    judged = Judgement(
        issues=issues, source="a model", looked_at=20, unseen={}, changed=0
    )
    return find_all(found, near_bits=4, labels=judged)


def test_each_image_has_one_line_with_the_action_of_most_effect(
    findings: Findings,
) -> None:
    rows = {row.sample: row for row in list_proposals(findings)}
    actions = {name: (row.action, row.proposed) for name, row in rows.items()}
    assert actions == {
        "4": ("relabel", "b"),
        "5": ("keep", "a"),  # not sure enough
        "2": ("drop", ""),  # is in the test split too
        "12": ("drop", "b"),  # a copy, whose label looks wrong as well
        "13": ("keep", ""),  # nobody knows which label is right
        "14": ("drop", ""),  # blank
    }
    assert rows["12"].reason == "the same image as 0; looks like b (90 %)"
    assert rows["13"].reason == "the same image as 1, which is labelled b"
    assert rows["2"].reason == "the same image as 23 of the test split"
    assert (rows["4"].given, rows["4"].split) == ("a", "train")


def test_surest_come_first(findings: Findings) -> None:
    rows = list_proposals(findings)
    certainties = [row.certainty for row in rows if row.certainty is not None]
    assert certainties == sorted(certainties, reverse=True)
    assert certainties[-1] == pytest.approx(0.7)


def test_what_a_person_has_decided_stays(findings: Findings) -> None:
    decided = {
        "4": Correction(sample="4", action="keep"),
        "8": Correction(sample="8", action="relabel", label="b"),
        "99": Correction(sample="99", action="drop"),  # is not there any more
    }
    rows = {row.sample: row for row in list_proposals(findings, decided)}
    assert (rows["4"].action, rows["4"].proposed) == ("keep", "b")
    assert (rows["8"].action, rows["8"].proposed) == ("relabel", "b")
    assert "99" not in rows
    assert list(rows)[:2] == ["4", "8"]


def test_file_is_read_as_it_was_written(findings: Findings, tmp_path: Path) -> None:
    rows = list_proposals(findings)
    write_proposals(tmp_path / "c.csv", rows)
    found = read_corrections(tmp_path / "c.csv")
    assert list(found.rows) == [row.sample for row in rows]
    assert {s: r.action for s, r in found.rows.items()} == {
        row.sample: row.action for row in rows
    }
    assert found.rows["4"].digest == findings.survey.places[4].digest
    with (tmp_path / "c.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert {"sample", "given", "proposed", "reason", "action"} < set(lines[0])


def test_near_copy_goes_from_another_split_and_stays_in_its_own() -> None:
    images = noise(12, side=64)
    lighter = [
        np.clip(image.astype(int) + 3, 0, 255).astype(np.uint8) for image in images
    ]
    train = [*alternate(images[:8]), (lighter[0], 0)]  # 0 and 8, both to train on
    validation = [*alternate(images[8:]), (lighter[1], 1)]  # 1 and 13
    found = find_all(survey(train, validation), near_bits=4, labels=None)
    rows = {row.sample: row.action for row in list_proposals(found)}
    assert rows == {"8": "keep", "1": "drop"}
