from pathlib import Path

import numpy as np
import pytest

from experiments.evaluation.predictions import Predictions
from experiments.evaluation.reporting import gallery_page
from experiments.evaluation.reporting.gallery_page import Gallery
from tests.evaluation.made import draw, make
from tests.test_pages import Reader


def fill(gallery: Gallery, *parts: Predictions) -> Gallery:
    for part in parts:
        pixels = np.zeros((len(part), 80, 80, 3), np.uint8)
        paths = [f"/photos/{name} ü.jpg" for name in part.samples]
        gallery.add(part, pixels, paths)
    return gallery


def read(gallery: Gallery, **told: object) -> Reader:
    given = {"model": "m.", "counts": {"a": 2}, "unreadable": [], **told}
    return Reader(gallery.build_page("t", **given))  # type: ignore[arg-type]


def shown(page: Reader) -> list[str]:
    """Returns the numbers of the images, in the order of the page."""
    return [Path(link).name.split("%20")[0] for link in page.links if "photos" in link]


@pytest.mark.parametrize("batch", [1, 7, 40])
def test_least_sure_images_are_shown_least_sure_first(batch: int) -> None:
    everything = draw(40, 5)
    parts = [
        everything.select(np.arange(start, min(start + batch, 40)))
        for start in range(0, 40, batch)
    ]
    expected = np.argsort(everything.confidence, kind="stable")[:9]
    assert shown(read(fill(Gallery(9), *parts))) == [str(n) for n in expected]


def test_equally_sure_images_keep_their_order() -> None:
    page = read(fill(Gallery(3), make([[0.0, 1.0]] * 5, [0] * 5)))
    assert shown(page) == ["0", "1", "2"]


def test_page_says_how_many_are_shown_and_of_what() -> None:
    text = " ".join(read(fill(Gallery(9), draw(40, 5))).texts)
    assert "The 9 of 40 images that the model is least sure of" in text
    text = " ".join(read(fill(Gallery(50), draw(40, 5))).texts)
    assert "All 40 images." in text


def test_page_holds_as_many_as_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    gallery = fill(Gallery(50), draw(40, 5))
    monkeypatch.setattr(gallery_page, "_MOST_BYTES", 5_000)
    page = read(gallery)
    assert 0 < len(shown(page)) < 40
    size = sum(len(source) for source in page.sources)
    assert size <= 5_500
    assert "would not fit into a page of 20 MB" in " ".join(page.texts)


def test_each_image_has_its_likeliest_classes_and_their_shares() -> None:
    outputs = np.log([[0.7, 0.2, 0.1]])
    page = read(fill(Gallery(1), make(outputs, [0], names=("<cat>", "dog", "cow"))))
    start = page.texts.index("<cat>")
    assert page.texts[start : start + 6] == [
        *("<cat>", "70.0 %", "dog", "20.0 %", "cow", "10.0 %")
    ]


def test_page_counts_classes_and_names_what_could_not_be_read() -> None:
    counts = {f"class {n}": n for n in range(60)}
    unreadable = [("a&b.jpg", "is empty")]
    page = read(fill(Gallery(1), draw(2, 2)), counts=counts, unreadable=unreadable)
    assert page.texts[page.texts.index("images") + 1] == "class 59"
    assert "10 other classes" in page.texts
    assert page.texts[page.texts.index("a&b.jpg") + 1] == "is empty"


def test_page_of_ten_thousand_photographs_stays_below_20_mb() -> None:
    gallery, generator = Gallery(2_000), np.random.default_rng(0)
    # Noise makes the largest files there are.
    pixels = generator.integers(0, 256, (100, 140, 140, 3), np.uint8)
    for part in range(100):
        p = draw(100, 5, seed=part)
        gallery.add(p, pixels, [f"/photos/{name}.jpg" for name in p.samples])
    page = gallery.build_page("t", model="m.", counts={"a": 10_000}, unreadable=[])
    assert "of 10,000 images" in page
    assert 15e6 < len(page.encode()) < 20e6
