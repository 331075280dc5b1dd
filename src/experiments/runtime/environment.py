"""What a framework reads from the environment at its import, set before it."""

import logging
import os
import sys

from experiments.errors import DeviceError
from experiments.runtime.devices import Devices, Gpu, choose_gpus, list_gpus

log = logging.getLogger(__name__)


_DETERMINISTIC_XLA = "--xla_gpu_deterministic_ops=true"


def prepare_environment(
    *, gpu: Gpu, backend: str, onednn: bool | str, deterministic: bool
) -> Devices:
    """Sets what the framework reads at its import.

    Args:
        gpu: See `choose_gpus`.
        backend: `tensorflow` or `jax`.
        onednn: `auto` and `True` switch oneDNN's CPU kernels on, `False` off.
        deterministic: Ask for bit-identical results.

    Raises:
        DeviceError: The GPU does not exist, or an earlier job of this process has
            claimed other devices or another backend.
    """
    devices = choose_gpus(gpu, list_gpus())
    settings = {
        "KERAS_BACKEND": backend,
        "CUDA_VISIBLE_DEVICES": ",".join(devices.gpus) or "-1",
        "TF_ENABLE_ONEDNN_OPTS": "0" if onednn is False else "1",
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
        "TF_CUDNN_DETERMINISTIC": "1" if deterministic else "0",
    }
    if not devices.gpus:
        settings["JAX_PLATFORMS"] = "cpu"
    elif deterministic and backend == "jax":
        settings["XLA_FLAGS"] = _add_flag(_DETERMINISTIC_XLA)
    if "keras" in sys.modules:
        _check_unchanged(settings, devices)
    else:
        os.environ.update(settings)
        # TensorFlow's start-up lines say nothing that the run's own summary does not.
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        if devices.note:  # which the first job of a process has told
            log.warning(devices.note)
    return devices


def _add_flag(flag: str) -> str:
    """Returns the flags of XLA with one more."""
    flags = os.environ.get("XLA_FLAGS", "").split()
    return " ".join(flags if flag in flags else [*flags, flag])


def _check_unchanged(settings: dict[str, str], devices: Devices) -> None:
    """Refuses what a process that has imported the framework can no longer change."""
    for name, wanted in settings.items():
        current = os.environ.get(name)
        if current is None:  # somebody's own code has imported it
            current = _describe_default(name, wanted, devices)
        if current != wanted:
            raise DeviceError(
                f"This process runs with {name}={current} and cannot change it to "
                f"{wanted} any more: the framework is imported already. Run jobs that "
                "differ in gpu, backend, trainer.onednn or trainer.deterministic as "
                "separate commands, with a launcher that starts a process for each "
                "job, or in a notebook before anything imports Keras or TensorFlow."
            )


def _describe_default(name: str, wanted: str, devices: Devices) -> str | None:
    """Returns what a variable that was never set amounts to.

    Args:
        name: Of the variable.
        wanted: What a job would set.
        devices: What it takes.
    """
    import keras

    if name == "KERAS_BACKEND":
        return str(keras.backend.backend())
    if name == "CUDA_VISIBLE_DEVICES":
        # All GPUs are there; of several, models lie on the first.
        there = list_gpus()
        fits = devices.gpus in (there, there[:1])
        return wanted if fits else ",".join(there)
    if name in ("TF_FORCE_GPU_ALLOW_GROWTH", "XLA_PYTHON_CLIENT_PREALLOCATE"):
        return wanted  # how memory is asked for, which changes no result
    if name == "JAX_PLATFORMS" and not list_gpus():
        return wanted
    defaults = {"TF_ENABLE_ONEDNN_OPTS": "1", "TF_CUDNN_DETERMINISTIC": "0"}
    return defaults.get(name)
