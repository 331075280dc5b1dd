"""Looks at every file of a data set once: is it an image, and which?"""

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from experiments.data.image_header import detect_format, find_fault
from experiments.data.scan_cache import ScanCache, ScanRecord

_END_BYTES = 4096
_FILES_A_TASK = 64


@dataclass(frozen=True)
class ScannedFile:
    """What is known of one file.

    Attributes:
        name: Path relative to the data set's folder, with forward slashes.
        digest: Hash of its size, first and last 4 KiB: the whole of a small file. A
            change in the middle of a JPEG or PNG changes the size or the end as well
            (PNG ends with checksums). With `verify=off`, of its name and size.
        fault: Why it cannot be used, half a sentence; `None` if it can.
        size: Bytes; 0 if it could not be read, as is `modified`.
        modified: Modification time in nanoseconds.
    """

    name: str
    digest: str
    fault: str | None
    size: int = 0
    modified: int = 0


def show_name(name: str) -> str:
    """Returns a file's name as UTF-8 text, other bytes escaped."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def scan_files(
    root: Path,
    names: Sequence[str],
    *,
    verify: str,
    threads: int | None = None,
    cache_folder: Path | None = None,
) -> list[ScannedFile]:
    """Looks at files in parallel, or remembers what was seen.

    Args:
        root: Folder of the data set.
        names: Files, relative to `root`.
        verify: `full` decodes every file once (some 700 photographs of 500 x 375 a
            second and core). `header` reads two blocks of it and notices other kinds
            of file and cut-off ones. `off` opens none and notices only empty ones.
        threads: How many files to look at at once; `None` for one per CPU core.
        cache_folder: Remembers the result; a file is looked at again when its size
            or modification time changes, or more is asked for. `None` remembers none.
    """
    cache = ScanCache(root, cache_folder if verify != "off" else None)
    # Waiting for a disk or a network takes longer than the work on two short reads.
    workers = (threads or os.cpu_count() or 1) * (1 if verify == "full" else 4)
    chunks = [names[i : i + _FILES_A_TASK] for i in range(0, len(names), _FILES_A_TASK)]

    def look(chunk: Sequence[str]) -> list[ScanRecord]:
        return [_look_at(root, name, verify, cache) for name in chunk]

    with ThreadPoolExecutor(workers) as pool:
        records = [record for part in pool.map(look, chunks) for record in part]
    cache.save(dict(zip(names, records, strict=True)))
    return list(_describe(names, records))


def _describe(
    names: Sequence[str], records: Sequence[ScanRecord]
) -> Iterator[ScannedFile]:
    for name, record in zip(names, records, strict=True):
        yield ScannedFile(
            name, record.digest, record.fault, record.size, record.modified
        )


def _look_at(root: Path, name: str, verify: str, cache: ScanCache) -> ScanRecord:
    path = root / name
    if show_name(name) != name:
        return _record(0, 0, verify, show_name(name), "has a name that is not UTF-8")
    try:
        status = path.stat()
    except OSError as error:
        return _record(0, 0, verify, name, f"cannot be read ({error.strerror})")
    if not stat.S_ISREG(status.st_mode):
        return _record(0, 0, verify, name, "is a pipe, a socket or a device")
    size, modified = status.st_size, status.st_mtime_ns
    known = cache.find(name, size=size, modified=modified, verify=verify)
    if known is not None:
        return known
    if verify == "off":
        fault = "is empty" if size == 0 else None
        return _record(size, modified, verify, f"{name}:{size}", fault)
    try:
        content = _read_ends(path, size) if verify == "header" else path.read_bytes()
        fault = _find_fault(path, content, size)
    except OSError as error:
        return _record(0, 0, verify, name, f"cannot be read ({error.strerror})")
    head, tail = content[:_END_BYTES], content[-_END_BYTES:]
    if verify == "full":
        fault = fault or _decoding_fault(content)
    return ScanRecord(size, modified, verify, _digest(size, head, tail), fault)


def _find_fault(path: Path, content: bytes, size: int) -> str | None:
    """Returns what is wrong with a file of which the ends, or all, are known."""
    known = content if size <= 2 * _END_BYTES else content[:_END_BYTES]
    fault = find_fault(known, content[-_END_BYTES:], size)
    if fault and len(known) < size and detect_format(known):
        # The end may lie before kilobytes that a phone put behind it.
        whole = path.read_bytes()
        fault = find_fault(whole, whole, size)
    return fault


def _record(
    size: int, modified: int, verify: str, identity: str, fault: str | None
) -> ScanRecord:
    digest = hashlib.blake2b(identity.encode(), digest_size=16).hexdigest()
    return ScanRecord(size, modified, verify, digest, fault)


def _read_ends(path: Path, size: int) -> bytes:
    """Returns the first and the last 4 KiB, or a small file's whole content."""
    with path.open("rb", buffering=0) as file:
        head = file.read(2 * _END_BYTES)
        if size <= 2 * _END_BYTES:
            return head
        file.seek(-_END_BYTES, os.SEEK_END)
        return head[:_END_BYTES] + file.read(_END_BYTES)


def _digest(size: int, head: bytes, tail: bytes) -> str:
    content = b"%d:" % size + head + tail
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _decoding_fault(content: bytes) -> str | None:
    """Decodes the image as the pipeline will; returns why that fails."""
    # Imported here so that reading headers does not need TensorFlow.
    from experiments.data.decode import find_decoding_fault

    return find_decoding_fault(content)
