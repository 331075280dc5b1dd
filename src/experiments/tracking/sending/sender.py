"""Sends a run's records in the background, with patience."""

import logging
import threading
import time
from collections.abc import Callable

from experiments.errors import TrackingError
from experiments.tracking.sending.courier import Courier
from experiments.tracking.spool.spool import Spool

_LOGGER = logging.getLogger(__name__)

_DELAYS = (1.0, 2.0, 5.0, 10.0, 30.0)  # seconds before another attempt; the last stays
_DELAY_AT_THE_END = 0.5
_OWNER_SECONDS = 0.5
_JOIN_SECONDS = 1.0
_LOOK_SECONDS = 0.2  # between two looks whether to go on waiting


class Sender:
    """A thread that keeps trying until everything is sent or it is told to end.

    Args:
        courier: Sends one entry.
        spool: What it sends from.
        warn: Tells a person that sending fails, and why.
        owned: Whether this process holds the spool's lock already.
    """

    def __init__(
        self,
        courier: Courier,
        spool: Spool,
        *,
        warn: Callable[[str], None],
        owned: bool,
    ) -> None:
        self.problem: str | None = None
        self._courier = courier
        self._spool = spool
        self._warn = warn
        self._owned = owned
        self._failures = 0
        self._ending = self._ended = False
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Starts the thread, once."""
        if self._thread is None and not self._ended:
            # A daemon: a server that is silent must not keep the process alive.
            self._thread = threading.Thread(
                target=self._run, name="tracking", daemon=True
            )
            self._thread.start()

    def notify(self) -> None:
        """Says that there is a new entry."""
        with self._changed:
            self._changed.notify_all()

    def drain(
        self, seconds: float, *, give_up: Callable[[], bool] = lambda: False
    ) -> None:
        """Ends the thread when all is sent, when time is up, or when it is in vain.

        It is in vain when sending failed before and fails once more now.

        Args:
            seconds: How long to wait at most.
            give_up: Asked while waiting; ends it.
        """
        self.start()
        deadline = time.monotonic() + seconds
        with self._changed:
            before, self._ending = self._failures, True
            self._changed.notify_all()
            while self._courier.unsent and (left := deadline - time.monotonic()) > 0:
                if give_up() or (before and self._failures > before):
                    break
                self._changed.wait(min(left, _LOOK_SECONDS))
            if self._courier.unsent and self.problem is None:
                self.problem = (
                    f"MLflow was too slow for {seconds:.3g} s"
                    if time.monotonic() >= deadline
                    else "the wait for MLflow was cut short"
                )
            self._ended = True
            self._changed.notify_all()
        if self._thread is not None:
            # So that others may send; one that waits for an answer is left behind.
            self._thread.join(timeout=_JOIN_SECONDS)

    def _run(self) -> None:
        try:
            if self._wait_to_own():
                while self._wait_for_entry():
                    self._send()
        finally:
            self._spool.disown()
            self.notify()

    def _wait_to_own(self) -> bool:
        """Waits for another sender of the same records, such as `task=sync`."""
        while not self._owned and not self._spool.own():
            with self._changed:
                if self._ended:
                    self.problem = "another process is sending its records"
                    return False
                self._changed.wait(_OWNER_SECONDS)
        return True

    def _wait_for_entry(self) -> bool:
        with self._changed:
            while not self._ended and not self._courier.unsent:
                self._changed.wait()
            return not self._ended

    def _send(self) -> None:
        try:
            self._courier.send_next()
        except TrackingError as error:
            self._note_failure(str(error))
        else:
            self._note_success()

    def _note_failure(self, reason: str) -> None:
        if self.problem is None:
            self._warn(reason)
        with self._changed:
            self.problem = reason
            delay = _DELAYS[min(self._failures, len(_DELAYS) - 1)]
            self._failures += 1
            self._changed.notify_all()
            if self._ending:
                self._changed.wait_for(lambda: self._ended, _DELAY_AT_THE_END)
            else:
                self._changed.wait_for(lambda: self._ending, delay)

    def _note_success(self) -> None:
        with self._changed:
            if self.problem is not None and not self._ended:
                _LOGGER.info("MLflow takes records again.")
                self.problem, self._failures = None, 0
            if not self._courier.unsent:
                self._changed.notify_all()
