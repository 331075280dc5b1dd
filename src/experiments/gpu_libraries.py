"""Why a framework sees no GPU: what is missing on this machine, where it can be known.

Asked only after the framework was imported and has found none, so that loading a
library here cannot change what it would find.
"""

import ctypes
import importlib.util
from collections.abc import Callable
from pathlib import Path

from experiments.config.code.extras import how_to_install, is_installed

DRIVER = "libcuda.so.1"
# What TensorFlow 2.21, built with CUDA 12.5 and cuDNN 9, loads when it looks for GPUs.
TENSORFLOW = (
    "libcudart.so.12",
    "libcublas.so.12",
    "libcublasLt.so.12",
    "libcufft.so.11",
    "libcusolver.so.11",
    "libcusparse.so.12",
    "libcudnn.so.9",
)
JAX_PLUGINS = ("jax_plugins.xla_cuda12", "jax_plugins.xla_cuda13")


def explain_absence(
    backend: str, *, exists: Callable[[str], bool] | None = None
) -> tuple[str, str]:
    """Returns what keeps a backend from using a GPU, and how to get it.

    Args:
        backend: `tensorflow` or `jax`.
        exists: Tells whether a library can be loaded; by default this machine is asked.

    Returns:
        A clause, and a sentence that may be empty.
    """
    exists = exists or _exists
    if not exists(DRIVER):
        return f"the NVIDIA driver's library {DRIVER} is missing", ""
    if backend == "jax":
        if not any(is_installed(plugin) for plugin in JAX_PLUGINS):
            plugin = JAX_PLUGINS[0]
            return f"its CUDA plugin {plugin} is missing", how_to_install(plugin)
    elif missing := [name for name in TENSORFLOW if not exists(name)]:
        verb = "is" if len(missing) == 1 else "are"
        reason = f"{', '.join(missing)} {verb} missing"
        return reason, how_to_install("nvidia")
    return "no GPU answers under CUDA_VISIBLE_DEVICES", ""


def _exists(library: str) -> bool:
    """Tells whether a library is where the loader or TensorFlow's wheel looks."""
    spec = importlib.util.find_spec("nvidia")
    for folder in spec.submodule_search_locations or () if spec else ():
        if any(Path(folder).glob(f"*/lib/{library}")):
            return True
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
