"""Brings the entries of a journal into MLflow in order and knows how far it got."""

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from experiments.config.kinds.destination import Destination
from experiments.errors import TrackingError
from experiments.tracking.sending.delivery import Delivery
from experiments.tracking.sending.holding import holds
from experiments.tracking.spool.journal import END, Entry, find_opening
from experiments.tracking.spool.spool import Spool
from experiments.tracking.store.client import URI, Connection, connect
from experiments.tracking.store.failures import is_refusal, summarise
from experiments.tracking.store.links import Location, locate, run_url
from experiments.tracking.store.outage import describe_outage
from experiments.tracking.store.runs.claimed_run import ClaimedRun
from experiments.tracking.store.runs.reconcile import reconcile_stale_runs

_LOGGER = logging.getLogger(__name__)


class Courier:
    """Sends what a journal holds and MLflow does not yet.

    Args:
        spool: The run's records.
        entries: Those of its journal; may grow.
        destination: The store. A journal that came from elsewhere does not choose whom
            to send to; only the name of the experiment is its own.
        uri: Another store than the one that the entries were meant for.
        on_closed: Gets the runs of dead processes that were closed by the way.
    """

    def __init__(
        self,
        spool: Spool,
        entries: list[Entry],
        *,
        destination: Destination,
        uri: str | None = None,
        on_closed: Callable[[list[str]], None] | None = None,
    ) -> None:
        self._configured = destination
        self._spool = spool
        self._entries = entries
        self._uri = uri
        self._on_closed = on_closed
        self.run_id = spool.read_run_id(self.location.name)
        self.experiment_id: str | None = None
        self.sent = self._read_sent(self.run_id)
        self.delivered = 0
        self.refusals: list[str] = []
        self.connection: Connection | None = None
        self._delivery: Delivery | None = None
        self._reconciled = False

    @property
    def unsent(self) -> int:
        """Entries that wait."""
        return len(self._entries) - self.sent

    @property
    def refused(self) -> int:
        """Entries that MLflow does not accept, or that name what may not be sent."""
        return len(self.refusals)

    @property
    def location(self) -> Location:
        """The store."""
        return locate(self._destination)

    @property
    def run_url(self) -> str | None:
        """Address of the run's page; `None` before MLflow was reached."""
        connection, experiment_id = self.connection, self.experiment_id
        if connection is None or experiment_id is None or self.run_id is None:
            return None
        return run_url(connection.pages, experiment_id, self.run_id)

    def connect(self) -> Connection:
        """Returns the open store, in which the run exists.

        What was sent and is not in the store any more counts as unsent from here on.

        Raises:
            TrackingError: It cannot be reached.
        """
        return self._reach().connection

    def send_next(self) -> None:
        """Sends one entry; one that MLflow refuses is noted and left behind.

        Raises:
            TrackingError: MLflow takes nothing at present.
        """
        delivery = self._reach()
        if not self.unsent:
            return
        if not self._reconciled:
            self._reconcile(delivery)
        entry = self._entries[self.sent]
        try:
            delivery.deliver(entry)
        except Exception as error:
            if not is_refusal(error):
                # The next attempt looks at everything anew: the store may be another.
                self._delivery = None
                raise TrackingError(self._explain(error)) from error
            self._note_refusal(entry, summarise(error))
        self.sent += 1
        self.delivered += 1
        self._spool.write_sent(delivery.run_id, self.sent)
        if entry.kind == END:
            # A sweep that is over leaves no run of a killed job RUNNING.
            self._reconcile(delivery)

    @property
    def _destination(self) -> Destination:
        recorded = find_opening(self._entries[::-1]).content["target"]
        own = replace(self._configured, experiment=recorded["experiment"])
        return own if self._uri is None else own.at(self._uri)

    def _reach(self) -> Delivery:
        try:
            return self._delivery or self._connect()
        except TrackingError as error:
            raise type(error)(self._explain(error)) from error
        except Exception as error:
            raise TrackingError(self._explain(error)) from error

    def _explain(self, error: Exception) -> str:
        """Returns why nothing is sent, with the address of a server that is away."""
        location = self.location
        uri = location.uri if location.database is None else None
        if outage := describe_outage(error, uri):
            return outage
        if isinstance(error, TrackingError):
            return str(error).removeprefix(URI).rstrip(".")
        return summarise(error)

    def _connect(self) -> Delivery:
        self.connection = connect(self._destination)
        opening = find_opening(self._entries)
        delivery = Delivery(self.connection, self._spool, opening)
        self._take_run(delivery.run)
        self._delivery = delivery
        return delivery

    def _take_run(self, run: ClaimedRun) -> None:
        """Finds out how far this run got, by asking rather than by memory alone."""
        former, count = self.run_id, self.sent
        self.run_id, self.experiment_id = run.run_id, run.experiment_id
        if former != run.run_id:
            self.sent = self._read_sent(run.run_id)
            if count and self._uri is None:
                _LOGGER.warning(
                    "MLflow has no run %s any more; all of its records are sent again.",
                    former,
                )
        if self.sent and not holds(run.former, self._entries, self.sent, self._spool):
            self.sent = 0
            _LOGGER.warning(
                "MLflow's run %s lacks what it had; all of its records are sent again.",
                run.run_id,
            )

    def _read_sent(self, run_id: str | None) -> int:
        """Returns how many entries a run holds; more than there are means nothing."""
        sent = self._spool.read_sent(run_id)
        return sent if sent <= len(self._entries) else 0

    def _reconcile(self, delivery: Delivery) -> None:
        with suppress(TrackingError):  # the next run tries again
            closed = reconcile_stale_runs(delivery.connection, spare=delivery.run_id)
            if closed and self._on_closed is not None:
                self._on_closed(closed)
        self._reconciled = True

    def _note_refusal(self, entry: Entry, reason: str) -> None:
        self.refusals.append(f"line {entry.number + 1} ({entry.kind}): {reason}")
        line = {"line": entry.number + 1, "kind": entry.kind, "reason": reason}
        self._spool.note_refusal(line)
        _LOGGER.warning(
            "A record is refused (line %d, %s): %s. It stays in %s.",
            entry.number + 1,
            entry.kind,
            reason,
            self._spool.journal,
        )
