"""Sees whether a process touches what it has no business with."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_watched: dict[str, list[str]] = {}


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if not _watched or not (event == "open" or event.startswith(("os.", "shutil."))):
        return
    for argument in arguments[:2]:
        if isinstance(argument, str | bytes | os.PathLike):
            path = os.path.realpath(os.fsdecode(argument))
            for folder, seen in list(_watched.items()):
                if path == folder or path.startswith(f"{folder}/"):
                    seen.append(f"{event} {path}")


sys.addaudithook(_hook)


@contextmanager
def watched(folder: Path) -> Iterator[list[str]]:
    """Yields what Python does to files of a folder, as it happens: opened, removed."""
    name = os.path.realpath(folder)
    _watched[name] = seen = []
    try:
        yield seen
    finally:
        del _watched[name]
