"""The callbacks of a config, by name."""

import inspect
from collections.abc import Mapping
from typing import Any

from experiments.config.code.targets import instantiate, resolve
from experiments.config.schema.run import RunConfig


def build_callbacks(
    run: RunConfig, run_time: Mapping[str, object], *, with_files: bool = True
) -> dict[str, Any]:
    """Builds the callbacks by name, in the order of the config.

    Args:
        run: The checked config.
        run_time: Facts that only the running job knows, such as `output_dir`; each
            callback gets those that its constructor names.
        with_files: Build also those that write into the folder of a job.
    """
    callbacks = {}
    allowed = run.allowed_targets
    for name, config in run.callbacks.items():
        key = f"callbacks.{name}"
        target = resolve(config._target_, key=key, allowed=allowed)
        names = inspect.signature(target).parameters
        if "output_dir" in names and not with_files:
            continue
        facts = {k: v for k, v in run_time.items() if k in names}
        callbacks[name] = instantiate(config, key=key, allowed=allowed, **facts)
    return callbacks
