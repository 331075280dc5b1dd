"""The page of an evaluation: scores, calibration, confusions, the worst mistakes."""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from experiments.counts import count_of, format_share, name_some
from experiments.evaluation.calibration import (
    COLDEST,
    HOTTEST,
    measure_calibration_error,
)
from experiments.evaluation.confusion import list_confusions
from experiments.evaluation.reporting.mistakes import Mistake
from experiments.evaluation.reporting.report import Report, Unknown
from experiments.pages import build_page, gallery, paragraph, picture, section, table
from experiments.pictures.heat_map import enlarge, lay_over
from experiments.pictures.picture import as_png
from experiments.pictures.thumbnail import draw_thumbnail, is_tiny

SHOWN = 60  # of the worst mistakes
_JOINED = 560  # pixels of an image's width with its heat map beside it
_STYLE = """
.gallery figure { width: 270px; }
.gallery img { width: 270px; height: auto; background: none; }
"""
_PAIRS = 20  # of classes, as many as of confusions


def build_report_page(report: Report) -> str:
    """Returns the page, which holds all that it shows.

    It has some 40 kB an image, of which there are at most 60, and grows with the
    number of classes, not with that of the images.
    """
    style = "" if report.explain is None else _STYLE
    return build_page(report.title, _list_sections(report), style=style)


def _list_sections(report: Report) -> Iterator[str]:
    images = count_of(report.scores.images, "image")
    notes = map(paragraph, report.notes)
    about = paragraph(f"On {images}.")
    yield section("Scores", about, *notes, _table_scores(report))
    if absent := describe_absent(report):
        yield paragraph(absent)
    drawn = picture(as_png(report.draw_reliability()), "Accuracy by confidence")
    yield section("Calibration", paragraph(describe_calibration(report)), drawn)
    matrix = picture(as_png(report.draw_confusions()), "Confusion matrix")
    yield section("Confusions", matrix, _table_confusions(report))
    yield section("Classes", _table_classes(report))
    yield section("Worst mistakes", *_show_mistakes(report))
    if report.unknown is not None:
        yield section("Images of unknown classes", *_show_unknown(report.unknown))


def describe_absent(report: Report) -> str:
    """Returns which classes have no image; nothing where all have one."""
    absent = report.scores.absent
    if not absent:
        return ""
    return f"Without an image, and in no mean over classes: {name_some(absent)}."


def describe_calibration(report: Report) -> str:
    """Returns how sure the model is beside how right, and what would mend it."""
    error = report.scores.overall["expected_calibration_error"]
    text = f"The expected calibration error is {error:.3f}."
    if report.temperature is None:
        return (
            f"{text} A temperature is fitted on what the model says of its validation "
            "split, which task=evaluate task.split=validation keeps, and is told of "
            "other images."
        )
    if report.temperature >= HOTTEST:
        return (
            f"{text} No temperature mends it: of the validation split the flattest "
            "answer, every class alike, tells as much as the model does."
        )
    if report.temperature <= COLDEST:
        return (
            f"{text} No temperature is fitted: on the validation split the loss falls "
            "the surer the model is made, as where every image is right."
        )
    scaled = report.predictions.scaled(report.temperature)
    after = measure_calibration_error(scaled)
    loss, then = report.scores.overall["log_loss"], float(scaled.losses.mean())
    if then > loss:
        return (
            f"{text} The temperature that fits the validation split, "
            f"{report.temperature:.3g}, does not carry over: the log loss would be "
            f"{then:.4f} instead of {loss:.4f}, and that error {after:.3f}."
        )
    return (
        f"{text} Logits divided by {report.temperature:.3g}, the temperature that fits "
        f"the validation split, would make it {after:.3f}, and the log loss {then:.4f} "
        f"instead of {loss:.4f}; no prediction would change."
    )


def _table_scores(report: Report) -> str:
    rows = []
    for name, value in report.scores.overall.items():
        ends = report.intervals.get(name)
        interval = f"{ends[0]:.4f} to {ends[1]:.4f}" if ends else ""
        rows.append((name, f"{value:.4f}", interval))
    return table(("score", "value", "95 % interval over images"), rows)


def _table_classes(report: Report) -> str:
    rows = [
        (
            one.name,
            *map(_write, (one.precision, one.recall, one.f1, one.roc_auc)),
            f"{one.support:,}",
        )
        for one in report.scores.classes
    ]
    return table(("class", "precision", "recall", "F1", "ROC AUC", "images"), rows)


def _table_confusions(report: Report) -> str:
    rows = [
        (f"{one.truth} → {one.predicted}", f"{one.count:,}", format_share(one.share, 1))
        for one in list_confusions(report.predictions)
    ]
    if not rows:
        return paragraph("No image is taken for another class.")
    return table(("true → predicted", "images", "of the class"), rows)


def _show_mistakes(report: Report) -> Iterator[str]:
    mistakes = report.mistakes
    if not mistakes:
        yield paragraph("There is none.")
        return
    shown = mistakes[:SHOWN]
    count = count_of(len(mistakes), "image")
    yield paragraph(f"{count} wrong, the surest first; all are in errors.csv.")
    if report.draw is None:
        yield _table_mistakes(shown)
        return
    rows = [one.row for one in shown]
    pixels = report.draw(rows)
    texts = [_describe(one) for one in shown]
    if report.explain is None:
        files = map(draw_thumbnail, pixels)
    else:
        called = report.predictions.predicted[rows].tolist()
        maps = report.explain(rows, called)
        yield paragraph(
            "Beside each image, in colours, what of it spoke for the class that it was "
            "taken for; task=explain shows more of one image."
        )
        files = map(_join, pixels, maps)
    pairs = zip(files, texts, strict=True)
    is_small = report.explain is None and is_tiny(pixels)
    yield gallery(pairs, small=is_small)


def _join(pixels: npt.NDArray[np.uint8], heat: npt.NDArray[np.float32]) -> bytes:
    """Returns an image with its heat map beside it as a file."""
    both = np.concatenate([enlarge(pixels), lay_over(pixels, heat)], axis=1)
    return draw_thumbnail(both, largest=_JOINED)


def _table_mistakes(mistakes: Sequence[Mistake]) -> str:
    rows = [(m.sample, m.truth, m.predicted, f"{m.confidence:.3f}") for m in mistakes]
    return table(("image", "true", "predicted", "confidence"), rows)


def _show_unknown(unknown: Unknown) -> Iterator[str]:
    p = unknown.predictions
    count = count_of(len(p), "image")
    yield paragraph(
        f"{count} of classes that the model does not know are in no score. What it "
        "calls them; all are in unknown_classes.csv."
    )
    pairs = zip(unknown.given, p.predicted.tolist(), strict=True)
    counts = Counter((given, p.class_names[number]) for given, number in pairs)
    rows = [(f"{g} → {n}", f"{c:,}") for (g, n), c in counts.most_common(_PAIRS)]
    yield table(("class → called", "images"), rows)


def _describe(mistake: Mistake) -> str:
    return (
        f"{mistake.sample}: {mistake.truth}, taken for {mistake.predicted} "
        f"({format_share(mistake.confidence)} sure)"
    )


def _write(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
