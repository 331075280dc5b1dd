"""Programs of this Python's environment, as a shell finds them."""

import shutil
import sys
from pathlib import Path


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
