"""Code of the folder in which a command was typed: a person's own components.

It can be imported once a config may name it, which is said by whoever may say so, see
`command.permission`; before that no module is looked for there.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

# Environment: that folder, for processes that this one starts.
_VARIABLE = "EXPERIMENTS_CODE"
# What no folder brings, whatever is in it.
_NOT_OWN = {"experiments", "keras", "hydra", "hydra_plugins"}
_NO_COMPONENTS = {"tests"}


def list_packages(folder: Path) -> list[str]:
    """Returns the packages in a folder that may hold components, by their names."""
    left_out = _NOT_OWN | _NO_COMPONENTS | sys.stdlib_module_names
    names = {path.parent.name for path in folder.glob("*/__init__.py")}
    return sorted(name for name in names - left_out if name.isidentifier())


def admit_code(folder: Path, names: Sequence[str]) -> None:
    """Lets modules of a folder be imported if a config may name one of them.

    They come last: nothing that is installed is hidden by a file of that folder.

    Args:
        folder: Where the command was typed.
        names: What configs may name, such as `my_project.model`.
    """
    roots = {name.partition(".")[0] for name in names} - _NOT_OWN
    places = [folder / place for root in roots for place in (root, f"{root}.py")]
    if any(place.exists() for place in places):
        os.environ[_VARIABLE] = str(folder)
        admit_code_of_parent()


def admit_code_of_parent() -> None:
    """Does what the process decided that started this one."""
    folder = os.environ.get(_VARIABLE)
    if folder and folder not in sys.path:
        sys.path.append(folder)


def own_folder() -> Path | None:
    """Returns the folder whose code was admitted."""
    folder = os.environ.get(_VARIABLE)
    return Path(folder) if folder else None


def describe_variable() -> dict[str, str]:
    """Returns the variable that tells other processes, if there is anything to tell."""
    folder = os.environ.get(_VARIABLE)
    return {_VARIABLE: folder} if folder else {}
