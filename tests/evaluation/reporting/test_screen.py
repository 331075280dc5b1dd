import numpy as np

from experiments.evaluation.reporting.report import Report
from experiments.evaluation.reporting.screen import describe_on_screen
from tests.evaluation.made import draw, make


def test_scores_stand_with_their_intervals() -> None:
    report = Report(draw(200, 12, skill=1.0), "a model")
    lines = list(describe_on_screen(report))
    rows = {line[:17].strip(): line[17:].split() for line in lines[:7]}
    low, high = report.intervals["accuracy"]
    accuracy = report.scores.overall["accuracy"]
    assert rows["accuracy"] == [f"{accuracy:.4f}", f"{low:.4f}", "to", f"{high:.4f}"]
    assert set(rows) == {
        "score",
        "accuracy",
        "top-5 accuracy",
        "balanced accuracy",
        "macro F1",
        "log loss",
        "calibration error",
    }
    low, high = report.intervals["expected_calibration_error"]
    assert rows["calibration error"][1:] == [f"{low:.4f}", "to", f"{high:.4f}"]


def test_few_classes_have_no_top_five() -> None:
    lines = list(describe_on_screen(Report(draw(50, 3), "a model")))
    assert not any("top-5" in line for line in lines)


def test_most_confused_classes_come_first() -> None:
    p = make(np.eye(3)[[1, 1, 2, 0, 1, 2]] * 9, [0, 0, 0, 0, 1, 2])
    lines = list(describe_on_screen(Report(p, "a model", notes=["A note."])))
    start = lines.index("most confused")
    assert lines[start + 1] == "  class 0 → class 1: 2 images, 50.0 % of the class"
    assert lines[start + 2] == "  class 0 → class 2: 1 image, 25.0 % of the class"
    assert lines[-1] == "A note."


def test_what_is_always_right_confuses_nothing() -> None:
    lines = list(describe_on_screen(Report(make(np.eye(2) * 9, [0, 1]), "a model")))
    assert "No image is taken for another class." in lines
