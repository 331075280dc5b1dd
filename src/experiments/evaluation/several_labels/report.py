"""What there is to tell of a model on images that may have several labels."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from experiments.counts import count_of, format_share, name_some
from experiments.evaluation.reporting.report_files import (
    CLASSES,
    METRICS,
    MISTAKES,
    PAGE,
)
from experiments.evaluation.several_labels.intervals import measure_several_intervals
from experiments.evaluation.several_labels.predictions import SeveralPredictions
from experiments.evaluation.several_labels.scores import (
    MAP,
    LabelScores,
    score_classes,
    score_several,
)
from experiments.evaluation.uncertainty.bootstrap import Interval
from experiments.files import replace_bytes
from experiments.pages import build_page, gallery, paragraph, section, table
from experiments.pictures.thumbnail import draw_thumbnail, is_tiny
from experiments.records import write_record

_SHOWN = 60  # of the worst mistakes
_ON_SCREEN = 10  # classes
_TITLES = {
    MAP: "mean average precision",
    "macro_f1": "macro F1",
    "micro_f1": "micro F1",
    "exact_match": "exact match",
}


@dataclass(frozen=True, kw_only=True)
class WrongAnswer:
    """A class that an image was wrongly said to show, or not to.

    Attributes:
        row: Of the predictions.
        sample: The image's name.
        name: The class.
        kind: `missed`, or `false alarm`.
        probability: That the model gave the class.
    """

    row: int
    sample: str
    name: str
    kind: str
    probability: float

    @property
    def confidence(self) -> float:
        """How sure the model was of its wrong answer."""
        return max(self.probability, 1 - self.probability)


@dataclass(frozen=True, kw_only=True)
class SeveralReport:
    """A model on labelled images, each class a question of its own.

    Attributes:
        predictions: What it said.
        title: What was evaluated on what.
        draw: Returns images by their rows, uint8 `(K, H, W, C)`.
        notes: What a reader has to know, a sentence each.
    """

    predictions: SeveralPredictions
    title: str
    draw: Callable[[Sequence[int]], npt.NDArray[np.uint8]]
    notes: Sequence[str] = ()

    @cached_property
    def scores(self) -> dict[str, float]:
        """The scores, by their names."""
        return score_several(self.predictions)

    @cached_property
    def classes(self) -> list[LabelScores]:
        """Those of each class."""
        return score_classes(self.predictions)

    @cached_property
    def intervals(self) -> tuple[dict[str, Interval], list[Interval | None]]:
        """95 % intervals of scores, and of each class's average precision."""
        return measure_several_intervals(self.predictions)

    @cached_property
    def mistakes(self) -> list[WrongAnswer]:
        """The wrong answers, the surest first."""
        p, shares = self.predictions, self.predictions.probabilities
        wrong = np.argwhere(p.called != p.truth).tolist()
        found = [
            WrongAnswer(
                row=row,
                sample=p.samples[row],
                name=p.class_names[number],
                kind="missed" if p.truth[row, number] else "false alarm",
                probability=float(shares[row, number]),
            )
            for row, number in wrong
        ]
        return sorted(found, key=lambda one: -one.confidence)

    def list_absent(self) -> list[str]:
        """Returns the classes that no image shows."""
        return [one.name for one in self.classes if not one.support]


def describe_several(report: SeveralReport) -> Iterator[str]:
    """Yields lines for the screen; the page has the rest."""
    intervals, by_class = report.intervals
    width = max(map(len, _TITLES.values()))
    yield f"{'score':{width}}   value  95 % interval over images"
    for name, title in _TITLES.items():
        low, high = intervals[name]
        yield f"{title:{width}}  {report.scores[name]:.4f}  {low:.4f} to {high:.4f}"
    yield ""
    yield "lowest average precision"
    known = [
        (one.average_precision, one, ends)
        for one, ends in zip(report.classes, by_class, strict=True)
        if one.average_precision is not None and ends is not None
    ]
    for value, one, ends in sorted(known, key=lambda k: k[0])[:_ON_SCREEN]:
        images = count_of(one.support, "image")
        yield f"  {one.name}: {value:.4f} ({ends[0]:.4f} to {ends[1]:.4f}), {images}"
    yield from (note for note in (_describe_absent(report), *report.notes) if note)


def write_several_report(folder: Path, report: SeveralReport) -> list[Path]:
    """Writes an evaluation.

    | file | what |
    | --- | --- |
    | `metrics.json` | all of it |
    | `errors.csv` | a row for each wrong answer: image, class, missed or false alarm |
    | `per_class_metrics.csv` | a row a class |
    | `report.html` | for people |

    Args:
        folder: Where; made where there is none.
        report: The evaluation.

    Returns:
        Each file, the page last.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_record(folder / METRICS, _as_dict(report), indent=2)
    contents = {
        MISTAKES: _as_csv(_list_mistakes(report)),
        CLASSES: _as_csv(_list_classes(report)),
        PAGE: build_page(report.title, _list_sections(report)).encode(),
    }
    for name, content in contents.items():
        replace_bytes(folder / name, content)
    return [folder / name for name in (METRICS, *contents)]


def _as_dict(report: SeveralReport) -> dict[str, Any]:
    intervals, by_class = report.intervals
    return {
        "images": len(report.predictions),
        "metrics": report.scores,
        "intervals_95": {name: list(ends) for name, ends in intervals.items()},
        "absent_classes": report.list_absent(),
        "classes": [
            {**asdict(one), "average_precision_95": ends and list(ends)}
            for one, ends in zip(report.classes, by_class, strict=True)
        ],
        "made_of": dict(report.predictions.facts),
    }


def _list_mistakes(report: SeveralReport) -> Iterator[Sequence[object]]:
    yield "file", "class", "error", "probability", "split"
    for one in report.mistakes:
        share = f"{one.probability:.6g}"
        yield one.sample, one.name, one.kind, share, report.predictions.split


def _list_classes(report: SeveralReport) -> Iterator[Sequence[object]]:
    names = ("average_precision", "precision", "recall", "f1", "roc_auc")
    yield "class", *names, "support", "called"
    for one in report.classes:
        values = (getattr(one, name) for name in names)
        told = ("" if value is None else value for value in values)
        yield one.name, *told, one.support, one.called


def _as_csv(rows: Iterator[Sequence[object]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _list_sections(report: SeveralReport) -> Iterator[str]:
    intervals, by_class = report.intervals
    about = paragraph(
        f"On {count_of(len(report.predictions), 'image')}. A class is taken to be "
        "there where its probability is above 0.5; average precision and ROC AUC need "
        "no threshold."
    )
    rows = [
        (name, f"{value:.4f}", _write(intervals.get(name)))
        for name, value in report.scores.items()
    ]
    scores = table(("score", "value", "95 % interval over images"), rows)
    yield section("Scores", about, *map(paragraph, report.notes), scores)
    if absent := _describe_absent(report):
        yield paragraph(absent)
    heading = ("class", "average precision", "95 %", "precision", "recall", "F1")
    classes = [
        (
            one.name,
            _number(one.average_precision),
            _write(ends),
            *map(_number, (one.precision, one.recall, one.f1, one.roc_auc)),
            f"{one.support:,}",
            f"{one.called:,}",
        )
        for one, ends in zip(report.classes, by_class, strict=True)
    ]
    columns = (*heading, "ROC AUC", "images", "called so")
    yield section("Classes", table(columns, classes))
    yield section("Worst mistakes", *_show_mistakes(report))


def _show_mistakes(report: SeveralReport) -> Iterator[str]:
    if not report.mistakes:
        yield paragraph("There is none.")
        return
    shown = report.mistakes[:_SHOWN]
    count = count_of(len(report.mistakes), "answer")
    yield paragraph(f"{count} wrong, the surest first; all are in errors.csv.")
    pixels = report.draw([one.row for one in shown])
    texts = [
        f"{o.sample}: {o.kind}, {o.name} ({format_share(o.probability)})" for o in shown
    ]
    pairs = zip(map(draw_thumbnail, pixels), texts, strict=True)
    yield gallery(pairs, small=is_tiny(pixels))


def _describe_absent(report: SeveralReport) -> str:
    absent = report.list_absent()
    if not absent:
        return ""
    return f"Without an image, and in no mean over classes: {name_some(absent)}."


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _write(ends: Interval | None) -> str:
    return "" if ends is None else f"{ends[0]:.4f} to {ends[1]:.4f}"
