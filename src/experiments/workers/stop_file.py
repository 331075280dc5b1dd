"""A file that asks workers, wherever they are, to end what they do, and says why."""

from contextlib import suppress
from pathlib import Path

from experiments.errors import ExperimentError, Preempted, make_printable
from experiments.files import replace_bytes

_MOST_BYTES = 200


def request_stop(stop: Path, cause: BaseException) -> None:
    """Asks workers to end.

    Args:
        stop: The file, which exists while they are asked to.
        cause: What ends what they work for.
    """
    reason = str(cause) if isinstance(cause, Preempted) else ""
    if isinstance(cause, KeyboardInterrupt):
        reason = "Ctrl-C"
    replace_bytes(stop, reason.encode()[:_MOST_BYTES])


def read_reason(stop: Path) -> str | None:
    """Returns why workers were asked to end, in words; `None` where nobody says it."""
    with suppress(OSError), stop.open("rb") as file:
        text = file.read(_MOST_BYTES).decode("utf-8", "replace")
        return make_printable(text).replace("\n", " ").strip() or None
    return None


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
