"""Which folders their user has said to trust, by `experiments trust`.

What is remembered is the folder itself, not its name alone: another one that takes its
place later, such as a fresh download, is asked about anew. What is in it may change.
"""

import json
import os
from pathlib import Path
from typing import Any

from experiments.errors import ExperimentError
from experiments.files import replace_json

_MOST_BYTES = 1 << 20


def settings_file() -> Path:
    """Returns where it is remembered for this user."""
    base = os.environ.get("XDG_CONFIG_HOME")
    folder = Path(base) if base else Path.home() / ".config"
    return folder / "experiments" / "trusted.json"


def is_trusted(folder: Path) -> bool:
    """Tells whether a folder was trusted and is still the same one."""
    number = _read().get(str(folder.resolve()))
    try:
        return number is not None and number == folder.stat().st_ino
    except OSError:
        return False


def trust(folder: Path) -> None:
    """Remembers a folder from now on.

    Raises:
        ExperimentError: The file that remembers it can't be written.
    """
    _write({**_read(), str(folder.resolve()): folder.stat().st_ino})


def distrust(folder: Path) -> bool:
    """Forgets a folder; returns whether it was known.

    Raises:
        ExperimentError: The file that remembers it can't be written.
    """
    known = _read()
    found = known.pop(str(folder.resolve()), None)
    if found is not None:
        _write(known)
    return found is not None


def _read() -> dict[str, int]:
    """Returns the number of the inode of each folder, by its path."""
    try:
        with settings_file().open("rb") as file:
            content: Any = json.loads(file.read(_MOST_BYTES))
    except (OSError, ValueError, RecursionError, RuntimeError):
        return {}  # nobody is trusted by a file that cannot be read
    folders = content.get("folders") if isinstance(content, dict) else None
    if not isinstance(folders, dict):
        return {}
    return {path: number for path, number in folders.items() if type(number) is int}


def _write(folders: dict[str, int]) -> None:
    path = settings_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_json(path, {"version": 1, "folders": folders}, indent=2)
    except OSError as error:
        raise ExperimentError(
            f"{path} cannot be written: {error.strerror}. To keep it elsewhere, set "
            "the variable XDG_CONFIG_HOME to a folder of yours."
        ) from error
