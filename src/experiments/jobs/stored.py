"""Shows what a job left when it ran before, without importing a framework."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from experiments.config.identity import keeps_result
from experiments.config.schema.run import RunConfig
from experiments.jobs.job import JobResult
from experiments.tracking.store.databases.database import follow_move


def stored_result(
    folder: Path, run: RunConfig, *, in_sweep: bool = False
) -> JobResult | None:
    """Returns the result that makes running the job again needless, if there is one.

    Args:
        folder: Of the job.
        run: Its config.
        in_sweep: A failed job of a sweep is left alone with `sweep.retry_failed=false`.
    """
    if not keeps_result(run):
        return None
    result = JobResult.load(folder)
    if result is None:
        return None
    if result.status == "FINISHED":
        return result if _is_enough(result, run) else None
    keeps_failed = in_sweep and not run.sweep.retry_failed
    return result if keeps_failed and result.status == "FAILED" else None


def show_stored(result: JobResult, run: RunConfig, *, in_sweep: bool = False) -> None:
    """Prints a stored result, and what has changed since it was made.

    Args:
        result: What the job left.
        run: Its config.
        in_sweep: One line is enough: the sweep's table will show the rest.
    """
    # Seldom needed: most jobs have not run before.
    from experiments.jobs.made_from import origin
    from experiments.jobs.showing import display

    former = origin.read_origin(Path(result.output_dir)) or {}
    changes = origin.list_changes(former, origin.describe_origin(run))
    images = origin.list_file_changes_since(former, run)
    since = f" Changed since: {'; '.join(changes)}." if changes else ""
    print(f"{result.name}: {result.status.lower()} before, not run again.{since}")
    if images:
        print(f"The images changed since: {'; '.join(images)}.")
    if images or not in_sweep:
        print("To run it anew in another folder: fresh=true")
    if not in_sweep:
        if result.run_url is not None:  # whoever opens it shall see its files
            follow_move(run.destination())
        display.show_result(run, result)


def show_changed_images(folders: Iterable[Path], run: RunConfig) -> None:
    """Prints what has changed since the jobs of a search read their images.

    Args:
        folders: Of the jobs; those that read the same folder are asked once.
        run: A config with their data set.
    """
    from experiments.jobs.made_from import origin

    origins: dict[str, dict[str, Any]] = {}
    for folder in folders:
        former = origin.read_origin(folder) or {}
        if former.get("files"):
            origins.setdefault(former["files"]["path"], former)
    for former in origins.values():
        images = origin.list_file_changes_since(former, run)
        if images:
            print(f"The images changed since this search began: {'; '.join(images)}.")
            print("To search anew in another folder: fresh=true")


def _is_enough(result: JobResult, run: RunConfig) -> bool:
    """Tells whether a job that paused had all the epochs that are asked for now."""
    if result.end != "paused":
        return True
    return result.epochs >= (run.trainer.until_epoch or run.trainer.epochs)
