"""Programs of this Python's environment, as a shell finds them."""

import os
import shlex
import shutil
import sys
from pathlib import Path

from experiments.shipped import is_checkout

# Environment: the script as it was typed, which a launcher's worker does not know.
SCRIPT_VARIABLE = "EXPERIMENTS_SCRIPT"
# Likewise the flags that say where configs come from, as a shell would read them.
FLAGS_VARIABLE = "EXPERIMENTS_FLAGS"
_SCRIPT = "run.py"
_PROGRAM = "experiments"


def typed_script() -> str:
    """Returns the path of this project's script, as it was typed.

    It is `experiments` where that command was typed, which a wheel brings. A notebook
    or a script of one's own has typed neither: there it is what the installation has.
    """
    typed = Path(sys.argv[0])
    if typed.name == _SCRIPT:
        return str(typed)
    if typed.stem == _PROGRAM:
        return _PROGRAM
    return os.environ.get(SCRIPT_VARIABLE) or _name_installed()


def typed_config_flags() -> list[str]:
    """Returns the flags that say where configs come from, as they were typed."""
    return shlex.split(os.environ.get(FLAGS_VARIABLE, ""))


def _name_installed() -> str:
    """Returns `run.py`, which lies in a checkout; a wheel has no such file."""
    return _SCRIPT if is_checkout() else _PROGRAM


def is_installed() -> bool:
    """Tells whether the command is `experiments`, instead of a script."""
    return typed_script() == _PROGRAM


def name_command() -> str:
    """Returns what a person types in front of overrides, by its usual name."""
    return _PROGRAM if is_installed() else f"python {_SCRIPT}"


def command_words() -> list[str]:
    """Returns the same as it runs from whatever folder, by this environment."""
    if is_installed():
        return [name_program(_PROGRAM)]
    return [name_python(), typed_script()]


def name_program(name: str) -> str:
    """Returns what to type to run a program from whatever folder.

    Args:
        name: Such as `mlflow`.

    Returns:
        Its name, where the environment is activated; else its path.
    """
    folder = Path(sys.executable).parent
    found = shutil.which(name)
    if found is not None and Path(found).parent == folder:
        return name
    return str(folder / name)


def name_python() -> str:
    """Returns what to type to run this interpreter, likewise."""
    name = name_program("python")
    return name if name == "python" else sys.executable
