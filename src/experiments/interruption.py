"""How a running job is asked to stop, and what it does about it.

The first signal asks: training saves its state at the next step and ends. Outside of
training there is nothing to save, so the job ends at once. A second Ctrl-C does not
wait for anything.
"""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from experiments.errors import Preempted

# SLURM sends SIGUSR2 ahead of a time limit: sbatch --signal=USR2@120. SIGHUP comes when
# a terminal is closed.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR2, signal.SIGHUP)


class StopRequest:
    """Carries the wish to stop from a signal handler to the training loop."""

    def __init__(self) -> None:
        self._reason: str | None = None
        self._listeners = 0

    @property
    def reason(self) -> str | None:
        """Why to stop, in words such as `SIGTERM`; `None` while nobody asked."""
        return self._reason

    def request(self, reason: str) -> None:
        """Asks to stop.

        Args:
            reason: In words; the first one is kept.

        Raises:
            Preempted: At once, when nothing listens that could save a state first.
        """
        self._reason = self._reason or reason
        if not self._listeners:
            raise Preempted(self._reason)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Within the block somebody looks at `reason` at every step.

        Raises:
            Preempted: On leaving, when the wish came too late for the listener.
        """
        self._listeners += 1
        try:
            yield
        finally:
            self._listeners -= 1
        if self._reason is not None:
            raise Preempted(self._reason)


@contextmanager
def signals_as_requests(stop: StopRequest) -> Iterator[None]:
    """Turns SIGINT, SIGTERM, SIGUSR2 and SIGHUP into requests to stop within the block.

    SIGHUP stays ignored where `nohup` has said so. Does nothing in a thread other than
    the main one, which gets no signals.

    Args:
        stop: Receives the requests.

    Raises:
        KeyboardInterrupt: On a second Ctrl-C.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def receive(number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT and stop.reason is not None:
            raise KeyboardInterrupt
        name = signal.Signals(number).name
        stop.request("Ctrl-C" if number == signal.SIGINT else name)

    former = {
        number: signal.signal(number, receive)
        for number in SIGNALS
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def show_stopping() -> None:
    """Tells why the prompt does not come back at once."""
    print(
        "Stopping: what runs saves its state first. A second Ctrl-C does not wait.",
        file=sys.stderr,
    )
