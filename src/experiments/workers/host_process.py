"""This side of a process that runs jobs."""

import contextlib
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from multiprocessing import Pipe
from pathlib import Path

import cloudpickle

from experiments.workers.host import Request
from experiments.workers.leases import Lease
from experiments.workers.report import Report

_GRACE_SECONDS = 60.0
_COUNTERS = Path("/proc/vmstat")  # of this machine, since it was started


class HostProcess:
    """A process of `experiments.workers.host` and what it may use.

    Args:
        key: What jobs must have in common to run in it one after the other.
        environment: Of the process.
        cores: Where it may run; empty for everywhere.
        leases: Given back when it has ended.
    """

    def __init__(
        self,
        key: str,
        *,
        environment: Mapping[str, str],
        cores: Sequence[int] = (),
        leases: Sequence[Lease] = (),
    ) -> None:
        self.key = key
        self.trials = 0
        self._leases = list(leases)
        self._killed_before = count_memory_kills()
        self._connection, other = Pipe()
        descriptor = other.fileno()
        self._process = subprocess.Popen(
            # Modules are not looked for where the command was typed.
            [
                sys.executable,
                "-P",
                "-m",
                "experiments.workers.host",
                str(descriptor),
            ],
            env=environment,
            pass_fds=[descriptor],
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the search, which ends its jobs
        )
        other.close()
        if cores:
            with contextlib.suppress(OSError):
                os.sched_setaffinity(self._process.pid, cores)

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def is_alive(self) -> bool:
        """Tells whether it runs and can be sent a job."""
        return self._process.poll() is None and not self._connection.closed

    def send(self, request: Request) -> None:
        """Starts a job.

        Raises:
            OSError: The process has died.
        """
        self.trials += 1
        self._connection.send_bytes(cloudpickle.dumps(request))

    def poll(self, seconds: float) -> bool:
        """Waits for the end of a job, or of the process; tells whether it came."""
        return self._connection.poll(seconds)

    def receive(self) -> Report | None:
        """Returns the report of the job; `None` for a sign that it goes on.

        Raises:
            EOFError: The process has died.
            OSError: Likewise.
        """
        data = self._connection.recv_bytes()
        report: Report | None = pickle.loads(data)  # noqa: S301 - from our own process
        return report

    def end(self) -> None:
        """Asks it to end, which saves the running job, and waits for that."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.send_signal(
                signal.SIGCONT
            )  # one that is stopped hears nothing
            try:
                self._process.wait(_GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._connection.close()
        for lease in self._leases:
            lease.release()
        self._leases.clear()

    def _memory_ran_out(self) -> bool:
        """Tells whether the system has ended a process for that since this one began.

        Which one it does not say; that this one was killed too leaves little doubt.
        """
        before, now = self._killed_before, count_memory_kills()
        return before is not None and now is not None and now > before

    def describe_death(self) -> Report:
        """Returns the report of a job whose process died."""
        self.end()
        code = self._process.returncode
        if code == -signal.SIGKILL and self._memory_ran_out():
            reason = "the system ended its process, since the memory ran out"
            return Report(status="failed", failure="oom", reason=reason)
        how = f"exit code {code}"
        if code < 0:
            with contextlib.suppress(ValueError):
                how = signal.Signals(-code).name
        reason = f"its process ended by {how}"
        return Report(status="failed", failure="killed", reason=reason)


def count_memory_kills() -> int | None:
    """Returns how many processes the system has ended to get memory back.

    `None` where it does not count them.
    """
    try:
        lines = _COUNTERS.read_text().splitlines()
    except OSError:
        return None
    counts = [line.removeprefix("oom_kill ") for line in lines if "oom_kill " in line]
    return int(counts[0]) if counts else None
