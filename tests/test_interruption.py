import os
import signal
import threading
from collections.abc import Callable
from functools import partial

import pytest

from experiments.errors import Preempted
from experiments.interruption import SIGNALS, StopRequest, signals_as_requests


def test_nobody_asked_at_first() -> None:
    assert StopRequest().reason is None


def test_request_ends_the_job_at_once_when_nobody_listens() -> None:
    with pytest.raises(Preempted, match="SIGTERM"):
        StopRequest().request("SIGTERM")


def listen(stop: StopRequest, *happenings: Callable[[], object]) -> None:
    """Lets things happen while somebody listens."""
    with stop.listening():
        for happen in happenings:
            happen()


def receive(stop: StopRequest, *numbers: signal.Signals) -> None:
    """Gets signals while somebody listens."""
    with signals_as_requests(stop):
        listen(stop, *(partial(os.kill, os.getpid(), number) for number in numbers))


def test_listener_is_left_to_save_first() -> None:
    stop = StopRequest()
    seen = []

    with pytest.raises(Preempted, match="SIGTERM"):
        listen(stop, lambda: stop.request("SIGTERM"), lambda: seen.append(stop.reason))

    assert seen == ["SIGTERM"]


def test_first_reason_is_kept() -> None:
    stop = StopRequest()

    with pytest.raises(Preempted, match="SIGUSR2"):
        listen(stop, lambda: stop.request("SIGUSR2"), lambda: stop.request("SIGTERM"))


def test_listener_that_stops_itself_is_not_overruled() -> None:
    stop = StopRequest()

    def end() -> None:
        raise Preempted("saved")

    with pytest.raises(Preempted, match="saved"):
        listen(stop, lambda: stop.request("SIGTERM"), end)


def test_inner_listener_does_not_end_the_outer_one() -> None:
    stop = StopRequest()

    with stop.listening():
        with stop.listening():
            pass
        assert stop.reason is None


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (signal.SIGINT, "Ctrl-C"),
        (signal.SIGTERM, "SIGTERM"),
        (signal.SIGUSR2, "SIGUSR2"),
    ],
)
def test_signal_becomes_a_request(number: signal.Signals, reason: str) -> None:
    stop = StopRequest()

    with pytest.raises(Preempted, match=reason):
        receive(stop, number)

    assert stop.reason == reason


def test_second_ctrl_c_does_not_wait() -> None:
    with pytest.raises(KeyboardInterrupt):
        receive(StopRequest(), signal.SIGINT, signal.SIGINT)


def test_second_sigterm_still_waits_for_the_listener() -> None:
    with pytest.raises(Preempted, match="SIGTERM"):
        receive(StopRequest(), signal.SIGTERM, signal.SIGTERM)


def test_former_handlers_come_back() -> None:
    before = [signal.getsignal(number) for number in SIGNALS]

    with signals_as_requests(StopRequest()):
        assert [signal.getsignal(number) for number in SIGNALS] != before

    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_thread_leaves_the_signals_alone() -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    inside = []

    def work() -> None:
        with signals_as_requests(StopRequest()):
            inside.extend(signal.getsignal(number) for number in SIGNALS)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

    assert inside == before


@pytest.mark.parametrize("ignored", [True, False])
def test_closed_terminal_stops_what_was_not_started_by_nohup(ignored: bool) -> None:
    stop = StopRequest()
    former = signal.signal(signal.SIGHUP, signal.SIG_IGN if ignored else signal.SIG_DFL)
    try:
        if ignored:
            receive(stop, signal.SIGHUP)
        else:
            with pytest.raises(Preempted, match="SIGHUP"):
                receive(stop, signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, former)
    assert stop.reason == (None if ignored else "SIGHUP")
