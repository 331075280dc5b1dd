"""What a run runs on, found out without importing a framework."""

import os
import platform
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import psutil

_SECONDS = 10


@dataclass(frozen=True, kw_only=True)
class Hardware:
    """A machine.

    Attributes:
        cpu: Model name of the processor.
        cores: Physical cores; `None` when unknown.
        threads: Logical processors.
        usable_threads: Those that this process may use.
        memory_gb: Main memory in units of 10^9 bytes.
        gpus: Name, memory and driver of each NVIDIA GPU, as `nvidia-smi` says.
        system: Operating system and release.
    """

    cpu: str
    cores: int | None
    threads: int | None
    usable_threads: int | None
    memory_gb: float
    gpus: tuple[str, ...]
    system: str


def describe_hardware() -> Hardware:
    """Returns the machine's parts; never fails."""
    return Hardware(
        cpu=_cpu_name(),
        cores=psutil.cpu_count(logical=False),
        threads=psutil.cpu_count(),
        usable_threads=_usable_threads(),
        memory_gb=round(psutil.virtual_memory().total / 1e9, 1),
        gpus=_gpu_names(),
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
    )


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    for line in lines:
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return value.strip()
    return platform.processor() or platform.machine() or "unknown"


def _usable_threads() -> int | None:
    affinity = getattr(os, "sched_getaffinity", None)  # absent on macOS and Windows
    return len(affinity(0)) if affinity is not None else os.cpu_count()


def _gpu_names() -> tuple[str, ...]:
    command = shutil.which("nvidia-smi")
    if command is None:
        return ()
    query = ["--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    try:
        result = subprocess.run(
            [command, *query],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        return (f"unknown: nvidia-smi failed ({type(error).__name__})",)
    return tuple(line.strip() for line in result.stdout.splitlines() if line.strip())
