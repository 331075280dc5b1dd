"""What of a job's folder can go, and its removal; nothing outside is ever meant."""

import os
import re
import socket
import stat
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from experiments import job_files
from experiments.errors import ExperimentError
from experiments.files import remove_inside
from experiments.jobs.folder import claim_folder, read_host
from experiments.jobs.job import JobResult
from experiments.jobs.runs.catalogue import is_plain_file, is_running
from experiments.records import NewerRecordError, RecordError, read_record, write_record
from experiments.training.checkpoints.manifest import read_manifest
from experiments.training.checkpoints.state_name import is_state_name

# As `files.drafting` calls what is not finished yet.
_DRAFT = re.compile(r"unfinished-.+|\..+\.[0-9a-f]{8}\.tmp")
_ROOMS = ("", job_files.CHECKPOINTS, job_files.TRACKING, job_files.SEARCH)
_HYDRAS = {"config.yaml", "hydra.yaml", "overrides.yaml"}
_LOGS = {job_files.LOG, "multirun.yaml", ".hydra"}


class _Cleaned(TypedDict):
    time: str
    bytes: int


@dataclass(frozen=True, kw_only=True)
class Disposable:
    """Files that can go.

    Attributes:
        folder: Of the job that they belong to, or in which they lie.
        what: They are, in words.
        paths: The files, and after them the folders that are empty then.
        is_state: Whether they are the checkpoints of a finished job.
    """

    folder: Path
    what: str
    paths: tuple[Path, ...]
    is_state: bool = False

    @property
    def size(self) -> int:
        """Bytes that the disk gets back; links and folders count as nothing."""
        return sum(_size_of(path) for path in self.paths)


def find_states(folder: Path) -> Disposable | None:
    """Returns the checkpoints of a job; `None` when there are none.

    What somebody else has put beside them stays, and so does all of a folder that is
    a link.
    """
    place = folder / job_files.CHECKPOINTS
    names = _list_names(place)
    kept = {n for n in names if is_state_name(n) or _DRAFT.fullmatch(n)}
    kept |= {job_files.MANIFEST} & names
    files = sorted(name for name in kept if is_plain_file(place / name))
    if not files:
        return None
    # The manifest last: until then it says what is still there.
    files.sort(key=lambda name: name == job_files.MANIFEST)
    paths = (*(place / name for name in files), place)
    what = job_files.CHECKPOINTS  # the word for them, too
    return Disposable(folder=folder, what=what, paths=paths, is_state=True)


def find_leftovers(folder: Path, *, before: float) -> Iterator[Disposable]:
    """Yields what a process that died has left in the folder of a job or a sweep.

    Args:
        folder: In which no process works.
        before: What was touched later may be in use; seconds since 1970.
    """
    drafts = [
        folder / room / name
        for room in _ROOMS
        for name in sorted(_list_names(folder / room))
        if _DRAFT.fullmatch(name)
    ]
    yield from _as_item(folder, "unfinished files", drafts, before=before)
    place = folder / job_files.CHECKPOINTS
    uncounted = [place / name for name in _list_uncounted(place)]
    yield from _as_item(folder, "states that do not count", uncounted, before=before)
    holder = folder / job_files.HOLDER
    if is_plain_file(holder):
        yield from _as_item(
            folder, "the sign of a dead process", [holder], before=before
        )


def find_empty(folder: Path, *, before: float) -> Disposable | None:
    """Returns a folder in which no run began; `None` for any other one.

    It holds nothing but what Hydra writes before a job starts.
    """
    names = _list_names(folder)
    inner = folder / ".hydra"
    if not (names <= _LOGS and _list_names(inner) <= _HYDRAS):
        return None
    if ".hydra" in names and not stat.S_ISDIR(inner.lstat().st_mode):
        return None
    files = [inner / name for name in sorted(_list_names(inner))]
    files += [inner] if ".hydra" in names else []
    files += [folder / name for name in sorted(names - {".hydra"})]
    items = _as_item(folder, "a folder without a run", [*files, folder], before=before)
    return next(items, None)


def find_drafts(output_dir: Path, *, before: float) -> Iterator[Disposable]:
    """Yields what was left unfinished beside the folders of the runs."""
    names = sorted(n for n in _list_names(output_dir) if _DRAFT.fullmatch(n))
    paths = [output_dir / name for name in names]
    yield from _as_item(output_dir, "unfinished files", paths, before=before)


def is_touched_elsewhere(folder: Path) -> bool:
    """Tells whether a process works in a folder, here or perhaps on another machine."""
    if is_running(folder):
        return True
    host = read_host(folder) if is_plain_file(folder / job_files.HOLDER) else None
    return host not in (None, socket.gethostname())


def dispose(item: Disposable, output_dir: Path) -> int:
    """Removes what can go and returns how many bytes that were.

    Args:
        item: What; its folder is held meanwhile, and looked at again.
        output_dir: Outside of it nothing is removed.

    Raises:
        ExperimentError: A process works there by now, or the job goes on.
        OSError: The disk refuses.
    """
    if item.folder == output_dir or not (item.folder / job_files.LOCK).exists():
        return _remove(item, output_dir)
    if not is_plain_file(item.folder / job_files.LOCK):
        raise ExperimentError(f"{item.folder / job_files.LOCK} is no ordinary file")
    with claim_folder(item.folder):
        if not item.is_state:
            return _remove(item, output_dir)
        result = JobResult.load(item.folder)
        if result is None or result.status != "FINISHED":
            raise ExperimentError(f"{item.folder} is no finished job any more")
        # Before they go, so that nobody wonders where they are.
        content: _Cleaned = {"time": time.strftime("%Y-%m-%d"), "bytes": item.size}
        write_record(item.folder / job_files.CLEANED, dict(content))
        return _remove(item, output_dir)


def describe_cleaning(folder: Path) -> str:
    """Returns when the checkpoints of a job were removed, a sentence; else nothing."""
    try:
        found: _Cleaned = read_record(folder / job_files.CLEANED, _Cleaned)
    except (OSError, RecordError, NewerRecordError):
        return ""
    return f"Its checkpoints were removed by task=clean on {found['time']:.10}."


def _remove(item: Disposable, output_dir: Path) -> int:
    removed = 0
    for path in item.paths:
        size, is_folder = _size_of(path), path.is_dir() and not path.is_symlink()
        try:
            remove_inside(output_dir, path)
            removed += size
        except FileNotFoundError:
            pass
        except OSError:
            if not is_folder:  # one that holds something else stays
                raise
    return removed


def _as_item(
    folder: Path, what: str, found: Sequence[Path], *, before: float
) -> Iterator[Disposable]:
    """Yields files as one item, if all of them were left alone for long enough."""
    paths = [part for path in found for part in _list_below(path)]
    if paths and max(_time_of(path) for path in paths) < before:
        yield Disposable(folder=folder, what=what, paths=tuple(paths))


def _list_below(path: Path) -> Iterable[Path]:
    """Returns a file, or what is in a folder and then that; links are not followed."""
    if path.is_symlink() or not path.is_dir() or not _DRAFT.fullmatch(path.name):
        return [path]
    return [
        Path(place, name)
        for place, folders, files in os.walk(path, topdown=False)
        for name in (*files, *folders)
    ] + [path]


def _list_uncounted(place: Path) -> list[str]:
    """Returns the states that the manifest does not name; none where it is unreadable.

    Without a manifest they may be all that is left of a job.
    """
    names = _list_names(place)  # none where the folder is a link
    try:
        manifest = read_manifest(place) if names else None
    except (OSError, RecordError, NewerRecordError):
        return []
    if manifest is None:
        return []
    counted = {record.file for record in manifest.records()}
    return sorted(name for name in names - counted if is_state_name(name))


def _list_names(folder: Path) -> set[str]:
    """Returns what is in a folder; nothing for a link, or what is none."""
    try:
        is_folder = stat.S_ISDIR(folder.lstat().st_mode)
        return set(os.listdir(folder)) if is_folder else set()  # noqa: PTH208
    except OSError:
        return set()


def _size_of(path: Path) -> int:
    with suppress(OSError):
        facts = path.lstat()
        return facts.st_size if stat.S_ISREG(facts.st_mode) else 0
    return 0


def _time_of(path: Path) -> float:
    with suppress(OSError):
        return path.lstat().st_mtime
    return time.time()
