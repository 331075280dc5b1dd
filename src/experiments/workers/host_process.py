"""This side of a process that runs trials."""

import contextlib
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from multiprocessing import Pipe

import cloudpickle

from experiments.workers.host import Request
from experiments.workers.leases import Lease
from experiments.workers.report import Report

_GRACE_SECONDS = 60.0


class HostProcess:
    """A process of `experiments.workers.host` and what it may use.

    Args:
        key: What trials must have in common to run in it one after the other.
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
            start_new_session=True,  # Ctrl-C is for the search, which ends its trials
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
        """Tells whether it runs and can be sent a trial."""
        return self._process.poll() is None and not self._connection.closed

    def send(self, request: Request) -> None:
        """Starts a trial.

        Raises:
            OSError: The process has died.
        """
        self.trials += 1
        self._connection.send_bytes(cloudpickle.dumps(request))

    def poll(self, seconds: float) -> bool:
        """Waits for the end of a trial, or of the process; tells whether it came."""
        return self._connection.poll(seconds)

    def receive(self) -> Report:
        """Returns the report of the trial.

        Raises:
            EOFError: The process has died.
            OSError: Likewise.
        """
        data = self._connection.recv_bytes()
        report: Report = pickle.loads(data)  # noqa: S301 - from our own process
        return report

    def end(self) -> None:
        """Asks it to end, which saves the running trial, and waits for that."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(_GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._connection.close()
        for lease in self._leases:
            lease.release()
        self._leases.clear()

    def describe_death(self) -> Report:
        """Returns the report of a trial whose process died."""
        self.end()
        code = self._process.returncode
        how = f"exit code {code}"
        if code < 0:
            with contextlib.suppress(ValueError):
                how = signal.Signals(-code).name
        reason = f"the process of the trial ended by {how}"
        return Report(status="failed", failure="killed", reason=reason)
