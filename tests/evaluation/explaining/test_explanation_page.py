"""The page that shows where images speak for classes."""

import re

from experiments.evaluation.explaining.explanation_page import build_explanation_page
from tests.evaluation.explained import make


def test_page_shows_all_and_asks_nothing_of_a_network() -> None:
    made = [make("<i>.jpg", views=2), make("b.jpg", size=100)]
    notes = ["c.jpg is no image."]
    text = build_explanation_page(made, title="Where x looks", notes=notes)
    assert len(re.findall(r"<img ", text)) == 1 + 3 + 2  # the scale's, and each image's
    assert not re.search(r"""(src|href)=["'](?!data:)""", text)
    assert "<h2>&lt;i&gt;.jpg</h2>" in text
    assert "Likeliest: cat (75.0 %), &lt;b&gt; (20.0 %)." in text
    assert "for class 0 (50.0 %)" in text
    assert "nothing for class 1 (50.0 %)" in text
    assert "<p>c.jpg is no image.</p>" in text
    assert "Grad-CAM" in text


def test_page_of_many_images_is_small() -> None:
    made = [make(f"{number}.jpg", views=2, size=224) for number in range(20)]
    assert len(build_explanation_page(made, title="title")) < 20 * 60_000
