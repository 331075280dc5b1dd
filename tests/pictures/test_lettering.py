import io
import warnings
from collections.abc import Iterator

import numpy as np
import pytest
from matplotlib import font_manager

from experiments.pictures import lettering as module
from experiments.pictures.confusion_matrix import draw_confusion_matrix
from experiments.pictures.image_grid import draw_grid
from experiments.pictures.lettering import (
    choose_lettering,
    letter_classes,
    shorten,
)
from experiments.pictures.results import draw_results

CAT, DOG = "\u732b", "\u72ac"  # two Chinese letters


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine that has no fonts but Matplotlib's own."""
    fonts = font_manager.fontManager.ttflist
    own = [font for font in fonts if "matplotlib" in font.fname]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", own)
    module._find_families.cache_clear()
    module._tell.cache_clear()
    yield
    module._find_families.cache_clear()
    module._tell.cache_clear()


class Face:
    """A font with some letters."""

    def __init__(self, letters: str) -> None:
        self._letters = letters

    def get_char_index(self, code: int) -> int:
        return int(chr(code) in self._letters)


def give_fonts(monkeypatch: pytest.MonkeyPatch, fonts: dict[str, str]) -> None:
    """Lets the machine have fonts by name, each with its letters."""
    entries = [font_manager.FontEntry(fname=name, name=name) for name in fonts]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", entries)
    monkeypatch.setattr(font_manager, "get_font", lambda name: Face(fonts[name]))


def draw(*names: str) -> list[str]:
    """Draws a picture of one image a class; returns what stands below them."""
    images = np.zeros((len(names), 8, 8, 3), np.uint8)
    figure = draw_grid(images, np.arange(len(names), dtype=np.int32), names)
    figure.savefig(io.BytesIO(), format="png")
    (sheet,) = figure.axes
    return [text.get_text() for text in sheet.texts]


def test_fonts_are_looked_for_until_each_letter_has_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fonts = {"Zapf": CAT + DOG, "Noto Sans CJK": CAT, "DejaVu Sans": "abc"}
    give_fonts(monkeypatch, fonts)
    assert choose_lettering(["abc"]).families == ("DejaVu Sans",)
    found = choose_lettering(["a" + CAT, DOG])
    assert found.families == ("DejaVu Sans", "Noto Sans CJK", "Zapf")
    assert found.unknown == set()


def test_font_that_has_a_box_for_every_letter_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    give_fonts(monkeypatch, {"Last Resort High-Efficiency": CAT, "DejaVu Sans": "a"})
    assert choose_lettering([CAT]).unknown == {CAT}


def test_name_without_a_font_is_its_number_and_one_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert draw("cat", CAT, DOG + "dog") == ["cat", "class 1", "class 2"]
    (record,) = caplog.records
    assert "2 class names" in record.getMessage()
    assert "they are drawn by their numbers" in record.getMessage()


def test_one_name_without_a_font_is_told_in_the_singular(
    caplog: pytest.LogCaptureFixture,
) -> None:
    letter_classes([CAT])
    (record,) = caplog.records
    assert "of 1 class name (" in record.getMessage()
    assert "it is drawn by its number" in record.getMessage()


def test_several_pictures_of_the_same_classes_tell_it_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    draw("cat", CAT)
    figure = draw_confusion_matrix(np.eye(3, dtype=np.int64), ["cat", CAT, "$x$"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure.savefig(io.BytesIO(), format="png")
    axes = figure.axes[0]
    for labels in (axes.get_xticklabels(), axes.get_yticklabels()):
        assert [label.get_text() for label in labels] == ["cat", "class 1", "$x$"]
    assert len(caplog.records) == 1


def test_scores_of_jobs_are_drawn_whatever_the_jobs_are_called() -> None:
    figure = draw_results([f"name={CAT}", "$y$"], [0.5, 0.4], metric="accuracy")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure.savefig(io.BytesIO(), format="png")
    labels = figure.axes[0].get_yticklabels()
    assert [label.get_text() for label in labels] == ["name=?", "$y$"]


def test_names_with_fonts_are_drawn_as_they_are(
    caplog: pytest.LogCaptureFixture,
) -> None:
    names = ("$x$", "x_1^2", "100 %", "\\frac{1}{2}", "\u03b1\u03b2", "\u0448")
    assert draw(*names) == [*names]
    assert not caplog.records


def test_what_is_not_seen_asks_for_no_font(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    give_fonts(monkeypatch, {"DejaVu Sans": "catdog"})
    # A selector of a coloured picture, and marks of the order of writing.
    names = ["cat\ufe0f", "\u2066dog\u2069"]
    found = letter_classes(names)
    assert [found.write(name, 0, width=9) for name in names] == ["cat", "dog"]
    assert not caplog.records


def test_text_beside_an_axis_has_a_mark_for_each_unknown_letter() -> None:
    text = f"/photos/{CAT}{DOG}"
    assert choose_lettering([text]).replace(text) == "/photos/??"


@pytest.mark.parametrize(
    ("name", "width", "shown"),
    [
        ("cat", 3, "cat"),
        ("a_long_name_of_class_7", 10, "a_long\u2026s_7"),
        (CAT * 5, 10, CAT * 5),
        (CAT * 6, 10, CAT * 3 + "\u2026" + CAT),
        ("e\u0301" * 5, 5, "e\u0301" * 5),
    ],
)
def test_long_name_keeps_its_beginning_and_its_end(
    name: str, width: int, shown: str
) -> None:
    assert shorten(name, width) == shown
