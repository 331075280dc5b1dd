"""The files that a person names in order to have them looked at by a model."""

import glob
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from experiments.config.kinds.paths import STANDARD_INPUT
from experiments.data.files.place.entries import is_hidden, is_image_name, suffix_of
from experiments.data.files.scanning.scan import show_name
from experiments.errors import DataError

_LISTS = (".txt", ".lst", ".list")
_VIDEOS = frozenset(
    [".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv"]
)
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_STANDARD_INPUT = 0  # its descriptor
_MOST_LISTED = 2**20  # bytes of a name


def check_inputs(inputs: Sequence[str]) -> None:
    """Looks at what was typed before anything heavy is imported.

    Raises:
        DataError: One of them is not there, or of a kind that is not read.
    """
    for name in inputs:
        if name != STANDARD_INPUT:
            _check(name)


def list_inputs(
    inputs: Sequence[str], lines: Iterable[str], *, folder: Path = Path()
) -> Iterator[str]:
    """Yields the files that are meant, one after another and in a stable order.

    | typed | means |
    | --- | --- |
    | a file | that file |
    | a folder | every file below it that is called like an image, hidden ones not |
    | `photos/*.jpg`, `photos/**/*.png` | what a shell would find, sorted |
    | a file that ends in `.txt` | the files that it lists, a line each; relative ones \
lie beside it |
    | `-` | the files that standard input lists, likewise; relative to `folder` |

    A file that a list names and that is not there is yielded: it is for the reader to
    tell.

    Args:
        inputs: What was typed.
        lines: Of the standard input.
        folder: In which the command was typed.

    Raises:
        DataError: As `check_inputs`.
    """
    for name in inputs:
        if name == STANDARD_INPUT:
            yield from _read_names(lines, folder)
        else:
            yield from _list(name)


def read_standard_input() -> Iterator[str]:
    """Yields the lines of the standard input, whose bytes need not be UTF-8.

    Whoever has typed `-` without a pipe is told what is waited for.
    """
    if os.isatty(_STANDARD_INPUT):
        print(
            "Waiting for names of files, one a line; Ctrl-D ends them.\n"
            "From a pipe: ls photos/*.jpg | ...",
            file=sys.stderr,
        )
    descriptor = os.dup(_STANDARD_INPUT)  # which others may go on reading
    with os.fdopen(descriptor, encoding="utf-8", errors="surrogateescape") as lines:
        yield from lines


def name_input(path: str, folder: Path) -> str:
    """Returns what a file is called, one line of UTF-8 text.

    Args:
        path: Of the file.
        folder: In which the command was typed; what lies below is named from there.
    """
    return show_name(path.removeprefix(f"{folder}/"))


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
    # `Path.exists` would raise for what lies in a folder that may not be read.
    if not os.path.exists(name) and not _find(name):  # noqa: PTH110
        raise DataError(
            f"input: {name} is not there. Give files, folders, a pattern such as "
            "'photos/*.jpg', a .txt file that lists them, or - for names from a pipe."
        )
    if Path(name).is_dir() and next(_walk(Path(name)), None) is None:
        raise DataError(
            f"input: {name} holds no file that is called like an image (.jpg, .png, "
            ".gif, .bmp, .webp). Name other files by a pattern, such as 'photos/*'."
        )


def _list(name: str) -> Iterator[str]:
    _check(name)
    path = Path(name)
    if path.is_dir():
        yield from _walk(path)
    elif not os.path.exists(name):  # noqa: PTH110 (as above)
        yield from _list_found(_find(name))
    elif suffix_of(name) in _LISTS:
        # Editors of Windows begin a file with a mark.
        with path.open(encoding="utf-8-sig", errors="surrogateescape") as file:
            yield from _read_names(file, path.parent)
    else:
        yield name


def _find(pattern: str) -> list[str]:
    """Returns what a pattern means; brackets in the names of its folders are names."""
    path = Path(pattern)
    folder = next(p for p in path.parents if os.path.exists(p))  # noqa: PTH110
    rest = str(path.relative_to(folder))
    found = glob.glob(rest, root_dir=folder, recursive=True)  # noqa: PTH207 (sorted)
    return sorted(str(folder / name) for name in found)


def _list_found(found: Sequence[str]) -> Iterator[str]:
    """Yields the files among what was found, and those of folders, each once."""
    walked: set[Path] = set()
    for name in found:
        path = Path(name)
        if walked.intersection(path.parents):
            continue  # as `photos/**` finds a folder and all that is in it
        if path.is_dir():
            walked.add(path)
            yield from _walk(path)
        else:
            yield name


def _walk(folder: Path) -> Iterator[str]:
    """Yields the images below a folder; links to folders are not followed.

    A folder that may not be read is yielded itself: it is for the reader to tell.
    """
    closed: list[OSError] = []
    for current, folders, names in os.walk(folder, onerror=closed.append):
        yield from (str(error.filename) for error in closed)
        closed.clear()
        folders[:] = sorted(f for f in folders if not is_hidden(f))
        for name in sorted(names):
            if is_image_name(name) and not is_hidden(name):
                yield os.path.join(current, name)  # noqa: PTH118
    yield from (str(error.filename) for error in closed)


def _read_names(lines: Iterable[str], folder: Path) -> Iterator[str]:
    """Yields the names of lines, or of what `find -print0` writes."""
    for line in lines:
        for name in line.rstrip("\r\n").split("\0"):
            if name.strip():
                yield str(folder / name[:_MOST_LISTED])
