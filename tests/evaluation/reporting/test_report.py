import pytest

from experiments.evaluation.reporting.report import Report
from experiments.evaluation.scores import score
from tests.evaluation.made import draw


def test_report_says_what_was_computed_of_the_predictions() -> None:
    p = draw(120, 12)
    found = Report(p, "a model", temperature=1.5).as_dict()
    assert found["metrics"] == score(p).overall
    assert found["images"] == 120
    assert found["temperature"] == 1.5
    assert found["made_of"] == {"dataset": "made"}
    low, high = found["intervals_95"]["accuracy"]
    assert low < found["metrics"]["accuracy"] < high
    assert [one["name"] for one in found["classes"]] == list(p.class_names)


@pytest.mark.parametrize("end", [0.01, 100.0])
def test_temperature_at_the_end_of_what_is_tried_is_none(end: float) -> None:
    assert (
        Report(draw(50, 3), "a model", temperature=end).as_dict()["temperature"] is None
    )


def test_pictures_show_all_images() -> None:
    p = draw(50, 3)
    report = Report(p, "a model")
    cells = report.draw_confusions().axes[0].texts
    assert sum(int(cell.get_text()) for cell in cells) == 50
    bars = report.draw_reliability().axes[1].patches
    assert sum(bar.get_height() for bar in bars) == 50
    error = report.scores.overall["expected_calibration_error"]
    title = report.draw_reliability().axes[0].get_title()
    assert title == f"expected calibration error {error:.3f}"
    assert error == pytest.approx(float(title.rpartition(" ")[2]), abs=5e-4)
