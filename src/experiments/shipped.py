"""Folders that come with the package: its configs, and a project to begin with.

In a wheel they lie inside of the package; in a checkout where people edit them, and
`setup.py` brings them from there into the wheel.
"""

from pathlib import Path
from typing import Literal

_CHECKOUT = Path(__file__).parents[2]
_PLACES = {"conf": "conf", "my_project": "examples/my_project"}


def is_checkout() -> bool:
    """Tells whether this code runs from a checkout, not from a wheel."""
    return not (Path(__file__).parent / "conf").is_dir()


def find_shipped(name: Literal["conf", "my_project"]) -> Path:
    """Returns a folder that comes with the package, absolute.

    Args:
        name: `conf` are the configs, `my_project` is what `experiments init` copies.
    """
    if is_checkout():
        return _CHECKOUT / _PLACES[name]
    return Path(__file__).parent / name
