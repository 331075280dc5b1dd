"""What the processes of a command are told, and one that takes this one's place."""

import os
import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from experiments.command.config_folders.permission import Permission
from experiments.command.plan import Plan
from experiments.config.code.programs import (
    FLAGS_VARIABLE,
    SCRIPT_VARIABLE,
    typed_script,
)
from experiments.jobs.job import PROCESS_VARIABLE
from experiments.own_code import admit_code

SAFE_PATH_VARIABLE = "PYTHONSAFEPATH"  # Python's own


def prepare_environment(permission: Permission, plan: Plan) -> None:
    """Tells the processes that will be started what this one knows."""
    os.environ |= {
        PROCESS_VARIABLE: str(os.getpid()),
        SCRIPT_VARIABLE: typed_script(),
        FLAGS_VARIABLE: shlex.join(plan.flags),
        # `python -m` would look for its first modules where the command was typed.
        SAFE_PATH_VARIABLE: "1",
    }
    admit_code(Path.cwd(), [*plan.run.allowed_targets, *permission.names])


def restart(command: Sequence[str]) -> NoReturn:
    """Replaces this process by a fresh one of the same command, which continues."""
    sys.stdout.flush()
    os.environ.pop(SAFE_PATH_VARIABLE, None)
    # What was started anew must not be started anew again.
    words = [re.sub(r"^\+*fresh=.*", "fresh=false", word) for word in command]
    os.execv(sys.executable, words)  # noqa: S606
