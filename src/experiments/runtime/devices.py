"""The devices of this machine: which exist, which are taken, which compute."""

import functools
import logging
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from experiments.config.checks.machine import total_memory
from experiments.errors import DeviceError
from experiments.gpu_libraries import explain_absence

log = logging.getLogger(__name__)


Gpu = int | str | list[int]


@dataclass(frozen=True)
class Devices:
    """The devices of a process: those it has claimed, later those it computes on.

    Attributes:
        gpus: Indices of the GPUs in use, as the machine counts them; empty on the CPU.
        note: Why the CPU is used although a GPU was welcome; empty otherwise.
    """

    gpus: tuple[str, ...]
    note: str = ""

    @property
    def kind(self) -> str:
        """`gpu` or `cpu`."""
        return "gpu" if self.gpus else "cpu"


def free_memory(devices: Devices) -> int | None:
    """Returns the bytes that training may take on one device; `None` when unknown.

    For the CPU it is what the system calls available, for GPUs the smallest total.
    """
    if not devices.gpus:
        available = int(psutil.virtual_memory().available)
        # A container may be allowed less than the machine has.
        return min(available, total_memory() or available)
    command = [
        "nvidia-smi",
        "--query-gpu=memory.total",
        "--format=csv,noheader,nounits",
    ]
    try:
        shown = subprocess.run(
            [*command, f"--id={','.join(devices.gpus)}"],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        ).stdout
        return min(int(line) for line in shown.split()) * 2**20
    except (OSError, subprocess.SubprocessError, ValueError):
        return None


@functools.cache
def list_gpus() -> tuple[str, ...]:
    """Returns the GPUs this process may claim, without importing a framework.

    A `CUDA_VISIBLE_DEVICES` that SLURM, Ray or the user has set is respected: only what
    it names is counted. Whether the framework can use them is seen after its import,
    see `confirm_devices`. The answer is kept, since claiming a GPU hides the others.
    """
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        names = [name.strip() for name in visible.split(",")]
        return tuple(name for name in names if name and name != "-1")
    cards = Path("/proc/driver/nvidia/gpus")
    count = len(list(cards.iterdir())) if cards.is_dir() else 0
    return tuple(str(index) for index in range(count))


def choose_gpus(gpu: Gpu, available: Sequence[str]) -> Devices:
    """Decides which of the available GPUs a run takes.

    Args:
        gpu: `auto` (the first one, or the CPU), `cpu`, `all`, an index, or indices.
        available: What `list_gpus` returned; indices count within it.

    Raises:
        DeviceError: An index does not exist, or `all` finds none.
    """
    if gpu == "cpu":
        return Devices(())
    if gpu == "auto":
        note = "" if available else "gpu=auto found no GPU; running on the CPU"
        return Devices(tuple(available[:1]), note)
    wanted = (
        range(len(available))
        if gpu == "all"
        else [gpu]
        if isinstance(gpu, int)
        else gpu
    )
    missing = [index for index in wanted if int(index) >= len(available)]
    if missing or not wanted:
        exist = ", ".join(str(i) for i in range(len(available))) or "none"
        raise DeviceError(
            f"gpu={gpu} asks for a GPU that does not exist. Existing indices: {exist}. "
            "Use gpu=auto, or gpu=cpu to run without one."
        )
    return Devices(tuple(available[int(index)] for index in wanted))


def count_gpus(backend: str) -> int:
    """Returns how many GPUs the framework, imported by now, can compute on.

    Args:
        backend: `tensorflow` or `jax`.

    Raises:
        DeviceError: JAX cannot start on what `JAX_PLATFORMS` demands.
    """
    if backend != "jax":
        import tensorflow as tf

        return len(tf.config.list_physical_devices("GPU"))
    import jax

    try:
        return sum(device.platform == "gpu" for device in jax.devices())
    except RuntimeError as error:
        text = " ".join(str(error).split())
        raise DeviceError(f"JAX finds no device: {text}") from error


def confirm_devices(claimed: Devices, *, gpu: Gpu, backend: str) -> Devices:
    """Returns the devices that will compute: the claimed ones, if they can be used.

    Args:
        claimed: What was claimed before the framework was imported.
        gpu: As in the config.
        backend: `tensorflow` or `jax`.

    Returns:
        `claimed`, or with `gpu=auto` the CPU and why.

    Raises:
        DeviceError: A GPU that was asked for cannot be used.
    """
    if not claimed.gpus:
        return claimed
    found = count_gpus(backend)
    if found >= len(claimed.gpus):
        return claimed
    framework = "JAX" if backend == "jax" else "TensorFlow"
    names = ", ".join(claimed.gpus)
    if found:
        reason = (
            f"{framework} can use {found} of the {len(claimed.gpus)} GPUs {names}: "
            "the others do not answer under CUDA_VISIBLE_DEVICES"
        )
        hint = ""
    else:
        cause, hint = explain_absence(backend)
        reason = f"{framework} cannot use GPU {names}: {cause}"
    if gpu == "auto":
        note = f"gpu=auto runs on the CPU: {reason}."
        return Devices((), f"{note} {hint}".strip())
    refusal = f"gpu={gpu} is refused: {reason}. Use gpu=cpu to run without one."
    raise DeviceError(f"{refusal} {hint}".strip())
