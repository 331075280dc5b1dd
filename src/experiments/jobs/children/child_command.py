"""Another command of this program, run as if a person had typed it."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence

from experiments.command.printed import typed_folder
from experiments.config.code.programs import command_words
from experiments.errors import ExperimentError
from experiments.interruption import StopRequest
from experiments.jobs.job import PROCESS_VARIABLE, SWEEP_VARIABLE, SWEPT_VARIABLE

_LOOK_SECONDS = 0.2
# What this process was told of itself.
_OWN = (PROCESS_VARIABLE, SWEEP_VARIABLE, SWEPT_VARIABLE)
_PLAN = "stopping: what is trained saves its state first"


def list_flags() -> list[str]:
    """Returns the flags that say where the configs of this job come from."""
    from hydra.core.hydra_config import HydraConfig

    if not HydraConfig.initialized():
        return []
    hydra = HydraConfig.get()
    folders = [
        source.path
        for source in hydra.runtime.config_sources
        if source.provider == "command-line"
    ]
    flags = [word for path in folders for word in ("--config-dir", path)]
    if hydra.job.config_name not in (None, "config"):
        flags += ["--config-name", hydra.job.config_name]
    return flags


def run_command(
    words: Sequence[str], stop: StopRequest, environment: Mapping[str, str]
) -> None:
    """Runs a command to its end; whoever stops this process stops that one.

    Args:
        words: Overrides and flags.
        stop: Asks this process to stop.
        environment: Of the command.

    Raises:
        Preempted: It was asked to stop; the command has saved what it could.
        ExperimentError: The command failed, and has said why.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    kept = {key: value for key, value in environment.items() if key not in _OWN}
    with (
        stop.listening(_PLAN),
        subprocess.Popen(
            [*command_words(), *words],
            cwd=typed_folder(),
            env=kept,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # it hears of Ctrl-C by us, and once
        ) as process,
    ):
        code = _wait(process, stop)
    if code:
        raise ExperimentError(
            f"The command above ended with exit code {code}. Mend what it told, and "
            "type the same command again: it goes on from there."
        )


def _wait(process: "subprocess.Popen[bytes]", stop: StopRequest) -> int:
    asked = False
    while True:
        try:
            return process.wait(_LOOK_SECONDS)
        except subprocess.TimeoutExpired:
            if stop.reason is not None and not asked:
                asked = True
                process.send_signal(signal.SIGINT)
        except BaseException:  # a second Ctrl-C
            os.killpg(process.pid, signal.SIGKILL)
            raise
