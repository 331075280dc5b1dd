"""Sends what a store lacks of runs, long after their processes have ended."""

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from experiments.errors import TrackingError
from experiments.tracking.client import attempt
from experiments.tracking.courier import Courier
from experiments.tracking.journal import Entry, read_entries
from experiments.tracking.planned import has_planned, settle_left
from experiments.tracking.reconcile import REASON
from experiments.tracking.runs import DeletedRunError
from experiments.tracking.spool import FOLDER, Spool

_NOT_ENTERED = {"artifacts", "checkpoints"}
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
        run_id: Of the run in its own store; `None` in another one.
        run_url: Address of the run's page.
    """

    folder: Path
    sent: int = 0
    refused: int = 0
    unsent: int = 0
    asked: bool = True
    reason: str | None = None
    run_id: str | None = field(default=None, compare=False)
    run_url: str | None = field(default=None, compare=False)


def sync_folders(output_dir: Path, *, uri: str | None = None) -> Iterator[Synced]:
    """Sends what the store lacks of all jobs and sweeps, a sweep before its jobs.

    Args:
        output_dir: Folder of all of them, and of the embedded database.
        uri: Where to send instead of where the records were meant to go.

    Yields:
        An item for each folder that had something to do.
    """
    absent: dict[str, str] = {}  # a store that gave no answer is not asked again
    for folder in find_folders(output_dir):
        spool = Spool(folder)
        if not spool.own():
            yield from _describe_living(spool)
            continue
        try:
            entries = settle_left(spool)
            if entries:
                courier = Courier(spool, entries, output_dir=output_dir, uri=uri)
                for row in _sync(courier, spool, entries, absent):
                    yield row if uri else _name_run(row, courier)
        except TrackingError as error:
            # Its journal cannot be read: how many records wait is unknown.
            yield Synced(folder=folder, unsent=1, reason=str(error))
        finally:
            spool.disown()


def send_planned(output_dir: Path, run_ids: Collection[str]) -> None:
    """Sends what runs lack whose process died before their settings were final.

    Args:
        output_dir: Folder of all jobs; others are not looked for.
        run_ids: Of the runs.

    Raises:
        TrackingError: A journal cannot be read.
    """
    for folder in find_folders(output_dir):
        spool = Spool(folder)
        known = not set(run_ids).isdisjoint(spool.list_run_ids())
        if not known or not has_planned(spool) or not spool.own():
            continue
        try:
            entries = settle_left(spool)
            courier = Courier(spool, entries, output_dir=output_dir)
            list(_sync(courier, spool, entries, absent={}))
        finally:
            spool.disown()


def find_folders(output_dir: Path) -> list[Path]:
    """Returns the folders below `output_dir` that hold records, outer ones first."""
    found = []
    for path, folders, _ in os.walk(output_dir):
        if FOLDER in folders and Spool(Path(path)).journal.is_file():
            found.append(Path(path))
        folders[:] = [name for name in folders if name not in {*_NOT_ENTERED, FOLDER}]
    return sorted(found, key=lambda folder: (len(folder.parts), folder))


def _describe_living(spool: Spool) -> Iterator[Synced]:
    entries = read_entries(spool.journal)
    unsent = len(entries) - spool.read_sent(spool.read_run_id())
    if unsent:
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
        )


def _name_run(row: Synced, courier: Courier) -> Synced:
    return replace(row, run_id=courier.run_id, run_url=courier.run_url)


def _is_closed(entries: list[Entry]) -> bool:
    """Tells whether the last process closed the run."""
    return not entries or entries[-1].kind == "end"


def _close(courier: Courier) -> None:
    """Says of a run whose process has died that it did."""
    client, run_id = courier.connect().client, courier.run_id
    run = attempt(lambda: client.get_run(run_id), "read the run")
    if run.info.status == "RUNNING":
        attempt(lambda: client.set_tag(run_id, REASON, _ENDED), "close the run")
        attempt(lambda: client.set_terminated(run_id, "KILLED"), "close the run")
