"""The GPUs, their driver, and every CUDA library by its name."""

import ctypes
import importlib.util
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from experiments.config.extras import how_to_install
from experiments.doctor.finding import Finding
from experiments.gpu_libraries import DRIVER, TENSORFLOW

_NO_GPU = "none: trainings run on the CPU"


def check_gpus(
    names: Sequence[str],
    *,
    exists: Callable[[str], bool] | None = None,
    has_smi: bool | None = None,
) -> Iterator[Finding]:
    """Yields what is there of GPUs, and what is missing for them.

    Args:
        names: Of the GPUs, as `nvidia-smi` tells them.
        exists: Tells whether a library can be loaded; by default this machine is asked.
        has_smi: Whether there is `nvidia-smi`; likewise.
    """
    exists = exists or can_load
    has_smi = shutil.which("nvidia-smi") is not None if has_smi is None else has_smi
    driver = exists(DRIVER)
    if not names and not has_smi and not driver:
        yield Finding(level="ok", what="GPU", told=_NO_GPU)
        return
    if not driver:
        advice = "Install NVIDIA's driver; in a container, start it with --gpus all."
        told = f"the driver's library {DRIVER} does not load"
        yield Finding(level="error", what="driver", told=told, advice=advice)
    for name in names:
        yield Finding(level="ok", what="GPU", told=name)
    if not names:
        advice = "Look at what nvidia-smi says, and at CUDA_VISIBLE_DEVICES."
        told = "nvidia-smi tells of none, although there is a driver"
        yield Finding(level="error", what="GPU", told=told, advice=advice)
    absent = [library for library in TENSORFLOW if not exists(library)]
    for library in absent:
        yield Finding(
            level="error",
            what="CUDA",
            told=f"{library} does not load",
            advice=how_to_install("nvidia"),
        )
    if not absent:
        told = f"all {len(TENSORFLOW)} libraries load"
        yield Finding(level="ok", what="CUDA", told=told)


def can_load(library: str) -> bool:
    """Tells whether a library loads: the wheels' own, or the system's."""
    spec = importlib.util.find_spec("nvidia")
    folders = spec.submodule_search_locations or () if spec else ()
    places = [str(f) for place in folders for f in Path(place).glob(f"*/lib/{library}")]
    for place in (*places, library):
        try:
            ctypes.CDLL(place)
        except OSError:
            continue
        return True
    return False
