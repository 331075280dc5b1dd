"""Numbered things that one process at a time may have: GPUs and shares of the cores."""

import os
import stat
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from experiments.errors import DeviceError
from experiments.runtime.devices import list_gpus

_POLL_SECONDS = 0.5
_RAY = ("RAY_JOB_ID", "RAY_RAYLET_PID")
_SLURM = "SLURM_JOB_ID"


@dataclass(frozen=True)
class Lease:
    """One thing, held until `release` or the end of the process.

    Attributes:
        index: Its place among the names.
        lock: Holds it.
    """

    index: int
    lock: FileLock

    def release(self) -> None:
        """Gives it back."""
        self.lock.release()


def take_lease(
    folder: Path,
    names: Sequence[object],
    *,
    keep_waiting: Callable[[], bool] = lambda: True,
) -> Lease | None:
    """Waits for one of several things that nobody holds.

    Args:
        folder: Where the locks are; on one machine, and of this user alone.
        names: Of the things; the first that is free is taken.
        keep_waiting: Asked while all are taken.

    Returns:
        The lease; `None` when `keep_waiting` said no.

    Raises:
        DeviceError: The folder is somebody else's, or its locks are.
    """
    _make(folder)
    while True:
        for index, name in enumerate(names):
            lock = FileLock(folder / f"{name}.lock", timeout=0)
            try:
                lock.acquire()
            except Timeout:
                continue
            except OSError as error:
                raise DeviceError(
                    f"{lock.lock_file} cannot be locked: {error.strerror or error}. "
                    "Remove it."
                ) from error
            return Lease(index, lock)
        if not keep_waiting():
            return None
        time.sleep(_POLL_SECONDS)


def _make(folder: Path) -> None:
    """Makes a folder that no other user can put anything into.

    Where all may write, as in the folder for temporary files, somebody else may have
    made one of that name before, or a link.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    if not folder.parent.stat().st_mode & stat.S_IWOTH:
        return
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise DeviceError(
            f"{folder} must be a folder of this user, who agrees there with himself "
            "about GPUs and cores. Remove it, or set TMPDIR to another folder."
        )
    if found.st_mode & 0o077:
        folder.chmod(0o700)


def gpus_to_share(gpu: object) -> Sequence[str]:
    """Returns the GPUs of which each trial takes one; none when that is decided.

    Args:
        gpu: As in the config: only `auto` leaves the choice open. What Ray gives a
            worker is its own, and so is the only GPU of a job of SLURM.
    """
    gpus = list_gpus() if gpu == "auto" else ()
    assigned = "CUDA_VISIBLE_DEVICES" in os.environ
    by_ray = any(name in os.environ for name in _RAY)
    by_slurm = _SLURM in os.environ and len(gpus) == 1
    return () if assigned and (by_ray or by_slurm) else gpus


def gpu_places(gpus: Sequence[str], trials: int) -> list[str]:
    """Returns names of places for trials, the first ones on GPUs of their own.

    Place `i` is on GPU `i % len(gpus)`.

    Args:
        gpus: As `CUDA_VISIBLE_DEVICES` names them.
        trials: Places on each.
    """
    names = [gpu.replace("/", "_") for gpu in gpus]
    return names + [f"{name}-{n}" for n in range(2, trials + 1) for name in names]


def gpu_folder() -> Path:
    """Returns where the user's processes on this machine agree about its GPUs.

    Jobs of SLURM count from 0 what each was given, and agree among themselves only.
    """
    job = f"-{os.environ[_SLURM]}" if _SLURM in os.environ else ""
    return Path(tempfile.gettempdir()) / f"experiments-gpus-{os.getuid()}{job}"


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
