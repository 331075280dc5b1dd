"""Settings that a process left planned when it died: they are what ran."""

from experiments.tracking.spool.journal import PARAMS, Entry, Journal, read_entries
from experiments.tracking.spool.seen import Seen
from experiments.tracking.spool.spool import Spool


def settle_left(spool: Spool) -> list[Entry]:
    """Returns the entries of a folder, in which nothing is planned any more.

    Only for whoever holds the folder: no process that records may be alive.

    Raises:
        TrackingError: The journal exists and cannot be read.
    """
    entries = read_entries(spool.journal)
    left = Seen(entries).settle_params()
    if not left:
        return entries
    journal = Journal(spool.journal)
    journal.append(PARAMS, {"values": left}, durable=True)
    journal.close()
    return read_entries(spool.journal)  # a full disk takes nothing


def has_planned(spool: Spool) -> bool:
    """Tells whether a folder holds settings that are not parameters yet.

    Raises:
        TrackingError: The journal exists and cannot be read.
    """
    return bool(Seen(read_entries(spool.journal)).settle_params())
