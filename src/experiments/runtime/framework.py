"""The import of Keras and its backend, and what they are told before any model."""

import contextlib
import gc
import logging
import sys

from experiments.errors import ConfigError, DeviceError, Problem
from experiments.imports import without_collection, without_package
from experiments.runtime.chatter import without_chatter
from experiments.runtime.compilations import keep_compilations
from experiments.runtime.devices import Devices, Gpu, confirm_devices

log = logging.getLogger(__name__)


def configure_framework(
    devices: Devices,
    *,
    gpu: Gpu,
    backend: str,
    seed: int,
    precision: str,
    deterministic: bool,
    threads: int | None,
    compilation_cache: bool,
) -> Devices:
    """Imports Keras and sets threads, determinism, precision and all seeds.

    Args:
        devices: What `prepare_environment` claimed.
        gpu: As in the config.
        backend: `tensorflow` or `jax`.
        seed: Seeds Python, NumPy and the backend.
        precision: Keras dtype policy.
        deterministic: Make every TensorFlow op deterministic, those of the pipeline
            too; on TensorFlow it switches XLA off.
        threads: CPU threads for one op; `None` for all cores.
        compilation_cache: Let JAX find what earlier processes have compiled.

    Returns:
        The devices that compute, see `confirm_devices`: from here on only these count.

    Raises:
        ConfigError: Half precision on a CPU, which is several times slower there.
        DeviceError: A GPU cannot be used, or the thread count no longer be changed.
    """
    _check_precision(precision, devices)  # before an import that would be for nothing
    imported = "keras" in sys.modules
    with without_chatter("Start of the framework"):
        with contextlib.ExitStack() as quickly:
            quickly.enter_context(without_collection())
            if backend != "jax":
                # TensorFlow would import it for a converter that no run uses.
                quickly.enter_context(without_package("jax"))
            import keras
            import tensorflow as tf
        tf.config.list_physical_devices()
        claimed, devices = devices, confirm_devices(devices, gpu=gpu, backend=backend)
    if not imported:
        gc.freeze()  # no later collection looks through the libraries
    if devices != claimed:
        log.warning(devices.note)
        _check_precision(precision, devices)

    if backend != "tensorflow" or not devices.gpus:
        # For tf.data alone, or of a kind that CUDA_VISIBLE_DEVICES does not hide.
        tf.config.set_visible_devices([], "GPU")
    if backend == "jax":
        keep_compilations(compilation_cache)
    if threads is not None:
        try:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
        except RuntimeError as error:
            raise DeviceError(
                f"trainer.threads={threads} cannot be set any more in this process: "
                "TensorFlow has started, by an earlier job or code of your own. Run it "
                "as a separate command, or first in a notebook."
            ) from error
    keras.config.set_dtype_policy(precision)
    keras.utils.set_random_seed(seed)
    if deterministic:
        tf.config.experimental.enable_op_determinism()
    return devices


def _check_precision(precision: str, devices: Devices) -> None:
    if precision != "float32" and devices.kind == "cpu":
        reason = f"{precision} needs a GPU: a CPU is several times slower with it."
        hint = "Use trainer.precision=float32."
        raise ConfigError([Problem("trainer.precision", reason, hint)])
