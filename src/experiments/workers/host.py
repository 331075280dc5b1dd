"""The process that jobs run in.

It is `python -m experiments.workers.host <descriptor>`.

It may die without harm to the search, and says every few seconds that its job goes on,
if it does. It serves one job after the other, since
importing TensorFlow takes seconds, and ends with the process that started it: the
running job then saves its state, as on SIGTERM.
"""

import functools
import os
import pickle
import queue
import signal
import sys
import threading
import time
import traceback
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NoReturn

import psutil

from experiments import job_files
from experiments.errors import (
    ExperimentError,
    Preempted,
    RestartNeeded,
    summarise_error,
)
from experiments.files import open_own
from experiments.heartbeat import beat, count_beats
from experiments.interruption import explain_termination
from experiments.jobs.folder import is_held
from experiments.jobs.job import PROCESS_VARIABLE, JobResult
from experiments.screen import guard_screen
from experiments.workers.report import Report
from experiments.workers.stop_file import read_reason

_GRACE_SECONDS = 60.0
_BEAT_SECONDS = 1.0
RESTART = "restart"


@dataclass(frozen=True, kw_only=True)
class Request:
    """One job to run.

    Attributes:
        task: The pickled task function of one config.
        config: The composed config, without Hydra's own node.
        hydra: What `HydraConfig` holds.
        folder: Where the process that composed it stands.
        path: Where that process finds modules.
        stop_file: Says why everything is being stopped, when it is.
    """

    task: bytes
    config: Any
    hydra: Any
    folder: str
    path: list[str]
    stop_file: str


def main(descriptor: int) -> None:
    """Serves requests until the other end of the connection is closed."""
    guard_screen()
    connection = Connection(descriptor)
    requests: queue.Queue[bytes] = queue.Queue()
    busy = threading.Event()
    reader = threading.Thread(
        target=_read, args=(connection, requests, busy), daemon=True
    )
    reader.start()
    sending = threading.Lock()
    heart = threading.Thread(
        target=_pass_beats_on, args=(connection, sending, busy), daemon=True
    )
    heart.start()
    while True:
        data = requests.get()
        busy.set()
        request = pickle.loads(data)  # noqa: S301 - from the process that started us
        report = _serve(request)
        with sending, suppress(OSError):  # nobody listens any more
            busy.clear()
            connection.send_bytes(pickle.dumps(report))
        if report.status == "stopped":
            return


def _read(connection: Connection, requests: Any, busy: threading.Event) -> None:
    """Hands requests on; ends the process with its parent."""
    try:
        while True:
            requests.put(connection.recv_bytes())
    except (EOFError, OSError):
        _end(busy)


def _pass_beats_on(
    connection: Connection, sending: threading.Lock, busy: threading.Event
) -> None:
    """Sends `None` where the running job went on since the last time."""
    sent = count_beats()
    with suppress(OSError):
        while True:
            time.sleep(_BEAT_SECONDS)
            with sending:
                if busy.is_set() and count_beats() > sent:
                    sent = count_beats()
                    connection.send_bytes(pickle.dumps(None))


def _end(busy: threading.Event) -> NoReturn:
    if busy.is_set():
        os.kill(os.getpid(), signal.SIGTERM)
        deadline = time.monotonic() + _GRACE_SECONDS
        while busy.is_set() and time.monotonic() < deadline:
            time.sleep(0.1)
    os._exit(0)


def _serve(request: Request) -> Report:
    """Runs a job and says how it ended; never raises."""
    output_dir = Path(str(request.hydra.hydra.runtime.output_dir))
    try:
        _take_up(request)
        _redirect(output_dir)
        while is_held(output_dir):  # an orphan of a killed search saves its state
            time.sleep(0.5)
            beat()
        value = _load_task(request.task)(request.config)
    except RestartNeeded:
        return Report(status="stopped", reason=RESTART)
    except (Preempted, KeyboardInterrupt) as stop:
        return Report(status="stopped", reason=summarise_error(stop))
    except Exception as error:
        traceback.print_exc()
        return describe_failure(error)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return describe_return(value, output_dir)


@functools.lru_cache(maxsize=1)
def _load_task(data: bytes) -> Any:
    """Returns the task, which is the same one in every job.

    TensorFlow keeps the stack of each operation by the functions on it: a new function
    each time costs some 2 MB a job.
    """
    return pickle.loads(data)  # noqa: S301 - from the process that started us


def describe_return(value: Any, output_dir: Path) -> Report:
    """Returns the report of a task that came back."""
    result = JobResult.load(output_dir)
    number = float(value) if isinstance(value, int | float) else None
    memory = psutil.Process().memory_info().rss
    if result is not None and result.status == "FAILED":
        return Report(
            status="failed",
            result=result,
            failure=result.failure or "error",  # type: ignore[arg-type]
            reason=result.reason,
            memory=memory,
        )
    return Report(status="returned", value=number, result=result, memory=memory)


def describe_failure(error: Exception) -> Report:
    """Returns the report of a task that raised."""
    kind: Any = getattr(error, "failure", "error")
    if not isinstance(error, ExperimentError):
        kind = "oom" if isinstance(error, MemoryError) else "error"
    return Report(status="failed", failure=kind, reason=summarise_error(error))


def _take_up(request: Request) -> None:
    """Makes this process what the composing one was when it called the task."""
    from hydra.core.hydra_config import HydraConfig
    from hydra.core.utils import configure_log, setup_globals

    explain_termination(functools.partial(read_reason, Path(request.stop_file)))
    sys.path[:] = request.path
    os.chdir(request.folder)
    setup_globals()
    HydraConfig.instance().cfg = request.hydra
    hydra = request.hydra.hydra
    os.environ.update({str(k): str(v) for k, v in hydra.job.env_set.items()})
    # A job that needs a fresh process says so instead of failing.
    os.environ[PROCESS_VARIABLE] = str(os.getpid())
    configure_log(hydra.job_logging, hydra.verbose)


def _redirect(output_dir: Path) -> None:
    """Sends what the job prints, native libraries included, to its folder."""
    output_dir.mkdir(parents=True, exist_ok=True)
    screen = open_own(output_dir / job_files.SCREEN, os.O_APPEND)
    os.dup2(screen, 1)
    os.dup2(screen, 2)
    os.close(screen)


if __name__ == "__main__":
    main(int(sys.argv[1]))
