"""The page of what a model said of images: those that it is least sure of."""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from experiments.counts import agree, count_of
from experiments.evaluation.predictions import Predictions
from experiments.pages import Card, build_page, cards, paragraph, section, table
from experiments.pictures.thumbnail import draw_thumbnail, is_tiny

_BARS = 3  # classes an image
_CLASSES = 50  # that are counted on the page
_MOST_BYTES = 18_000_000  # of images, which leaves room for the rest of 20 MB
_BASE64 = 4 / 3


@dataclass(order=True)
class _Kept:
    """An image among the least sure ones; the surest of them goes first."""

    unsure: float
    place: int
    card: Card = field(compare=False)


class Gallery:
    """Keeps the images of which a model is least sure, of any number that it sees.

    Args:
        most: How many.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: list[_Kept] = []
        self._seen = 0
        self._tiny = False

    def add(
        self,
        predictions: Predictions,
        pixels: npt.NDArray[np.uint8],
        paths: Sequence[str],
    ) -> None:
        """Looks at what a model said of N images.

        Args:
            predictions: Of the images.
            pixels: uint8 `(N, H, W, C)`, as the model saw them.
            paths: Where they lie.
        """
        self._tiny = is_tiny(pixels)
        for row, confidence in enumerate(predictions.confidence.tolist()):
            kept = (-confidence, -self._seen)
            self._seen += 1
            full = len(self._kept) == self._most
            if not self._most or (full and kept <= _rank(self._kept[0])):
                continue
            card = _make_card(predictions, row, pixels[row], paths[row])
            one = _Kept(*kept, card)
            if full:
                heapq.heapreplace(self._kept, one)
            else:
                heapq.heappush(self._kept, one)

    def build_page(
        self,
        title: str,
        model: str,
        counts: Mapping[str, int],
        unreadable: Sequence[tuple[str, str]],
    ) -> str:
        """Returns the page.

        Args:
            title: A text.
            model: Which one it was, a sentence.
            counts: Class -> images that were taken for it.
            unreadable: The first files that could not be read, and why.
        """
        sections = self._list_sections(model, counts, unreadable)
        return build_page(title, sections)

    def _list_sections(
        self,
        model: str,
        counts: Mapping[str, int],
        unreadable: Sequence[tuple[str, str]],
    ) -> Iterator[str]:
        yield paragraph(f"{model} Images are shown as the model sees them.")
        ordered = [kept.card for kept in sorted(self._kept, reverse=True)]
        shown = list(_fit(ordered))
        yield section(
            "Least sure first",
            paragraph(_describe(len(shown), len(ordered), self._seen)),
            cards(shown, small=self._tiny),
        )
        largest = sorted(counts.items(), key=lambda item: -item[1])
        rows = [(name, f"{count:,}") for name, count in largest[:_CLASSES]]
        more = len(largest) - _CLASSES
        rows += [(f"{more:,} other classes", "")] if more > 0 else []
        yield section("Images by class", table(("class", "images"), rows))
        if unreadable:
            listed = table(("file", "reason"), unreadable)
            yield section("Not read", listed)


def _rank(kept: _Kept) -> tuple[float, int]:
    return kept.unsure, kept.place


def _make_card(
    predictions: Predictions, row: int, pixels: npt.NDArray[np.uint8], path: str
) -> Card:
    best = predictions.ranking[row, :_BARS].tolist()
    bars = [
        (predictions.class_names[number], float(predictions.probabilities[row, number]))
        for number in best
    ]
    return Card(
        image=draw_thumbnail(pixels),
        text=predictions.samples[row],
        bars=bars,
        address=Path(path).absolute().as_uri(),
    )


def _fit(found: Sequence[Card]) -> Iterator[Card]:
    """Yields the first ones, as many as a page may hold."""
    size = 0.0
    for card in found:
        size += len(card.image) * _BASE64
        if size > _MOST_BYTES:
            return
        yield card


def _describe(shown: int, kept: int, seen: int) -> str:
    click = "A click on an image opens its file."
    if shown == seen:
        every = agree(seen, "The only image.", f"All {count_of(seen, 'image')}.")
        return f"{every} {click}"
    text = f"The {shown:,} of {count_of(seen, 'image')} that the model is least sure of"
    why = (
        "task.gallery says how many"
        if shown == kept
        else "more would not fit into a page of 20 MB"
    )
    return f"{text}; {why}. {click}"
