"""The devices and the framework, as a config wants them."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from experiments.config.schema.run import RunConfig
from experiments.guest import as_guest
from experiments.runtime import environment, framework
from experiments.runtime.devices import Devices


def claim_devices(run: RunConfig) -> Devices:
    """Decides on devices and sets the environment, before any framework is imported."""
    return environment.prepare_environment(
        gpu=run.gpu,
        backend=run.backend,
        onednn=run.trainer.onednn,
        deterministic=run.trainer.deterministic,
    )


def configure_framework(run: RunConfig, devices: Devices) -> Devices:
    """Imports Keras and sets precision, threads, determinism and seeds.

    Args:
        run: The checked config.
        devices: What `claim_devices` returned.

    Returns:
        The devices that the framework computes on; everything else goes by these.
    """
    if "keras" in sys.modules:  # before the seeds are set, which this would forget
        from experiments.speedups.gradients import forget_models

        forget_models()
    return framework.configure_framework(
        devices,
        gpu=run.gpu,
        backend=run.backend,
        seed=run.seed,
        precision=run.trainer.precision,
        deterministic=run.trainer.deterministic,
        threads=run.trainer.threads,
        compilation_cache=run.trainer.compilation_cache,
    )


@contextmanager
def prepared_framework(run: RunConfig) -> Iterator[Devices]:
    """Sets the framework up as a job does, and gives a process its settings back.

    Args:
        run: The checked config.

    Yields:
        The devices that the framework computes on.
    """
    with as_guest():
        yield configure_framework(run, claim_devices(run))


def describe_choices(run: RunConfig, model: Any, devices: Devices) -> dict[str, bool]:
    """Returns what the keys of the trainer that may be `auto` have become.

    Args:
        run: The checked config.
        model: What `build_model` returned.
        devices: Those that compute.
    """
    return {"jit": bool(model.jit_compile), "onednn": uses_onednn(run, devices)}


def uses_onednn(run: RunConfig, devices: Devices) -> bool:
    """Tells whether oneDNN's kernels compute, as they do on a CPU unless refused."""
    on_cpu = devices.kind == "cpu" and run.backend == "tensorflow"
    return on_cpu and run.trainer.onednn is not False
