"""A sweep of this same program, run by a job that needs what it leaves."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from experiments.errors import ExperimentError
from experiments.jobs.child_command import run_command
from experiments.jobs.job import Job

_MULTIRUN = "multirun.yaml"  # Hydra's, written whenever a sweep is started


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
    output_dir = Path(job.run.output_dir)
    before = _list_starts(output_dir)
    run_command(words, job.stop, environment)
    print()
    started = [
        (changed, folder)
        for folder, changed in _list_starts(output_dir).items()
        if before.get(folder) != changed
    ]
    if not started:
        raise ExperimentError("The sweep left no folder: see what it told above.")
    return max(started)[1].absolute()


def _list_starts(output_dir: Path) -> dict[Path, int]:
    """Returns the folder of each sweep, and when it was started last."""
    return {
        path.parent: path.stat().st_mtime_ns
        for path in output_dir.glob(f"sweeps/*/{_MULTIRUN}")
    }
