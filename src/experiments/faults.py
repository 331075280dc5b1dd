"""What to say of an error that nobody foresaw: a sentence, and where the rest is."""

import os
import tempfile
import time
import traceback
from pathlib import Path

from experiments.errors import make_printable, summarise_error
from experiments.files import cache_folder
from experiments.redaction import redact


def report_fault(error: Exception) -> str:
    """Keeps the traceback of an error in a file and returns what to tell a person."""
    try:
        place = f"Its traceback is in {_keep_traceback(error)}; please report it"
    except (OSError, RuntimeError):  # nowhere to write, or no home at all
        place = "With HYDRA_FULL_ERROR=1 its traceback is shown; please report it"
    what = make_printable(redact(summarise_error(error)))[:500]
    return (
        f"Something went wrong that this program did not foresee: {what.rstrip('.')}. "
        f"{place} together with the command that was typed."
    )


def _keep_traceback(error: Exception) -> Path:
    folder = cache_folder() / "faults"
    folder.mkdir(parents=True, exist_ok=True)
    prefix = time.strftime("%Y%m%d-%H%M%S-")
    # Only its owner may read it: a traceback shows values.
    number, path = tempfile.mkstemp(".txt", prefix, folder)
    with os.fdopen(number, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(redact("".join(traceback.format_exception(error))))
    return Path(path)
