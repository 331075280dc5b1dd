import base64
import io

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from experiments.evaluation.calibration import fit_temperature
from experiments.evaluation.reporting.report import Report, Unknown
from experiments.evaluation.reporting.report_page import (
    SHOWN,
    build_report_page,
    describe_calibration,
)
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


def test_mistake_has_beside_it_what_spoke_for_the_class_that_it_was_taken_for() -> None:
    p = draw(80, 5, skill=0.3)
    asked: list[tuple[int, int]] = []

    def explain(rows: object, classes: object) -> npt.NDArray[np.float32]:
        asked.extend(zip(rows, classes, strict=True))  # type: ignore[call-overload]
        return np.zeros((len(asked), 100, 200), np.float32)

    def show(rows: list[int]) -> npt.NDArray[np.uint8]:
        return np.full((len(rows), 100, 200, 3), 128, np.uint8)

    report = Report(p, "a model", draw=show, explain=explain)  # type: ignore[arg-type]
    read = Reader(build_report_page(report))
    shown = report.mistakes[:SHOWN]
    numbers = [p.class_names.index(one.predicted) for one in shown]
    assert asked == list(zip([one.row for one in shown], numbers, strict=True))
    content = base64.b64decode(read.sources[-1].partition(",")[2])
    assert Image.open(io.BytesIO(content)).size == (400, 100)


def test_ten_thousand_images_with_heat_maps_make_no_large_page() -> None:
    p = draw(10_000, 100, skill=1.0)
    generator = np.random.default_rng(0)  # noise is what compresses least

    def show(rows: object) -> npt.NDArray[np.uint8]:
        size = (len(rows), 300, 300, 3)  # type: ignore[arg-type]
        return generator.integers(0, 256, size, np.uint8)

    def explain(rows: object, _: object) -> npt.NDArray[np.float32]:
        return generator.random((len(rows), 300, 300), np.float32)  # type: ignore[arg-type]

    report = Report(p, "a model", draw=show, explain=explain)
    assert len(build_report_page(report)) < 20e6


def test_images_of_unknown_classes_are_counted_by_what_they_are_called() -> None:
    p = draw(40, 3)
    apart = make(p.outputs[:4], [-1] * 4, names=p.class_names)
    unknown = Unknown(predictions=apart, given=["teapot"] * 3 + ["cup"])
    notes = ["4 images of 2 classes are in no score."]
    read = Reader(build_report_page(Report(p, "a model", notes=notes, unknown=unknown)))
    assert notes[0] in read.texts
    called = p.class_names[apart.predicted[3]]
    assert read.texts[read.texts.index(f"cup → {called}") + 1] == "1"


def test_images_that_are_out_of_reach_are_listed() -> None:
    report = Report(draw(60, 3, skill=0.5), "a model")
    read = Reader(build_report_page(report))
    assert report.mistakes[0].sample in read.texts


def test_model_without_a_mistake_says_so() -> None:
    read = Reader(build_report_page(Report(make(np.eye(2) * 9, [0, 1]), "a model")))
    assert "There is none." in read.texts
    assert "No image is taken for another class." in read.texts


def test_temperature_that_makes_it_worse_is_told_to_do_so() -> None:
    p = draw(300, 4)
    text = describe_calibration(Report(p, "a model", temperature=9.0))
    assert "9, does not carry over" in text
    assert f"{p.scaled(9.0).losses.mean():.4f} instead of {p.losses.mean():.4f}" in text


def test_temperature_at_its_end_is_no_fit() -> None:
    p = draw(300, 4)
    text = describe_calibration(Report(p, "a model", temperature=100.0))
    assert "No temperature mends it" in text
    assert "divided" not in text


def test_temperature_of_a_split_without_a_mistake_is_no_fit() -> None:
    validation = make(np.eye(3) * 2, [0, 1, 2])
    found = fit_temperature(validation)
    text = describe_calibration(Report(draw(300, 4), "a model", temperature=found))
    assert "No temperature is fitted" in text
    assert "divided" not in text


def test_temperature_tells_what_it_would_change() -> None:
    p = draw(300, 4)
    read = Reader(build_report_page(Report(p.scaled(0.2), "a model", temperature=5.0)))
    (text,) = [t for t in read.texts if "divided by" in t]
    before, after = p.scaled(0.2).losses.mean(), p.losses.mean()
    assert f"log loss {after:.4f} instead of {before:.4f}" in text
