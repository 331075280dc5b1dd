"""Keeps what a model says of files in the folder of a job, batch by batch."""

import csv
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from experiments import job_files
from experiments.evaluation.predictions import Predictions
from experiments.evaluation.reporting.answer_table import Format, open_answers
from experiments.evaluation.reporting.gallery_page import Gallery
from experiments.files import drafting, open_new
from experiments.trained.answers import Answers, Unreadable

SHOWN = 10  # files that a person is shown at once
_LISTED = 100  # unreadable files that are remembered


@dataclass(kw_only=True, eq=False)
class Summary:
    """What was kept so far.

    Attributes:
        gallery: Chooses the images of a page.
        predicted: How many files the model has answered about.
        counts: Class -> files that were taken for it, or said to show it.
        first: What was said of the first few and of what was asked with them.
        refused: How many files could not be read.
        unreadable: The first of these.
        started: When it began, by the process's clock, and `ended` of the last batch.
    """

    gallery: Gallery
    predicted: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    first: list[Predictions] = field(default_factory=list)
    refused: int = 0
    unreadable: list[Unreadable] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)
    ended: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """How long it took, the compilation of the network included."""
        return self.ended - self.started

    def note(self, answers: Answers) -> None:
        """Adds a batch."""
        predictions = answers.predictions
        if self.predicted < SHOWN:
            self.first.append(predictions)
        self.predicted += len(predictions)
        for row in range(len(predictions)):
            self.counts.update(predictions.list_called(row))
        self.gallery.add(predictions, answers.pixels, answers.paths)
        room = _LISTED - len(self.unreadable)
        self.unreadable += answers.unreadable[:room]
        self.refused += len(answers.unreadable)
        self.ended = time.monotonic()


def name_table(form: Format) -> str:
    """Returns what the table of a format is called."""
    return job_files.ANSWERS if form == "csv" else job_files.TABLE


def keep_answers(
    answers: Iterable[Answers],
    folder: Path,
    *,
    form: Format,
    ranked: int,
    gallery: Gallery,
    facts: Mapping[str, Any],
    each: Sequence[str] | None = None,
) -> Summary:
    """Writes answers as they come; the files are whole whenever these end.

    Args:
        answers: Of a model.
        folder: Of the job.
        form: Of the table.
        ranked: How many of the likeliest classes a row has.
        gallery: Chooses the images of a page.
        facts: What the answers are made of.
        each: The classes where an image may have several labels; `None` elsewhere.

    Returns:
        What was written.
    """
    summary = Summary(gallery=gallery)
    place = folder / name_table(form)
    table = open_answers(place, form, ranked=ranked, facts=facts, each=each)
    with table as write, _open_refused(folder / job_files.UNREADABLE) as refuse:
        for one in answers:
            write(one.predictions)
            refuse(one.unreadable)
            summary.note(one)
    return summary


@contextmanager
def _open_refused(path: Path) -> Iterator[Callable[[Iterable[Unreadable]], None]]:
    """Yields what appends unreadable files to a list; without any there is none."""
    rows: list[Any] = []
    with ExitStack() as files:

        def append(found: Iterable[Unreadable]) -> None:
            for one in found:
                if not rows:
                    draft = files.enter_context(drafting(path))
                    raw = files.enter_context(open_new(draft))
                    text = TextIOWrapper(raw, encoding="utf-8", newline="")
                    rows.append(
                        csv.writer(files.enter_context(text), lineterminator="\n")
                    )
                    rows[0].writerow(("file", "reason"))
                rows[0].writerow((one.file, one.reason))

        yield append
    if not rows:
        path.unlink(missing_ok=True)  # of the same command before
