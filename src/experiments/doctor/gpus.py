"""The GPUs, their driver, and every CUDA library by its name."""

import ctypes
import importlib.util
import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from experiments.config.code.extras import how_to_install, is_installed
from experiments.doctor.finding import Finding
from experiments.gpu_libraries import DRIVER, JAX_PLUGINS, TENSORFLOW

_NO_GPU = "none: trainings run on the CPU"
_VISIBLE = "CUDA_VISIBLE_DEVICES"
_HIDES_ALL = ("", "-1")
# Of any CUDA 12.x: docs.nvidia.com/deploy/cuda-compatibility, minor versions.
_OLDEST_DRIVER = 525
_SEVERAL = "libnccl.so.2"  # what MirroredStrategy adds gradients by


def check_gpus(
    names: Sequence[str],
    *,
    exists: Callable[[str], bool] | None = None,
    has_smi: bool | None = None,
    visible: str | None = None,
    has_plugin: bool | None = None,
) -> Iterator[Finding]:
    """Yields what is there of GPUs, and what is missing for them.

    Args:
        names: Of the GPUs, with memory and driver, as `nvidia-smi` tells them; or one
            that begins with `unknown`, where it fails.
        exists: Tells whether a library can be loaded; by default this machine is asked.
        has_smi: Whether there is `nvidia-smi`; likewise.
        visible: `CUDA_VISIBLE_DEVICES`; likewise.
        has_plugin: Whether JAX, if it is installed, can use GPUs; likewise.
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
    else:
        yield Finding(level="ok", what="driver", told=f"{DRIVER} loads")
    yield from _check_names(names, has_smi)
    visible = os.environ.get(_VISIBLE) if visible is None else visible
    if visible is not None and visible.strip() in _HIDES_ALL:
        told = f"{_VISIBLE}={visible} hides all of them: trainings run on the CPU"
        advice = f"To use them: unset {_VISIBLE}"
        yield Finding(level="warning", what="GPU", told=told, advice=advice)
    needed = (*TENSORFLOW, _SEVERAL) if len(names) > 1 else TENSORFLOW
    yield from _check_libraries(needed, exists)
    if not (_jax_can_use_them() if has_plugin is None else has_plugin):
        yield Finding(
            level="warning",
            what="JAX",
            told=f"its CUDA plugin {JAX_PLUGINS[0]} is missing: backend=jax takes none",
            advice=how_to_install(JAX_PLUGINS[0]),
        )


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


def _check_names(names: Sequence[str], has_smi: bool) -> Iterator[Finding]:
    for name in names:
        if name.startswith("unknown"):
            told = name.removeprefix("unknown: ")
            advice = "Type nvidia-smi: it says what is wrong with the driver."
            yield Finding(level="error", what="GPU", told=told, advice=advice)
            continue
        yield Finding(level="ok", what="GPU", told=name)
        version = re.search(r"(\d+)\.[\d.]+$", name)
        if version and int(version[1]) < _OLDEST_DRIVER:
            told = f"{version[0]} is older than {_OLDEST_DRIVER}, which CUDA 12 needs"
            advice = "Install a newer driver of NVIDIA's."
            yield Finding(level="error", what="driver", told=told, advice=advice)
    if names:
        return
    if has_smi:
        told = "nvidia-smi tells of none, although there is a driver"
        advice = "In a container, start it with --gpus all; else type nvidia-smi -L"
        yield Finding(level="error", what="GPU", told=told, advice=advice)
    else:
        told = "not known: there is a driver, and no nvidia-smi beside it"
        advice = "Install NVIDIA's utilities, or put nvidia-smi into the PATH."
        yield Finding(level="warning", what="GPU", told=told, advice=advice)


def _check_libraries(
    needed: Sequence[str], exists: Callable[[str], bool]
) -> Iterator[Finding]:
    absent = [library for library in needed if not exists(library)]
    for library in absent:
        yield Finding(
            level="error",
            what="CUDA",
            told=f"{library} does not load",
            advice=how_to_install("nvidia"),
        )
    if not absent:
        told = f"{', '.join(needed)} load"
        yield Finding(level="ok", what="CUDA", told=told)


def _jax_can_use_them() -> bool:
    return not is_installed("jax") or any(map(is_installed, JAX_PLUGINS))
