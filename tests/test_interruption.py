import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest

from experiments.errors import Preempted
from experiments.interruption import (
    SIGNALS,
    StopRequest,
    signals_as_requests,
    time_limit,
    waiting,
)


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


def test_answer_says_what_a_stop_means_and_how_not_to_wait(capsys: Any) -> None:
    with pytest.raises(Preempted):
        receive(StopRequest("stopping after this step"), signal.SIGINT)

    answer = "Ctrl-C: stopping after this step. Once more stops now.\n"
    assert capsys.readouterr().err == answer


def test_signal_that_no_person_sent_is_answered_without_advice(capsys: Any) -> None:
    with pytest.raises(Preempted):
        receive(StopRequest("stopping after this step"), signal.SIGTERM, signal.SIGTERM)

    assert capsys.readouterr().err == "SIGTERM: stopping after this step.\n"


def test_answer_tells_what_becomes_of_the_rest_of_a_sweep(capsys: Any) -> None:
    whole = StopRequest("stopping between two jobs", rest="The others wait.")

    with signals_as_requests(whole), pytest.raises(Preempted):
        receive(StopRequest("stopping after this step"), signal.SIGINT)

    answer = "stopping after this step. The others wait. Once more stops now."
    assert answer in capsys.readouterr().err


def test_plan_of_a_listener_is_told_while_it_listens(capsys: Any) -> None:
    stop = StopRequest("stopping at once")

    with (
        signals_as_requests(stop),
        pytest.raises(Preempted),
        stop.listening("stopping soon"),
    ):
        os.kill(os.getpid(), signal.SIGINT)

    assert "Ctrl-C: stopping soon." in capsys.readouterr().err
    assert stop.plan == "stopping at once"


def test_ctrl_c_while_what_is_around_a_job_ends_is_the_second_one(capsys: Any) -> None:
    whole = StopRequest()

    with signals_as_requests(whole):
        with pytest.raises(Preempted):
            receive(StopRequest(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)

    assert whole.urgent
    assert capsys.readouterr().err.count("Stopping now.") == 1


def test_waiting_is_cut_short_and_what_waits_goes_on() -> None:
    stop = StopRequest()
    with signals_as_requests(stop), waiting("not waiting") as is_asked:
        before = is_asked()
        os.kill(os.getpid(), signal.SIGINT)
        after = is_asked()

    assert (before, after, stop.reason) == (False, True, "Ctrl-C")


def test_whoever_was_asked_before_still_waits_until_asked_again() -> None:
    stop = StopRequest()
    stop.note("Ctrl-C")

    with signals_as_requests(stop), waiting("not waiting") as is_asked:
        before = is_asked()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)

    assert (before, is_asked()) == (False, True)


def test_forked_process_has_its_signals_for_itself() -> None:
    with signals_as_requests(StopRequest()):
        child = os.fork()
        if child == 0:
            os._exit(0 if signal.set_wakeup_fd(-1) == -1 else 1)
        _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0


# So many rounds return to Python after hours; like a compilation they let other threads
# run, but no handler of signals. The one that says so comes to it when they have begun.
_BUSY = """
import hashlib, sys, threading
from experiments.interruption import StopRequest, signals_as_requests

def tell():
    begins.wait()
    print("ready", flush=True)

begins = threading.Event()
threading.Thread(target=tell).start()
with signals_as_requests(StopRequest("stopping after this step"), own_process={own}):
    sys.setswitchinterval(1000)
    try:
        begins.set()
        hashlib.pbkdf2_hmac("sha256", b"", b"", {rounds})
    except BaseException as stop:
        print(type(stop).__name__, flush=True)
"""


@contextmanager
def busy(*, own: bool, rounds: int) -> Iterator[subprocess.Popen[str]]:
    """Runs a process whose main thread returns to Python after a long time."""
    process = subprocess.Popen(
        [sys.executable, "-c", _BUSY.format(own=own, rounds=rounds)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_process_that_is_busy_answers_and_ends_at_the_second_ctrl_c() -> None:
    with busy(own=True, rounds=10**9) as process:
        assert process.stderr is not None
        process.send_signal(signal.SIGINT)
        assert process.stderr.readline().startswith("Ctrl-C: stopping after this step.")
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.stderr.readline().startswith("Stopping now.")
        assert process.wait(60) == 130


def test_process_of_somebody_else_is_not_ended() -> None:
    with busy(own=False, rounds=2 * 10**6) as process:
        assert process.stderr is not None
        process.send_signal(signal.SIGINT)
        process.stderr.readline()
        process.send_signal(signal.SIGINT)
        assert process.stderr.readline().startswith("Stopping now.")
        output, _ = process.communicate(timeout=120)
        assert output in ("Preempted\n", "KeyboardInterrupt\n")
        assert process.returncode == 0


def test_time_that_is_up_stops_what_waits() -> None:
    never = threading.Event()
    with (
        pytest.raises(Preempted, match=r"sweep\.max_hours=2"),
        signals_as_requests(StopRequest()),
        time_limit(0.01, "sweep.max_hours=2"),
    ):
        never.wait(60)


def test_time_that_is_up_lets_a_listener_save_first() -> None:
    stop, never = StopRequest(), threading.Event()

    def wait() -> None:
        while stop.reason is None:
            never.wait(0.01)

    with (
        pytest.raises(Preempted, match="time is up"),
        signals_as_requests(stop),
        time_limit(0.01, "time is up"),
    ):
        listen(stop, wait)
    assert stop.reason == "time is up"


def test_time_that_suffices_stops_nothing() -> None:
    stop = StopRequest()
    with signals_as_requests(stop), time_limit(3600, "late"):
        pass
    with signals_as_requests(stop), time_limit(None, "never"):
        pass
    assert stop.reason is None


def test_signal_of_somebody_else_keeps_its_name_within_a_limit() -> None:
    with time_limit(3600, "late"), pytest.raises(Preempted, match="SIGUSR2"):
        receive(StopRequest(), signal.SIGUSR2)
