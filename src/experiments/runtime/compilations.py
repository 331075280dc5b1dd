"""Where JAX keeps what it has compiled, for the processes to come."""

import hashlib
import logging
import os
import platform
from pathlib import Path

from experiments.files import cache_folder

log = logging.getLogger(__name__)


_COMPILED_BYTES = 2**31


def keep_compilations(keep: bool) -> None:
    """Tells JAX where to keep what it compiles, if anywhere.

    The folder belongs to a kind of CPU: code for one may not run on another, and
    machines may share a home. A folder that the environment names is left alone.
    """
    import jax

    if os.environ.get("JAX_COMPILATION_CACHE_DIR"):
        return
    folder = cache_folder() / f"jax-{_identify_cpu()}"
    if keep:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            log.warning("JAX compiles everything anew: %s.", error)
            keep = False
    jax.config.update("jax_compilation_cache_dir", str(folder) if keep else None)
    jax.config.update("jax_compilation_cache_max_size", _COMPILED_BYTES)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.1)


def _identify_cpu() -> str:
    """Returns digits that CPUs share which have the same instructions."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    flags = [line for line in lines if line.startswith(("flags", "Features"))]
    text = " ".join([platform.machine(), *flags[:1]])
    return hashlib.sha256(text.encode()).hexdigest()[:8]
