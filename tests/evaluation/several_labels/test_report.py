"""What an evaluation of several labels tells, of three images by hand."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from experiments.evaluation.several_labels.report import (
    SeveralReport,
    describe_several,
    write_several_report,
)
from tests.evaluation.several_labels.test_scores import make

TRUTH = [[1, 0, 0], [0, 1, 0], [1, 0, 0]]
OUTPUTS = [[3.0, 1.0, -1.0], [2.0, -3.0, -1.0], [1.0, -2.0, -1.0]]


@pytest.fixture
def report() -> SeveralReport:
    def draw(rows: Sequence[int]) -> np.ndarray:
        assert list(rows) == [1, 1, 0]  # the images of the mistakes, in their order
        return np.zeros((len(rows), 2, 2, 3), np.uint8)

    return SeveralReport(predictions=make(TRUTH, OUTPUTS), title="m", draw=draw)


def test_wrong_answers_are_told_the_surest_first(report: SeveralReport) -> None:
    found = [(one.sample, one.name, one.kind) for one in report.mistakes]

    assert found == [
        ("1.png", "b", "missed"),  # sigmoid(-3): sure by 0.95 that it is not there
        ("1.png", "a", "false alarm"),  # sigmoid(2)
        ("0.png", "b", "false alarm"),  # sigmoid(1)
    ]
    shares = [one.probability for one in report.mistakes]
    assert shares == pytest.approx([0.047426, 0.880797, 0.731059], abs=1e-6)


def test_files_hold_what_was_found(report: SeveralReport, tmp_path: Path) -> None:
    *others, page = write_several_report(tmp_path, report)

    with (tmp_path / "errors.csv").open(newline="") as file:
        wrong = list(csv.DictReader(file))
    assert [(row["file"], row["class"], row["error"]) for row in wrong] == [
        (one.sample, one.name, one.kind) for one in report.mistakes
    ]
    with (tmp_path / "per_class_metrics.csv").open(newline="") as file:
        a, b, absent = csv.DictReader(file)
    # Of the images of `a` one of two is above the other image, of `b` it is the last.
    assert (float(a["average_precision"]), float(a["roc_auc"])) == (
        pytest.approx(5 / 6),
        0.5,
    )
    assert (a["support"], a["called"]) == ("2", "3")
    assert (float(a["precision"]), float(a["recall"]), float(a["f1"])) == (
        pytest.approx(2 / 3),
        1.0,
        pytest.approx(0.8),
    )
    assert float(b["average_precision"]) == pytest.approx(1 / 3)
    assert (float(b["roc_auc"]), b["support"], b["called"]) == (0.0, "1", "1")
    assert list(absent.values()) == ["c", "", "", "", "", "", "0", "0"]
    told = json.loads((tmp_path / "metrics.json").read_text())
    assert told["images"] == 3
    assert told["absent_classes"] == ["c"]
    assert told["metrics"]["map"] == pytest.approx((5 / 6 + 1 / 3) / 2)
    assert told["metrics"]["roc_auc"] == pytest.approx(0.25)
    assert told["classes"][2]["average_precision_95"] is None
    assert page.name == "report.html"
    assert {path.name for path in others} > {"errors.csv", "metrics.json"}
    assert "1.png: missed, b (5 %)" in page.read_text()


def test_screen_shows_the_worst_class_first_and_names_what_is_absent(
    report: SeveralReport,
) -> None:
    lines = list(describe_several(report))

    place = lines.index("lowest average precision")
    assert lines[place + 1].startswith("  b: 0.3333 (")
    assert lines[place + 1].endswith(", 1 image")
    assert lines[place + 2].startswith("  a: 0.8333 (")
    assert lines[-1] == "Without an image, and in no mean over classes: c."
