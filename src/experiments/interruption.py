"""How a running job is asked to stop, what it answers, and what it does about it.

The first signal asks: training saves its state at the next step and ends. Outside of
training there is nothing to save, so the job ends at once. A second Ctrl-C does not
wait for anything.

The answer comes from a thread of its own. Python hands a signal to its main thread
only between two of its own instructions, and a step that is being compiled, or an
answer of a server that is awaited, lets minutes pass between them.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from experiments.errors import Preempted

# SLURM sends SIGUSR2 ahead of a time limit: sbatch --signal=USR2@120. SIGHUP comes when
# a terminal is closed.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR2, signal.SIGHUP)
_OWN_SIGNAL = signal.SIGUSR2  # by which this process asks itself
_reasons: list[str] = []  # why it does
# What tells why somebody has sent a SIGTERM, where that is written down.
_explanations: list[Callable[[], str | None]] = []

# What a second Ctrl-C leaves for closing files; then the process ends in the middle of
# whatever it is in, as one that is killed does.
GRACE_SECONDS = 3.0
_STOPPED_AT_ONCE = 130
_SHOW_CURSOR = b"\x1b[?25h"  # a live display hides it


class StopRequest:
    """Carries the wish to stop from a signal handler to the training loop.

    Args:
        plan: What a stop means at first, see `plan`.
        rest: What it means for whatever comes after, such as other jobs of a sweep;
            a sentence, or nothing.

    Attributes:
        plan: What a stop means at this moment, a part of a sentence that is shown to
            whoever asks.
        urgent: Whether somebody will not even wait for that.
    """

    def __init__(self, plan: str = "stopping at once", *, rest: str = "") -> None:
        self.plan = plan
        self.urgent = False
        self._rest = rest
        self._reason: str | None = None
        self._listeners = 0

    @property
    def reason(self) -> str | None:
        """Why to stop, in words such as `SIGTERM`; `None` while nobody asked."""
        return self._reason

    @property
    def rest(self) -> str:
        """What a stop means for whatever comes after."""
        return self._rest

    def request(self, reason: str) -> None:
        """Asks to stop.

        Args:
            reason: In words; the first one is kept.

        Raises:
            Preempted: At once, when nothing listens that could save a state first.
        """
        self.note(reason)
        if not self._listeners:
            raise Preempted(reason)

    def note(self, reason: str) -> None:
        """Remembers why to stop, for whoever asks; the first reason is kept."""
        self._reason = self._reason or reason

    @contextmanager
    def listening(
        self, plan: str | None = None, *, ends: bool = True
    ) -> Iterator[None]:
        """Within the block somebody looks at `reason` at every step.

        Args:
            plan: What a stop means in the block; `None` changes nothing.
            ends: Whether the job ends with the block where somebody has asked in it;
                otherwise only the block is cut short.

        Raises:
            Preempted: On leaving, when the wish came too late for the listener.
        """
        former = self.plan
        self.plan = former if plan is None else plan
        self._listeners += 1
        try:
            yield
        finally:
            self._listeners -= 1
            self.plan = former
        if ends and self._reason is not None:
            raise Preempted(self._reason)


class _Hearing:
    """Hears signals for whatever runs now, the innermost of several requests."""

    def __init__(self) -> None:
        self._stops: list[StopRequest] = []
        self._answered = _NOTHING
        self._lock = threading.RLock()  # a signal may come while one is answered
        self._pipe: tuple[int, int] | None = None
        self._thread: threading.Thread | None = None
        self._former_descriptor = -1
        self._left = threading.Event()
        self._may_exit = False

    @contextmanager
    def on_behalf_of(self, stop: StopRequest, *, own_process: bool) -> Iterator[None]:
        """Hears for `stop` within the block."""
        outermost = not self._stops
        self._stops.append(stop)
        if outermost:
            self._listen(own_process=own_process)
        try:
            yield
        finally:
            self._stops.pop()
            if outermost:
                self._end()
            elif stop.reason is not None:
                # Whoever presses Ctrl-C while what is around it is being closed does
                # so for the second time.
                self._stops[-1].note(stop.reason)

    def receive(self, number: int, frame: FrameType | None) -> None:
        """Is called by Python, in its main thread, when it gets to it.

        Raises:
            Preempted: See `StopRequest.request`.
            KeyboardInterrupt: It is a second Ctrl-C.
        """
        stop = self._stops[-1]
        again = number == signal.SIGINT and stop.reason is not None
        self._answer(number, again=again)
        if again:
            raise KeyboardInterrupt
        stop.request(_name(number))

    def innermost(self) -> StopRequest:
        """Returns the request of what runs now; one that nobody makes without any."""
        stops = list(self._stops)
        return stops[-1] if stops else StopRequest()

    def forget(self) -> None:
        """Leaves the signals of a forked process to itself."""
        if self._pipe is not None:
            signal.set_wakeup_fd(-1)
            for descriptor in self._pipe:
                os.close(descriptor)
            self._pipe = self._thread = None

    def _listen(self, *, own_process: bool) -> None:
        self._may_exit, self._answered = own_process, _NOTHING
        self._left.clear()
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        self._pipe = reader, writer
        self._former_descriptor = signal.set_wakeup_fd(
            writer, warn_on_full_buffer=False
        )
        self._thread = threading.Thread(
            target=self._follow, args=(reader,), name="signals", daemon=True
        )
        self._thread.start()

    def _end(self) -> None:
        if self._pipe is None or self._thread is None:  # in a process that was forked
            return
        self._left.set()
        signal.set_wakeup_fd(self._former_descriptor)
        reader, writer = self._pipe
        os.write(writer, _THE_END)
        self._thread.join()
        os.close(reader)
        os.close(writer)
        self._pipe = self._thread = None

    def _follow(self, reader: int) -> None:
        """Answers each signal at once, whatever the main thread is in."""
        was_asked = False
        while (byte := os.read(reader, 1)) != _THE_END:
            if byte[0] not in SIGNALS:
                continue
            again = byte[0] == signal.SIGINT and was_asked
            was_asked = True
            self._answer(byte[0], again=again)
            if again and self._may_exit and not self._left.wait(GRACE_SECONDS):
                _exit()

    def _answer(self, number: int, *, again: bool) -> None:
        """Says what will happen; only the first of thread and handler does."""
        with self._lock:
            stops = list(self._stops)
            level = _URGENT if again else _ASKED
            if not stops or level <= self._answered:
                return
            self._answered = level
            if again:
                for stop in stops:
                    stop.urgent = True
        text = _STOPPING_NOW if again else _describe(number, stops)
        # One piece: others print too.
        print(f"{text}\n", end="", file=sys.stderr, flush=True)


_NOTHING, _ASKED, _URGENT = range(3)
_THE_END = b"\0"  # no signal has the number 0
_STOPPING_NOW = "Stopping now. The same command continues from what is saved."
_hearing = _Hearing()
os.register_at_fork(after_in_child=_hearing.forget)


@contextmanager
def signals_as_requests(
    stop: StopRequest, *, own_process: bool = True
) -> Iterator[None]:
    """Turns SIGINT, SIGTERM, SIGUSR2 and SIGHUP into requests to stop within the block.

    Each is answered at once on standard error. SIGHUP stays ignored where `nohup` has
    said so. Does nothing in a thread other than the main one, which gets no signals.

    Args:
        stop: Receives the requests.
        own_process: Whether a second Ctrl-C may end the process `GRACE_SECONDS` later
            in whatever it is in; not that of a notebook.

    Raises:
        KeyboardInterrupt: On a second Ctrl-C.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    with _hearing.on_behalf_of(stop, own_process=own_process):
        former = {
            number: signal.signal(number, _hearing.receive)
            for number in SIGNALS
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN
        }
        try:
            yield
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)


@contextmanager
def waiting(plan: str) -> Iterator[Callable[[], bool]]:
    """Waits within the block for something that a stop only cuts short.

    Args:
        plan: As `StopRequest.plan`.

    Yields:
        Tells whether somebody has asked to stop since, or will not wait at all.
    """
    stop = _hearing.innermost()
    asked_before = stop.reason is not None
    with stop.listening(plan, ends=False):
        yield lambda: stop.urgent or (not asked_before and stop.reason is not None)


@contextmanager
def time_limit(seconds: float | None, reason: str) -> Iterator[None]:
    """Asks whatever this process does in the block to stop when its time is up.

    As a signal does, within `signals_as_requests`: what trains saves its state.

    Args:
        seconds: From now on; `None` for no limit.
        reason: Why to stop, in words.
    """
    if seconds is None:
        yield
        return
    main = threading.main_thread().ident or 0

    def ask() -> None:
        _reasons.append(reason)
        signal.pthread_kill(main, _OWN_SIGNAL)

    timer = threading.Timer(seconds, ask)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        _reasons.clear()


def explain_termination(find_reason: Callable[[], str | None]) -> None:
    """Lets this process say why it was sent a SIGTERM, in the place of its name.

    Args:
        find_reason: Returns why, in words; `None` where it does not know.
    """
    _explanations[:] = [find_reason]


def _name(number: int) -> str:
    if number == _OWN_SIGNAL and _reasons:
        return _reasons[-1]
    if number == signal.SIGTERM:
        for find_reason in _explanations:
            if (reason := find_reason()) is not None:
                return reason
    return "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name


def _describe(number: int, stops: Sequence[StopRequest]) -> str:
    """Returns what a first signal leads to, and what a second one would."""
    sentences = [f"{_name(number)}: {stops[-1].plan}."]
    sentences += [stop.rest for stop in stops if stop.rest]
    if number == signal.SIGINT:
        sentences.append("Once more stops now.")
    return " ".join(sentences)


def _exit() -> NoReturn:
    """Ends the process where it is; nothing may be waited for, a lock neither."""
    if os.isatty(1):
        os.write(1, _SHOW_CURSOR)
    os._exit(_STOPPED_AT_ONCE)
