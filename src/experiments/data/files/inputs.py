"""The files that a person names in order to have them looked at by a model."""

import glob
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from experiments.data.files.entries import is_hidden, is_image_name, suffix_of
from experiments.errors import DataError

STANDARD_INPUT = "-"
_LISTS = (".txt", ".lst", ".list")
_VIDEOS = frozenset(
    [".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv"]
)
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_MOST_LISTED = 2**20  # bytes of a name


def check_inputs(inputs: Sequence[str]) -> None:
    """Looks at what was typed before anything heavy is imported.

    Raises:
        DataError: One of them is not there, or of a kind that is not read.
    """
    for name in inputs:
        if name != STANDARD_INPUT:
            _check(name)


def list_inputs(inputs: Sequence[str], lines: Iterable[str]) -> Iterator[str]:
    """Yields the files that are meant, one after another and in a stable order.

    | typed | means |
    | --- | --- |
    | a file | that file |
    | a folder | every file below it that is called like an image, hidden ones not |
    | `photos/*.jpg`, `photos/**/*.png` | what a shell would find, sorted |
    | a file that ends in `.txt` | the files that it lists, a line each; relative ones \
lie beside it |
    | `-` | the files that standard input lists, likewise; relative to this folder |

    A file that a list names and that is not there is yielded: it is for the reader to
    tell.

    Args:
        inputs: What was typed.
        lines: Of the standard input.

    Raises:
        DataError: As `check_inputs`.
    """
    for name in inputs:
        if name == STANDARD_INPUT:
            yield from _read_names(lines, Path())
        else:
            yield from _list(name)


def _check(name: str) -> None:
    if _ADDRESS.match(name):
        raise DataError(
            f"input takes files of this machine, not addresses. Received: {name}. "
            "Fetch it first."
        )
    if suffix_of(name) in _VIDEOS:
        raise DataError(
            f"input takes images, not videos. Received: {name}. Extract its frames "
            "first."
        )
    if not Path(name).exists() and not _find(name):
        raise DataError(
            f"input: {name} is not there. Give files, folders, a pattern such as "
            "'photos/*.jpg', a .txt file that lists them, or - for names from a pipe."
        )


def _list(name: str) -> Iterator[str]:
    _check(name)
    path = Path(name)
    if path.is_dir():
        yield from _walk(path)
    elif not path.exists():
        for found in _find(name):
            yield from _walk(Path(found)) if Path(found).is_dir() else (found,)
    elif suffix_of(name) in _LISTS:
        with path.open(encoding="utf-8", errors="surrogateescape") as file:
            yield from _read_names(file, path.parent)
    else:
        yield name


def _find(pattern: str) -> list[str]:
    return sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 (absolute ones)


def _walk(folder: Path) -> Iterator[str]:
    """Yields the images below a folder; links to folders are not followed."""
    for current, folders, names in os.walk(folder):
        folders[:] = sorted(f for f in folders if not is_hidden(f))
        for name in sorted(names):
            if is_image_name(name) and not is_hidden(name):
                yield os.path.join(current, name)  # noqa: PTH118


def _read_names(lines: Iterable[str], folder: Path) -> Iterator[str]:
    for line in lines:
        name = line.rstrip("\r\n")
        if name:
            yield str(folder / name[:_MOST_LISTED])
