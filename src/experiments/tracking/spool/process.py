"""Which process a run belongs to, and whether it still lives."""

import os
import socket
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import psutil

from experiments.tracking.spool.tag_names import PREFIX, name_as_today

HOST = f"{PREFIX}process.host"
PID = f"{PREFIX}process.pid"
STARTED = f"{PREFIX}process.started"
BOOT = f"{PREFIX}process.boot"
NAMESPACE = f"{PREFIX}process.namespace"

# The clock may be set while a process runs, and its start time shifts with it.
_CLOCK_SECONDS = 5.0


def process_tags() -> dict[str, str]:
    """Returns tags that identify this process among all hosts and containers."""
    pid = os.getpid()
    return {
        HOST: host_name(),
        PID: str(pid),
        STARTED: f"{psutil.Process(pid).create_time():.2f}",
        BOOT: _boot_id(),
        NAMESPACE: _namespace(),
    }


def host_name() -> str:
    """Returns the name under which this machine's runs are looked for."""
    return socket.gethostname()


def is_dead(tags: Mapping[str, str]) -> bool:
    """Tells whether the process with these tags certainly runs no more.

    A process that cannot be judged from here (other host, other container, tags
    missing or malformed) counts as alive.

    Args:
        tags: Those of `process_tags`, among others, in whatever release.
    """
    tags = name_as_today(tags)
    try:
        pid, started = int(tags[PID]), float(tags[STARTED])
        host, boot, namespace = tags[HOST], tags[BOOT], tags[NAMESPACE]
    except (KeyError, ValueError):
        return False
    if host != host_name():
        return False
    if boot != _boot_id():
        # Before this machine's last start; else it is another of the same name.
        return started < psutil.boot_time() - _CLOCK_SECONDS
    return namespace == _namespace() and not _runs(pid, started)


def _runs(pid: int, started: float) -> bool:
    """Tells whether `pid` is still the process that began then, not a later one."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return abs(process.create_time() - started) <= _CLOCK_SECONDS
    except psutil.NoSuchProcess:
        return False
    except (psutil.Error, ValueError):  # also: no number of a process
        return True


@lru_cache(maxsize=1)
def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return "unknown"


def _namespace() -> str:
    """Returns the container's view of process numbers; the same text elsewhere."""
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return "unknown"
