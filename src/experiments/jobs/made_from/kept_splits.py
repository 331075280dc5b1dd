"""Keeps the list of which image file was in which split of a job."""

import csv
import io

from experiments import job_files
from experiments.data.dataset import Dataset
from experiments.data.label_arrays import list_labels
from experiments.data.labels import name_classes
from experiments.data.samples import name_samples
from experiments.data.split import FileSplit
from experiments.files import replace_bytes
from experiments.jobs.job import Job
from experiments.tracking.tracker import Tracker

_PLACE = "data"  # among the files of a run
_COLUMNS = ("file", "class", "split")
# A longer list says nothing to a person, and each run would send tens of megabytes.
MOST_FILES = 200_000


def keep_splits(job: Job, dataset: Dataset, tracker: Tracker) -> None:
    """Writes `splits.csv` into the job's folder: file, class and split, by file.

    Several classes of an image are in one cell.

    Of images in memory there is none, nor of more than 200,000 files, whose division
    the fingerprint identifies. What a fold holds out is in no split.

    Args:
        job: About to be trained.
        dataset: Its images.
        tracker: Its run, which gets the file too.
    """
    rows = [
        (name, name_classes(label, dataset.class_names), split)
        for split, part in dataset.splits.items()
        if isinstance(part, FileSplit)
        for name, label in zip(
            name_samples(part), list_labels(part.labels), strict=True
        )
    ]
    if not 0 < len(rows) <= MOST_FILES:
        return
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([_COLUMNS, *sorted(rows)])
    place = job.output_dir / job_files.SPLITS
    replace_bytes(place, text.getvalue().encode("utf-8", "backslashreplace"))
    tracker.log_file(place, _PLACE)
