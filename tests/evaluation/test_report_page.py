import numpy as np
import numpy.typing as npt
import pytest

from experiments.evaluation.report import Report
from experiments.evaluation.report_page import SHOWN, build_report_page
from tests.evaluation.made import draw, make
from tests.test_pages import Reader


def blank(count: int, size: int, channels: int) -> npt.NDArray[np.uint8]:
    return np.full((count, size, size, channels), 128, np.uint8)


@pytest.mark.parametrize(("size", "channels"), [(8, 1), (300, 3)])
def test_worst_mistakes_are_shown_as_images(size: int, channels: int) -> None:
    asked: list[int] = []

    def show(rows: object) -> npt.NDArray[np.uint8]:
        asked.extend(rows)  # type: ignore[arg-type]
        return blank(len(asked), size, channels)

    report = Report(draw(400, 5, skill=0.3), "a model", draw=show)
    page = build_report_page(report)
    assert asked == [one.row for one in report.mistakes[:SHOWN]]
    read = Reader(page)
    assert len(read.sources) == SHOWN + 2
    worst = report.mistakes[0]
    assert any(
        text.startswith(f"{worst.sample}: {worst.truth}, taken for {worst.predicted}")
        for text in read.texts
    )
    assert len(page) < 2e6


def test_ten_thousand_images_make_no_large_page() -> None:
    p = draw(10_000, 100, skill=1.0)
    show = lambda rows: blank(len(rows), 300, 3)  # noqa: E731
    assert len(build_report_page(Report(p, "a model", draw=show))) < 2e6


def test_images_that_are_out_of_reach_are_listed() -> None:
    report = Report(draw(60, 3, skill=0.5), "a model")
    read = Reader(build_report_page(report))
    assert report.mistakes[0].sample in read.texts


def test_model_without_a_mistake_says_so() -> None:
    read = Reader(build_report_page(Report(make(np.eye(2) * 9, [0, 1]), "a model")))
    assert "There is none." in read.texts
    assert "No image is taken for another class." in read.texts


def test_temperature_tells_what_it_would_change() -> None:
    p = draw(300, 4)
    read = Reader(build_report_page(Report(p.scaled(0.2), "a model", temperature=5.0)))
    (text,) = [t for t in read.texts if "divided by" in t]
    before, after = p.scaled(0.2).losses.mean(), p.losses.mean()
    assert f"log loss {after:.4f} instead of {before:.4f}" in text
