"""A project to begin with: `experiments init my_project`.

What is copied is a project that works as it is, see `examples/my_project`; of the name
it has there each occurrence becomes the new one.
"""

import importlib.util
import keyword
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from experiments.errors import ConfigError, Problem
from experiments.shipped import find_shipped

_NAME: Final = "my_project"
_TAKEN = ("conf", "outputs", "tests")  # folders beside its package
_LEFT_OUT = ("__pycache__", "outputs", ".pytest_cache")


def write_project(folder: Path) -> list[Path]:
    """Writes a project that runs at once.

    Args:
        folder: Where; new or empty. Its name is that of the project's package.

    Returns:
        The files, relative to the folder.

    Raises:
        ConfigError: The folder holds something, cannot be written, or its name can't
            be that of a package.
    """
    name = folder.absolute().name
    _refuse_name(name)
    _refuse_folder(folder)
    written = []
    try:
        for path, content in _list_files(name):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(content, encoding="utf-8")
            written.append(path)
    except OSError as error:
        raise _refusal(f"cannot write {error.filename}: {error.strerror}.") from error
    return written


def _list_files(name: str) -> Iterator[tuple[Path, str]]:
    """Yields path and content of each file of a project of this name."""
    source = find_shipped(_NAME)
    for path in sorted(source.rglob("*")):
        relative = path.relative_to(source)
        if path.is_file() and not set(relative.parts) & set(_LEFT_OUT):
            content = path.read_text("utf-8").replace(_NAME, name)
            yield Path(str(relative).replace(_NAME, name)), content


def _refuse_name(name: str) -> None:
    """Raises unless code can be imported by a name, and nothing else is by then."""
    if not name.isidentifier() or not name.isascii() or keyword.iskeyword(name):
        reason = "needs a name that Python can import: letters, digits and underscores,"
        reason = f"{reason} no digit first. Received: {name}."
        plain = "".join(sign if sign.isalnum() else "_" for sign in name).strip("_")
        fits = plain.isidentifier() and plain.isascii() and not keyword.iskeyword(plain)
        raise _refusal(reason, f"Such as: experiments init {plain if fits else _NAME}")
    if name in sys.stdlib_module_names or name in _TAKEN or _is_importable(name):
        reason = f"needs a name that nothing else has: {name} is one already."
        raise _refusal(reason, f"Such as: experiments init my_{name}")


def _is_importable(name: str) -> bool:
    return name in sys.modules or importlib.util.find_spec(name) is not None


def _refuse_folder(folder: Path) -> None:
    try:
        if folder.is_dir() and any(folder.iterdir()):
            raise _refusal(
                f"writes into a new or an empty folder. {folder} holds files already.",
                "Name another one.",
            )
        if not folder.is_dir() and (folder.exists() or folder.is_symlink()):
            raise _refusal(f"needs a folder: {folder} is none.", "Name another one.")
    except OSError as error:
        raise _refusal(f"cannot look into {folder}: {error.strerror}.") from error


def _refusal(reason: str, hint: str = "") -> ConfigError:
    return ConfigError([Problem("init", reason, hint)], "The command line")
