"""The recorded config of a run, as it is used where the run is looked at."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from experiments.config.schema.run import RunConfig
from experiments.config.validation import validate
from experiments.errors import ConfigError
from experiments.jobs.runs.recorded_job import check_record
from experiments.runtime.devices import list_gpus
from experiments.trained.record import Record


def settle_config(
    record: Record,
    *,
    allowed_targets: Sequence[str],
    output_dir: str,
    gpu: Any = "auto",
) -> RunConfig:
    """Returns the config of a run, checked and typed.

    Where it is used and what may be built is what counts here, not what counted there.

    Args:
        record: Of the run.
        allowed_targets: Packages whose members it may name.
        output_dir: Of this process.
        gpu: As `gpu` of a config; `auto` where this machine has one, else the CPU.

    Raises:
        ConfigError: It is no valid config here, or names code that is not allowed.
    """
    device = "cpu" if gpu == "auto" and not list_gpus() else gpu
    own = {"allowed_targets": [*allowed_targets], "gpu": device, "fresh": False}
    own["output_dir"] = output_dir
    title = f"The record of {record.account.name}"
    problems = list(check_record(record.config, allowed_targets))
    if problems:
        raise ConfigError(problems, title)
    try:
        return validate({**record.config, **own})
    except ConfigError as error:
        raise ConfigError(error.problems, title) from error


def for_inference(run: RunConfig) -> RunConfig:
    """Returns a config without what only training needs, and not every machine has."""
    precision = run.trainer.precision if list_gpus() else "float32"
    trainer = replace(
        run.trainer, precision=precision, deterministic=False, threads=None
    )
    return replace(run, trainer=trainer)


def settle_export(run: RunConfig) -> RunConfig:
    """Returns a config of the framework whose converters there are, on the CPU."""
    trainer = replace(run.trainer, precision="float32")
    return replace(run, trainer=trainer, backend="tensorflow", gpu="cpu")
