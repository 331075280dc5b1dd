"""Numbered things that one process at a time may have: GPUs and shares of the cores."""

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from experiments.runtime import list_gpus

_POLL_SECONDS = 0.5


@dataclass(frozen=True)
class Lease:
    """One thing, held until `release` or the end of the process.

    Attributes:
        index: Which one.
        lock: Holds it.
    """

    index: int
    lock: FileLock

    def release(self) -> None:
        """Gives it back."""
        self.lock.release()


def take_lease(
    folder: Path, count: int, *, keep_waiting: Callable[[], bool] = lambda: True
) -> Lease | None:
    """Waits for one of `count` things that nobody holds.

    Args:
        folder: Where the locks are; on one machine.
        count: How many there are.
        keep_waiting: Asked while all are taken.

    Returns:
        The lease; `None` when `keep_waiting` said no.
    """
    folder.mkdir(parents=True, exist_ok=True)
    while True:
        for index in range(count):
            lock = FileLock(folder / f"{index}.lock", timeout=0)
            try:
                lock.acquire()
            except Timeout:
                continue
            return Lease(index, lock)
        if not keep_waiting():
            return None
        time.sleep(_POLL_SECONDS)


def gpus_to_share(gpu: object) -> Sequence[str]:
    """Returns the GPUs of which each trial takes one; none when that is decided.

    Args:
        gpu: As in the config: only `auto` leaves the choice open. SLURM and Ray give
            each of their workers its own GPUs, which are then left alone.
    """
    assigned = "CUDA_VISIBLE_DEVICES" in os.environ and any(
        name in os.environ for name in ("SLURM_JOB_ID", "RAY_JOB_ID", "RAY_RAYLET_PID")
    )
    return () if gpu != "auto" or assigned else list_gpus()


def gpu_folder() -> Path:
    """Returns where the user's processes on this machine agree about its GPUs."""
    return Path(tempfile.gettempdir()) / f"experiments-gpus-{os.getuid()}"


def share_cores(index: int, workers: int) -> list[int]:
    """Returns the cores of one of several workers; more workers than cores share.

    Args:
        index: Of the worker.
        workers: How many there are.
    """
    cores = sorted(os.sched_getaffinity(0))
    if workers >= len(cores):
        return [cores[index % len(cores)]]
    begin, end = (len(cores) * i // workers for i in (index, index + 1))
    return cores[begin:end]
