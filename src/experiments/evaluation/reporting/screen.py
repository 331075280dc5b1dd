"""An evaluation on the screen: a short table, and what is confused most."""

from collections.abc import Iterator

from experiments.counts import count_of, format_share
from experiments.evaluation.confusion import list_confusions
from experiments.evaluation.reporting.report import Report
from experiments.evaluation.reporting.report_page import (
    describe_absent,
    describe_calibration,
)
from experiments.evaluation.scores import TOP5

_SHOWN = {
    "accuracy": "accuracy",
    TOP5: "top-5 accuracy",
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "macro F1",
    "log_loss": "log loss",
    "expected_calibration_error": "calibration error",
}
_PAIRS = 5  # of classes


def describe_on_screen(report: Report) -> Iterator[str]:
    """Yields lines; the page has the rest."""
    yield from _list_scores(report)
    yield ""
    yield from _list_pairs(report)
    yield describe_calibration(report)
    for note in (describe_absent(report), *report.notes):
        if note:
            yield note


def _list_scores(report: Report) -> Iterator[str]:
    """Yields the most telling scores, each with its interval where it has one."""
    overall = report.scores.overall
    width = max(map(len, _SHOWN.values()))
    yield f"{'score':{width}}   value  95 % interval over images"
    for name, title in _SHOWN.items():
        if name in overall:
            ends = report.intervals.get(name)
            interval = f"{ends[0]:.4f} to {ends[1]:.4f}" if ends else "-"
            yield f"{title:{width}}  {overall[name]:.4f}  {interval}"


def _list_pairs(report: Report) -> Iterator[str]:
    pairs = list_confusions(report.predictions, most=_PAIRS)
    if not pairs:
        yield "No image is taken for another class."
        return
    yield "most confused"
    for one in pairs:
        images = count_of(one.count, "image")
        share = f"{format_share(one.share, 1)} of the class"
        yield f"  {one.truth} → {one.predicted}: {images}, {share}"
