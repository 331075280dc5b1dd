"""Brings the entries of a journal into MLflow in order and knows how far it got."""

import json
import logging
from contextlib import suppress
from pathlib import Path
from typing import Any

from experiments.errors import TrackingError
from experiments.tracking.client import Connection, connect
from experiments.tracking.delivery import Delivery
from experiments.tracking.failures import is_refusal, summarise
from experiments.tracking.journal import Entry, find_opening
from experiments.tracking.links import locate
from experiments.tracking.reconcile import reconcile_stale_runs
from experiments.tracking.spool import Spool

_LOGGER = logging.getLogger(__name__)


class Courier:
    """Sends what a journal holds and MLflow does not yet.

    Args:
        spool: The run's records.
        entries: Those of its journal; may grow.
        output_dir: Folder of the embedded database.
        uri: Another store than the one that the entries were meant for.
    """

    def __init__(
        self,
        spool: Spool,
        entries: list[Entry],
        *,
        output_dir: Path,
        uri: str | None = None,
    ) -> None:
        self.run_id = spool.read_run_id()
        self.sent = spool.read_sent(self.run_id)
        self.refused = 0
        self.connection: Connection | None = None
        self._spool = spool
        self._entries = entries
        self._output_dir = output_dir
        self._uri = uri
        self._delivery: Delivery | None = None

    @property
    def unsent(self) -> int:
        """Entries that wait."""
        return len(self._entries) - self.sent

    @property
    def store(self) -> str:
        """Address of the store."""
        return locate(self._target["uri"], self._output_dir).uri

    def connect(self) -> Connection:
        """Returns the open store, in which the run exists.

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
        entry = self._entries[self.sent]
        try:
            delivery.deliver(entry)
        except Exception as error:
            if not is_refusal(error):
                # The next attempt looks at everything anew: the store may be another.
                self._delivery = None
                raise TrackingError(summarise(error)) from error
            self._note_refusal(entry, summarise(error))
        self.sent += 1
        self._spool.write_sent(delivery.run_id, self.sent)
        if entry.kind == "end":
            # A sweep that is over leaves no run of a killed job RUNNING.
            self._reconcile(delivery)

    @property
    def _target(self) -> dict[str, Any]:
        """Where the last session wanted its records to go, as `connect` takes it."""
        target = dict(find_opening(self._entries[::-1]).content["target"])
        return target if self._uri is None else {**target, "uri": self._uri}

    def _reach(self) -> Delivery:
        try:
            return self._delivery or self._connect()
        except Exception as error:
            raise TrackingError(summarise(error)) from error

    def _connect(self) -> Delivery:
        connection = connect(output_dir=self._output_dir, **self._target)
        delivery = Delivery(connection, self._spool, find_opening(self._entries))
        first = self.connection is None
        self.connection, self._delivery = connection, delivery
        if delivery.run_id != self.run_id:
            self._change_run(delivery.run_id)
        if first:
            self._reconcile(delivery)
        return delivery

    def _reconcile(self, delivery: Delivery) -> None:
        if self.connection is not None:
            with suppress(TrackingError):  # the next run tries again
                reconcile_stale_runs(self.connection, spare=delivery.run_id)

    def _change_run(self, run_id: str) -> None:
        if self.sent:
            _LOGGER.warning(
                "MLflow has no run %s any more; all of its records are sent again.",
                self.run_id,
            )
        self.run_id, self.sent = run_id, self._spool.read_sent(run_id)

    def _note_refusal(self, entry: Entry, reason: str) -> None:
        self.refused += 1
        line = {"line": entry.number + 1, "kind": entry.kind, "reason": reason}
        with suppress(OSError), self._spool.refused.open("a") as file:
            file.write(json.dumps(line) + "\n")
        _LOGGER.warning(
            "MLflow refuses a record (%s): %s. It stays in %s.",
            entry.kind,
            reason,
            self._spool.journal,
        )
