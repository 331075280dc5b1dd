"""Sends what a store lacks of runs, long after their processes have ended."""

from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from experiments.config.kinds.destination import Destination
from experiments.errors import TrackingError
from experiments.records import NewerRecordError, refuse_newer_in
from experiments.tracking.sending.courier import Courier
from experiments.tracking.spool.claims import find_claims, find_folders
from experiments.tracking.spool.journal import (
    Entry,
    find_end,
    find_opening,
    read_entries,
)
from experiments.tracking.spool.planned import has_planned, settle_left
from experiments.tracking.spool.spool import Spool
from experiments.tracking.store.client import attempt
from experiments.tracking.store.links import is_same_store, locate
from experiments.tracking.store.runs.claimed_run import DeletedRunError
from experiments.tracking.store.runs.reconcile import REASON

_ENDED = "its process ended without closing the run"


@dataclass(frozen=True, kw_only=True)
class Synced:
    """What was done for one folder.

    Attributes:
        folder: Of the job or the sweep.
        sent: Records that were sent now, refused ones not counted.
        refused: Records that MLflow does not accept.
        unsent: Records that still wait.
        asked: Whether the store said what it has; else only memory tells.
        reason: Why they wait, or why it did not say; `None` without any.
        meant_for: Address of another store than the configured one, which the folder
            names; it was not asked, and got nothing.
        refusals: Of each record that was refused now, why, with its file if it has one.
        run_id: Of the run in its own store; `None` in another one.
        run_url: Address of the run's page.
    """

    folder: Path
    sent: int = 0
    refused: int = 0
    unsent: int = 0
    asked: bool = True
    reason: str | None = None
    meant_for: str | None = None
    refusals: tuple[str, ...] = field(default=(), compare=False)
    run_id: str | None = field(default=None, compare=False)
    run_url: str | None = field(default=None, compare=False)


def sync_folders(
    destination: Destination, *, uri: str | None = None
) -> Iterator[Synced]:
    """Sends what the store lacks of all jobs and sweeps, a sweep before its jobs.

    A folder is sent to the configured store if it was meant for that, or was sent there
    before; else nowhere: it may come from elsewhere, and its records do not choose an
    address.

    Args:
        destination: Folder of all of them, and the configured store.
        uri: Where to send everything instead.

    Yields:
        An item for each folder that had something to do.
    """
    output_dir = destination.output_dir
    absent: dict[str, str] = {}  # a store that gave no answer is not asked again
    for folder in find_folders(output_dir):
        spool = Spool(folder, output_dir)
        try:
            refuse_newer_in(folder)
            if not spool.own():
                yield from _describe_living(spool)
                continue
            entries = settle_left(spool)
            if not entries:
                continue
            meant_for = read_address(entries)
            if not (uri or belongs(spool, meant_for, destination)):
                yield _describe_foreign(spool, entries, destination.at(meant_for))
                continue
            courier = Courier(spool, entries, destination=destination, uri=uri)
            for row in _sync(courier, spool, entries, absent):
                yield row if uri else _name_run(row, courier)
        except (TrackingError, NewerRecordError) as error:
            # Its journal cannot be read: how many records wait is unknown.
            yield Synced(folder=folder, unsent=1, reason=str(error))
        finally:
            spool.disown()


def send_planned(destination: Destination, run_ids: Collection[str]) -> None:
    """Sends what runs lack whose process died before their settings were final.

    Args:
        destination: The store that has the runs, and the folder of all jobs; others
            are not looked for.
        run_ids: Of the runs.

    Raises:
        TrackingError: A journal cannot be read.
    """
    for spool, _ in find_claims(destination.output_dir, set(run_ids).__contains__):
        with suppress(NewerRecordError):  # whoever has that release sends them
            _send_planned(spool, destination)


def _send_planned(spool: Spool, destination: Destination) -> None:
    if not has_planned(spool) or not spool.own():
        return
    try:
        entries = settle_left(spool)
        if belongs(spool, read_address(entries), destination):
            courier = Courier(spool, entries, destination=destination)
            list(_sync(courier, spool, entries, absent={}))
    finally:
        spool.disown()


def read_address(entries: list[Entry]) -> str | None:
    """Returns where the last process wanted its records to go."""
    if not entries:
        return None
    address: str | None = find_opening(entries[::-1]).content["target"]["uri"]
    return address


def belongs(spool: Spool, meant_for: str | None, destination: Destination) -> bool:
    """Tells whether the records of a folder may be sent somewhere."""
    return is_same_store(destination.at(meant_for), destination) or spool.has_run(
        locate(destination).name, surely=True
    )


def _describe_foreign(
    spool: Spool, entries: list[Entry], meant_for: Destination
) -> Synced:
    try:
        location = locate(meant_for)
    except TrackingError:
        address, sent = str(meant_for.uri), 0
    else:
        address = location.uri
        sent = spool.read_sent(spool.read_run_id(location.name))
    return Synced(
        folder=spool.job_folder,
        unsent=max(0, len(entries) - sent),
        asked=False,
        meant_for=address,
    )


def _describe_living(spool: Spool) -> Iterator[Synced]:
    entries = read_entries(spool.journal)
    unsent = len(entries) - spool.read_sent(spool.read_run_id())
    if unsent > 0:
        reason = "its process is running and sends them"
        yield Synced(folder=spool.job_folder, unsent=unsent, reason=reason)


def _sync(
    courier: Courier, spool: Spool, entries: list[Entry], absent: dict[str, str]
) -> Iterator[Synced]:
    store = courier.location.uri
    reason = absent.get(store)
    asked = False
    try:
        if reason is None:
            courier.connect()  # finds out what is unsent
            asked = True
            while courier.unsent:
                courier.send_next()
            if not _is_closed(entries):
                _close(courier)
    except DeletedRunError as error:
        # What somebody has deleted stays so; only a run that lacks something waits.
        asked = True
        reason = str(error) if courier.unsent else None
    except TrackingError as error:
        reason = str(error)
        if courier.connection is None:
            absent[store] = reason
    if not asked and not courier.unsent and not spool.has_run(courier.location.name):
        return  # it was sent to another address, and has never been at this one
    if courier.unsent or courier.delivered or reason is not None:
        yield Synced(
            folder=spool.job_folder,
            sent=courier.delivered - courier.refused,
            refused=courier.refused,
            unsent=courier.unsent,
            asked=asked,
            reason=reason,
            refusals=tuple(courier.refusals),
        )


def _name_run(row: Synced, courier: Courier) -> Synced:
    return replace(row, run_id=courier.run_id, run_url=courier.run_url)


def _is_closed(entries: list[Entry]) -> bool:
    """Tells whether the last process closed the run."""
    return not entries or find_end(entries) is not None


def _close(courier: Courier) -> None:
    """Says of a run whose process has died that it did."""
    client, run_id = courier.connect().client, courier.run_id
    run = attempt(lambda: client.get_run(run_id), "read the run")
    if run.info.status == "RUNNING":
        attempt(lambda: client.set_tag(run_id, REASON, _ENDED), "close the run")
        attempt(lambda: client.set_terminated(run_id, "KILLED"), "close the run")
