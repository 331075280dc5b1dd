"""The files of an evaluation, for people and for programs."""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from experiments.evaluation.confusion import list_confusions
from experiments.evaluation.reporting.mistakes import write_mistakes
from experiments.evaluation.reporting.report import Report, Unknown
from experiments.evaluation.reporting.report_page import build_report_page
from experiments.files import replace_bytes
from experiments.pictures.picture import as_png
from experiments.records import write_record

# Names that MLflow's own evaluation gives where it has such a file.
METRICS = "metrics.json"
CLASSES = "per_class_metrics.csv"
CONFUSIONS = "confusions.csv"
CONFUSION_MATRIX = "confusion_matrix.png"
CALIBRATION = "calibration_curve_plot.png"
MISTAKES = "errors.csv"
PAGE = "report.html"
UNKNOWN = "unknown_classes.csv"


def write_report(folder: Path, report: Report) -> list[Path]:
    """Writes an evaluation.

    Args:
        folder: Where; made where there is none.
        report: The evaluation.

    Returns:
        Each file, the page last.
    """
    folder.mkdir(parents=True, exist_ok=True)
    contents = {
        CLASSES: _as_csv(_list_classes(report)),
        CONFUSIONS: _as_csv(_list_confusions(report)),
        CONFUSION_MATRIX: as_png(report.draw_confusions()),
        CALIBRATION: as_png(report.draw_reliability()),
        PAGE: build_report_page(report).encode(),
    }
    write_record(folder / METRICS, report.as_dict(), indent=2)
    write_mistakes(folder / MISTAKES, report.predictions)
    if report.unknown is not None:
        contents = {UNKNOWN: _as_csv(_list_unknown(report.unknown)), **contents}
    else:
        (folder / UNKNOWN).unlink(missing_ok=True)  # of an evaluation before
    for name, content in contents.items():
        replace_bytes(folder / name, content)
    return [folder / name for name in (METRICS, MISTAKES, *contents)]


def _list_classes(report: Report) -> Iterator[Sequence[object]]:
    yield "class", "precision", "recall", "f1", "support", "roc_auc"
    for one in report.scores.classes:
        values = (one.precision, one.recall, one.f1, one.support, one.roc_auc)
        yield one.name, *("" if value is None else value for value in values)


def _list_unknown(unknown: Unknown) -> Iterator[Sequence[object]]:
    p = unknown.predictions
    yield "file", "class", "prediction", "confidence"
    rows = zip(p.samples, unknown.given, p.predicted, p.confidence, strict=True)
    for sample, given, predicted, confidence in rows:
        yield sample, given, p.class_names[predicted], f"{confidence:.6g}"


def _list_confusions(report: Report) -> Iterator[Sequence[object]]:
    yield "truth", "prediction", "count", "share"
    pairs = report.predictions.num_classes**2
    for one in list_confusions(report.predictions, most=pairs):
        yield one.truth, one.predicted, one.count, one.share


def _as_csv(rows: Iterator[Sequence[object]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
