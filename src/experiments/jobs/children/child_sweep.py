"""A sweep of this same program, run by a job that needs what it leaves."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from experiments.errors import ExperimentError
from experiments.jobs.children.child_command import run_command
from experiments.jobs.job import Job

# A file in which the sweep is to write where it works: others may begin meanwhile.
TELL_VARIABLE = "EXPERIMENTS_TELL_FOLDER"


def run_sweep(words: Sequence[str], job: Job, environment: Mapping[str, str]) -> Path:
    """Runs a sweep to its end and returns its folder.

    It is found again by what it is: a second time there is nothing to do.

    Args:
        words: Overrides and flags.
        job: That needs it; who stops the one stops the other.
        environment: Of the sweep.

    Raises:
        Preempted: It was stopped; the same command continues.
        ExperimentError: The sweep has failed.
    """
    with tempfile.TemporaryDirectory() as place:
        told = Path(place, "folder")
        run_command(words, job.stop, {**environment, TELL_VARIABLE: str(told)})
        print()
        with suppress(FileNotFoundError):
            return Path(told.read_text())
    raise ExperimentError("The sweep left no folder: see what it told above.")


def tell_folder(folder: Path) -> None:
    """Tells the job that started this sweep, if one did, where it works.

    Args:
        folder: Of the sweep.
    """
    # None of its own jobs shall answer in its place.
    if (place := os.environ.pop(TELL_VARIABLE, None)) is not None:
        Path(place).write_text(str(folder.absolute()))
