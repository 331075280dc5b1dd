"""Whether a store still holds what was sent to it, by what one request tells."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from experiments.records import OutsideError
from experiments.tracking.spool.journal import Entry, find_end
from experiments.tracking.spool.spool import Spool
from experiments.tracking.store.links import as_folder


def holds(run: Any, entries: Sequence[Entry], count: int, spool: Spool) -> bool:
    """Tells whether a run is as the records that it got have left it.

    It is not when somebody has put an older copy of the database in its place, or has
    removed files of the embedded one.

    Args:
        run: As MLflow has it.
        entries: Of the journal.
        count: How many of them it holds, or one more: a process may have been killed
            between sending one and remembering it.
        spool: Where they come from.
    """
    # A record that was refused is missing, and would be refused again.
    whole = not spool.refused.exists()
    return _has_files(run, entries[:count], spool) and any(
        _has_ended(run, sent)
        and _has_metrics(run.data.metrics, _last_values(sent), whole=whole)
        for sent in (entries[:count], entries[: count + 1])
    )


def _has_ended(run: Any, sent: Sequence[Entry]) -> bool:
    end = find_end(sent)
    if end is None:
        return True  # whoever saw that its process had died may have ended it
    found = (run.info.status, run.info.end_time)
    return bool(found == (end.content["status"], end.time))


def _last_values(sent: Sequence[Entry]) -> dict[str, float]:
    """Returns the value of each metric that MLflow takes for its last one."""
    points = [
        (entry.content["step"], entry.time, name, value)
        for entry in sent
        if entry.kind == "metrics"
        for name, value in entry.content["values"].items()
    ]
    return {name: value for _, _, name, value in sorted(points, key=lambda p: p[:2])}


def _has_metrics(
    found: Mapping[str, float], expected: Mapping[str, float], *, whole: bool
) -> bool:
    if whole and not expected.keys() <= found.keys():
        return False
    return all(
        _is_equal(found[name], value)
        for name, value in expected.items()
        if name in found
    )


def _is_equal(found: float, sent: float) -> bool:
    # Stores have numbers of their own for what is not finite.
    return not math.isfinite(sent) or math.isclose(found, sent, rel_tol=1e-6)


def _has_files(run: Any, sent: Sequence[Entry], spool: Spool) -> bool:
    """Looks for the files where that costs no request."""
    folder = as_folder(run.info.artifact_uri)
    if folder is None:
        return True
    return all(
        (folder / entry.content["path"]).is_file()
        for entry in sent
        if entry.kind == "artifact" and _is_here(entry, spool)
    )


def _is_here(entry: Entry, spool: Spool) -> bool:
    """Tells whether a file could be sent again."""
    try:
        return spool.find_file(entry.content["file"]).is_file()
    except OutsideError:
        return False
