"""What lay in a data set's folder when it was read, to tell later what changed.

Names, sizes and modification times are enough where nothing changed, and quick for a
million files; files are opened only where those differ. Imports nothing heavy.
"""

import hashlib
import os
import posixpath
import stat
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from experiments.counts import count_of
from experiments.data.files.folders.class_folders import list_unchecked
from experiments.data.files.folders.layout import find_splits
from experiments.data.files.place.whereabouts import require_folder
from experiments.data.files.scanning.scan import (
    ScannedFile,
    is_text,
    scan_files,
    show_name,
)
from experiments.data.files.tables.label_table import Columns, read_label_table
from experiments.data.files.tables.row_labels import LabelColumns
from experiments.errors import DataError

_SHOWN = 4
_THREADS = 8
_ARCHIVE = "the archive"
# A listing may be reused for so many times as long as it took, by jobs of one sweep.
_REUSE = 10

_Stats = list[tuple[str, int, int]]
_listings: dict[str, tuple[float, float, dict[str, _Stats]]] = {}


def describe_files(
    root: Path,
    scanned: Sequence[ScannedFile],
    folders: Sequence[str],
    *,
    splits: Mapping[str, str],
    by_name: bool,
    verify: str,
) -> dict[str, Any]:
    """Returns plain data that `list_file_changes` can compare with the folder later.

    Args:
        root: The data set's folder.
        scanned: All of its files, unusable ones included.
        folders: The class folder of each, relative to the data set's.
        splits: Split name -> its folder; empty without split folders.
        by_name: Whether further folders may be taken for splits by their names.
        verify: How the digests came about, see `scan_files`.
    """
    groups: dict[str, list[ScannedFile]] = defaultdict(list)
    for file, folder in zip(scanned, folders, strict=True):
        groups[show_name(folder)].append(file)
    return {
        "path": str(root.resolve()),
        "splits": dict(splits),
        "by_name": by_name,
        "verify": verify,
        "folders": {
            folder: {
                "files": len(files),
                "stats": _hash_stats((f.name, f.size, f.modified) for f in files),
                "content": _hash_content(files),
            }
            for folder, files in sorted(groups.items())
        },
    }


def describe_archive(path: Path) -> dict[str, Any]:
    """Describes a local copy of a published data set: a file, or a folder of files."""
    root, names = _list_archive(path)
    scanned = scan_files(root, names, verify="header")
    folders = [_ARCHIVE] * len(names)
    common: dict[str, Any] = {"splits": {}, "by_name": False, "verify": "header"}
    described = describe_files(root, scanned, folders, **common)
    return {**described, "path": str(path.resolve()), "archive": True}


def describe_files_now(former: Mapping[str, Any], path: str) -> dict[str, Any]:
    """Describes the present files of a data set as those of `former` were.

    Args:
        former: What `describe_files` returned when it was read.
        path: Where the data set is now.

    Returns:
        The same form. A folder in which sizes and times are the former ones has the
        former `content`, one with another number of files has none. When the folder
        cannot be listed, the key `problem` says why.
    """
    now = {**former, "path": path, "folders": {}}
    try:
        groups = _list_stats(former, path)
    except DataError as error:
        return {**now, "problem": str(error).rstrip(".")}
    for folder, stats in sorted(groups.items()):
        before = former["folders"].get(show_name(folder), {})
        state = {"files": len(stats), "stats": _hash_stats(stats), "content": None}
        if state["stats"] == before.get("stats"):
            state["content"] = before["content"]
        elif state["files"] == before.get("files"):
            level = "off" if former["verify"] == "off" else "header"
            names = [name for name, _, _ in stats]
            root = Path(path) if Path(path).is_dir() else Path(path).parent
            state["content"] = _hash_content(scan_files(root, names, verify=level))
        now["folders"][show_name(folder)] = state
    return now


def list_file_changes(former: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Returns what differs between two descriptions of files, a phrase each.

    Moved, copied and touched files are the same files.
    """
    if "problem" in now:
        return [f"they cannot be read any more ({now['problem']})"]
    before, after = former["folders"], now["folders"]
    new = [f"the folder {name} is new" for name in after if name not in before]
    gone = [f"the folder {name} is gone" for name in before if name not in after]
    common = [name for name in before if name in after]
    grown = [
        f"{_count(after[name]['files'] - before[name]['files'])} in {name}"
        for name in common
        if after[name]["files"] != before[name]["files"]
    ]
    comparable = (former["verify"] == "off") == (now["verify"] == "off")
    other = [
        f"other content in {name}"
        for name in common
        if comparable
        and after[name]["files"] == before[name]["files"]
        and after[name]["content"] != before[name]["content"]
    ]
    phrases = [*new, *gone, *grown, *other]
    total = _total(after) - _total(before)
    summary = [_count(total)] if total and len(phrases) > len(grown) else []
    more = len(phrases) - _SHOWN
    rest = [f"and {count_of(more, 'change')} more"] if more > 0 else []
    return [*summary, *phrases[:_SHOWN], *rest]


def _total(folders: Mapping[str, Mapping[str, Any]]) -> int:
    return sum(int(state["files"]) for state in folders.values())


def _count(difference: int) -> str:
    files = count_of(abs(difference), "file")
    return f"{files} {'more' if difference > 0 else 'less'}"


def _list_stats(former: Mapping[str, Any], path: str) -> dict[str, _Stats]:
    """Returns class folder -> name, size and modification time of each of its files."""
    key = repr((path, former["splits"], former["by_name"]))
    started, took, groups = _listings.get(key, (0.0, 0.0, {}))
    if time.monotonic() - started > _REUSE * took:
        started = time.monotonic()
        groups = _read_stats(former, path)
        _listings[key] = (started, time.monotonic() - started, groups)
    return groups


def _read_stats(former: Mapping[str, Any], path: str) -> dict[str, _Stats]:
    root = Path(path)
    if former.get("archive"):
        place, names = _list_archive(root)
        return {_ARCHIVE: list(_stat(str(place), names))}
    if "table" in former:
        listed = _list_named(former["table"], path)
        return {folder: list(_stat(path, names)) for folder, names in listed.items()}
    splits = dict(former["splits"])
    if former["by_name"] and splits:
        splits = {**_find_further_splits(root), **splits}
    listed = list_unchecked(root, splits.values())
    with ThreadPoolExecutor(_THREADS) as pool:
        stats = pool.map(lambda names: list(_stat(path, names)), listed.values())
        return dict(zip(listed, stats, strict=True))


def _list_named(table: Mapping[str, str], root: str) -> dict[str, list[str]]:
    """Returns folder -> the files in it that a table names."""
    column = table["path_column"]
    columns = Columns(path=column, label=LabelColumns(one=column))
    read = read_label_table(table["file"], root, columns)
    listed: dict[str, list[str]] = defaultdict(list)
    for row in read.rows:
        listed[posixpath.dirname(row.name) or "."].append(row.name)
    return listed


def _list_archive(path: Path) -> tuple[Path, list[str]]:
    """Returns a folder and the files in it that an archive consists of.

    Raises:
        DataError: There is no such file or folder.
    """
    if path.is_file():
        return path.parent, [path.name]
    folder = require_folder(str(path))
    files = [file for file in folder.rglob("*") if file.is_file()]
    return folder, sorted(file.relative_to(folder).as_posix() for file in files)


def _find_further_splits(root: Path) -> dict[str, str]:
    try:
        return find_splits(root)
    except DataError:
        return {}


def _stat(root: str, names: Iterable[str]) -> Iterator[tuple[str, int, int]]:
    """Yields what a scan knows of a file without opening it."""
    for name in names:
        try:
            status = os.stat(f"{root}/{name}")  # noqa: PTH116
        except OSError:
            yield name, 0, 0
            continue
        regular = stat.S_ISREG(status.st_mode) and is_text(name)
        yield (name, status.st_size, status.st_mtime_ns) if regular else (name, 0, 0)


def _hash_stats(stats: Iterable[tuple[str, int, int]]) -> str:
    digest = hashlib.blake2b(digest_size=8)
    for name, size, modified in sorted(stats):
        digest.update(f"{name}:{size}:{modified}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _hash_content(files: Iterable[ScannedFile]) -> str:
    digest = hashlib.blake2b(digest_size=8)
    for name, content in sorted((file.name, file.digest) for file in files):
        digest.update(f"{name}:{content}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()
