"""A file that asks workers, wherever they are, to end what they do."""

from pathlib import Path

from experiments.errors import ExperimentError


def forget_stop(stop: Path) -> None:
    """Removes what an earlier process has left.

    Args:
        stop: The file, which exists while workers are asked to end.

    Raises:
        ExperimentError: It cannot be removed.
    """
    try:
        stop.unlink(missing_ok=True)
    except OSError as error:
        raise ExperimentError(
            f"{stop} cannot be removed: {error.strerror}. Remove it, or start anew in "
            "another folder: fresh=true"
        ) from error
