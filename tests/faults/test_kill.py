"""A job that is killed and started again ends as if nobody had disturbed it."""

import random
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from tests.faults.conftest import Command, assert_same_end, read_runs

# The last thing that a process does, by the audit event of it.
PLACES = {
    "opening a checkpoint": "open:checkpoints/",
    "naming a checkpoint": "os.rename:checkpoints/",
    "opening the journal's files": "open:/tracking/",
    "naming the tracker's progress": "os.rename:/tracking/",
    "opening the database": "sqlite3.connect:mlflow.db",
    "naming the result": "os.rename:result.",
}


def kill_randomly(command: Command, generator: random.Random, seconds: float) -> str:
    """Starts the job and kills it at a random moment; returns how."""
    place = generator.choice([*PLACES, "SIGTERM", "SIGKILL", "SIGKILL"])
    if place in PLACES:
        process = command.start(f"{PLACES[place]}:{generator.randint(1, 30)}")
        process.communicate(timeout=280)
        return f"{place}, exit code {process.returncode}"
    process = command.start()
    wait = generator.uniform(0, seconds)
    with_signal(process, getattr(signal, place), wait)
    return f"{place} after {wait:.1f} s, exit code {process.returncode}"


def with_signal(process: subprocess.Popen[str], number: int, wait: float) -> None:
    with suppress(subprocess.TimeoutExpired):
        process.wait(wait)
    process.send_signal(number)
    _, errors = process.communicate(timeout=120)
    assert process.returncode in (0, 75, -number), errors
    assert "Traceback" not in errors


def check_chain(
    command: Command, expected: Any, generator: random.Random, kills: int
) -> None:
    """Kills the job again and again, lets it end and compares."""
    for _ in range(kills):
        print(kill_randomly(command, generator, expected.seconds))
    done = command.finish()
    assert done.returncode == 0, done.stderr
    assert_same_end(command, expected)


def test_job_killed_five_times_in_a_row_ends_the_same(
    job: Callable[..., Command], uninterrupted: Command, generator: random.Random
) -> None:
    check_chain(job(), uninterrupted, generator, kills=5)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("chain", range(5))
def test_job_killed_twenty_five_times_ends_the_same(
    job: Callable[..., Command],
    uninterrupted: Command,
    generator: random.Random,
    chain: int,
) -> None:
    generator.seed(generator.random() + chain)
    check_chain(job(), uninterrupted, generator, kills=5)


@pytest.mark.slow
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("count", [1, 7])
def test_job_killed_in_a_place_ends_the_same(
    job: Callable[..., Command], uninterrupted: Command, place: str, count: int
) -> None:
    command = job()
    process = command.start(f"{place}:{count}")
    process.communicate(timeout=280)
    # Some places are not passed a seventh time: the job has then ended by itself.
    assert process.returncode == -signal.SIGKILL or (process.returncode, count) == (
        0,
        7,
    )
    done = command.finish()
    assert done.returncode == 0, done.stderr
    assert_same_end(command, uninterrupted)


@pytest.mark.slow  # the quick one is in tests/test_run.py
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR2])
def test_signal_saves_and_the_same_command_continues(
    job: Callable[..., Command], uninterrupted: Command, number: signal.Signals
) -> None:
    command = job()
    process = command.start()
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("epoch  3/"):
            break
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 75, errors
    assert "The same command continues." in errors
    assert "Traceback" not in errors
    assert command.result["status"] == "KILLED"
    assert command.result["reason"].startswith("stopped by ")
    (run,) = read_runs(command.folder)
    assert run["status"] == "KILLED"
    done = command.finish()
    assert "continues" in done.stdout
    assert_same_end(command, uninterrupted)
    (run,) = read_runs(command.folder)
    assert run["tags"]["resumed.count"] == "1"


def test_finished_job_is_shown_at_once(uninterrupted: Command) -> None:
    begin = time.monotonic()
    done = uninterrupted.finish()
    assert time.monotonic() - begin < uninterrupted.seconds / 2
    assert done.returncode == 0
    assert "finished before, not run again" in done.stdout
    assert len(read_runs(uninterrupted.folder)) == 1
