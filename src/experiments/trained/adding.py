"""Adds what was found out of a model to the record of its run."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from experiments.config.kinds.destination import Destination
from experiments.jobs.folder import (
    JobHeldError,
    claim_folder,
    describe_holder,
    refuse_outer_links,
)
from experiments.jobs.showing.display import short_path
from experiments.tracking.addition import Added, Addition, add_to_folder, add_to_store
from experiments.trained.finding import Found


@contextmanager
def holding(folder: Path | None, *, later: str) -> Iterator[None]:
    """Holds the folder of a run, so that nobody trains, removes or adds meanwhile.

    Args:
        folder: Of the run, if it is here.
        later: What a person is to do when another process has ended.

    Raises:
        JobHeldError: That one holds it.
    """
    if folder is None:
        yield
        return
    refuse_outer_links(folder, depth=2)
    try:
        with claim_folder(folder):
            yield
    except JobHeldError:
        raise JobHeldError(
            f"{short_path(folder)} is being worked on by {describe_holder(folder)}. "
            f"{later} when that has ended."
        ) from None


def add_to_run(
    found: Found, addition: Addition, destination: Destination
) -> Added | None:
    """Adds to the run of a model, whose folder this process holds.

    Returns:
        `None` where there is no run, or nothing is tracked.

    Raises:
        TrackingError: Its record cannot be read, or the store refuses.
    """
    if not destination.enabled:
        return None
    if found.folder is not None:
        return add_to_folder(found.folder, addition, destination)
    if found.run_id is not None:
        return add_to_store(found.run_id, addition, destination)
    return None
