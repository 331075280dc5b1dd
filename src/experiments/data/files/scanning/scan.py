"""Looks at every file of a data set once: is it an image, and which?"""

import hashlib
import os
import stat
import unicodedata
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from experiments.data.files.scanning.scan_cache import ScanCache, ScanRecord
from experiments.data.images.image_header import detect_format, find_fault
from experiments.data.images.image_size import (
    MAX_PIXELS,
    describe_excess,
    read_pixel_count,
)

_END_BYTES = 4096
_FILES_A_TASK = 64
_DECODING = ("full", "decodable")
# Twice what the largest allowed image needs without any compression.
_MOST_BYTES = 2**31
# Control characters, line and paragraph separators.
_UNSHOWN = ("Cc", "Zl", "Zp")
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


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
    """Returns a name as one line of UTF-8 text; what would change a line is escaped.

    Bytes of no text, line breaks, a terminal's commands and marks that turn the
    direction of writing: a file's name may hold any of them.
    """
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    if text.isprintable():
        return text
    return "".join(_escape(character) for character in text)


def _escape(character: str) -> str:
    if unicodedata.category(character) in _UNSHOWN or character in _TURNING:
        return character.encode("unicode_escape").decode("ascii")
    return character


def is_text(name: str) -> bool:
    """Tells whether a name is UTF-8, without which TensorFlow cannot open a file."""
    return name.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in name)


def scan_files(
    root: Path,
    names: Sequence[str],
    *,
    verify: str,
    max_pixels: int = MAX_PIXELS,
    threads: int | None = None,
    cache_folder: Path | None = None,
) -> list[ScannedFile]:
    """Looks at files in parallel, or remembers what was seen.

    Args:
        root: Folder of the data set.
        names: Files, relative to `root`.
        verify: `full` decodes every file once (some 700 photographs of 500 x 375 a
            second and core) and takes for damaged what decoders merely warn of.
            `decodable` lets warnings pass. `header` reads two blocks of a file and
            notices other kinds of file, cut-off and too large ones. `off` opens none
            and notices only empty ones.
        max_pixels: Images that declare more are not decoded and not usable.
        threads: How many files to look at at once; `None` for one per CPU core.
        cache_folder: Remembers the result; a file is looked at again when its size
            or modification time changes, or more is asked for. `None` remembers none.
    """
    cache = ScanCache(root, cache_folder if verify != "off" else None)
    # Waiting for a disk or a network takes longer than the work on two short reads.
    decodes = verify in _DECODING
    workers = (threads or os.cpu_count() or 1) * (1 if decodes else 4)
    chunks = [names[i : i + _FILES_A_TASK] for i in range(0, len(names), _FILES_A_TASK)]

    def look(chunk: Sequence[str]) -> list[ScanRecord]:
        return [_look_at(root, name, verify, max_pixels, cache) for name in chunk]

    with ThreadPoolExecutor(workers) as pool:
        records = [record for part in pool.map(look, chunks) for record in part]
    cache.save(dict(zip(names, records, strict=True)))
    return list(_describe(names, records, max_pixels))


def _describe(
    names: Sequence[str], records: Sequence[ScanRecord], max_pixels: int
) -> Iterator[ScannedFile]:
    for name, record in zip(names, records, strict=True):
        # The limit is no property of a file, so that no record states it.
        fault = record.fault or describe_excess(record.pixels, max_pixels)
        yield ScannedFile(name, record.digest, fault, record.size, record.modified)


def _look_at(
    root: Path, name: str, verify: str, max_pixels: int, cache: ScanCache
) -> ScanRecord:
    path = root / name
    if not is_text(name):
        return _record(0, 0, verify, show_name(name), "has a name that is not UTF-8")
    try:
        status = path.stat()
    except OSError as error:
        lost = isinstance(error, FileNotFoundError) and path.is_symlink()
        refusal = "is a link that leads nowhere" if lost else _refusal(error)
        return _record(0, 0, verify, name, refusal)
    if stat.S_ISDIR(status.st_mode):
        closed = "" if os.access(path, os.R_OK | os.X_OK) else " that may not be read"
        return _record(0, 0, verify, name, f"is a folder{closed}")
    if not stat.S_ISREG(status.st_mode):
        return _record(0, 0, verify, name, "is a pipe, a socket or a device")
    size, modified = status.st_size, status.st_mtime_ns
    if size > _MOST_BYTES:
        excess = f"has {size:,} bytes, more than an image may have ({_MOST_BYTES:,})"
        return _record(size, modified, verify, f"{name}:{size}", excess)
    known = cache.find(name, size=size, modified=modified, verify=verify)
    if known is not None:
        return known
    if verify == "off":
        fault = "is empty" if size == 0 else None
        return _record(size, modified, verify, f"{name}:{size}", fault)
    try:
        return _open(path, status, verify, max_pixels)
    except OSError as error:
        return _record(0, 0, verify, name, _refusal(error))


def _refusal(error: OSError) -> str:
    return f"cannot be read ({error.strerror})"


def _open(
    path: Path, status: os.stat_result, verify: str, max_pixels: int
) -> ScanRecord:
    """Looks into a file.

    What is too large to be decoded counts as looked at by its header.
    """
    with path.open("rb") as file:
        head, tail = _read_ends(file, status.st_size)
        fault = _find_fault(file, head, tail, status.st_size)
        pixels = None if fault else read_pixel_count(file)
        if fault is None and pixels is None:
            fault = "is damaged: its header states no size"
        if pixels is not None and pixels > max_pixels:
            verify = "header"
        elif fault is None and verify in _DECODING:
            file.seek(0)
            # Not without end: Python takes memory for all that is asked for.
            content = file.read(status.st_size)
            fault = _find_damage(content, verify, max_pixels)
    digest = _digest(status.st_size, head[:_END_BYTES], tail)
    return ScanRecord(status.st_size, status.st_mtime_ns, verify, digest, fault, pixels)


def digest_content(content: bytes) -> str:
    """Returns the digest of a file with this content, as a scan tells it."""
    return _digest(len(content), content[:_END_BYTES], content[-_END_BYTES:])


def _read_ends(file: BinaryIO, size: int) -> tuple[bytes, bytes]:
    """Returns the first and the last 4 KiB; of a small file the whole, and the last."""
    head = file.read(2 * _END_BYTES)
    if size <= 2 * _END_BYTES:
        return head, head[-_END_BYTES:]
    file.seek(-_END_BYTES, os.SEEK_END)
    return head[:_END_BYTES], file.read(_END_BYTES)


def _find_fault(file: BinaryIO, head: bytes, tail: bytes, size: int) -> str | None:
    """Returns what is wrong with a file of which the ends, or all, are known."""
    fault = find_fault(head, tail, size)
    if fault and len(head) < size and detect_format(head):
        # The end may lie before kilobytes that a phone put behind it.
        file.seek(0)
        whole = file.read()
        fault = find_fault(whole, whole, size)
    return fault


def _find_damage(content: bytes, verify: str, max_pixels: int) -> str | None:
    """Decodes the image as the pipeline will; returns why it cannot be relied on."""
    # Imported here so that reading headers does not need TensorFlow.
    from experiments.data.images.complaint import find_complaint
    from experiments.data.images.decode import find_decoding_fault

    complaint = find_complaint(content) if verify == "full" else None
    return complaint or find_decoding_fault(content, max_pixels)


def _record(
    size: int, modified: int, verify: str, identity: str, fault: str | None
) -> ScanRecord:
    digest = hashlib.blake2b(identity.encode(), digest_size=16).hexdigest()
    return ScanRecord(size, modified, verify, digest, fault)


def _digest(size: int, head: bytes, tail: bytes) -> str:
    content = b"%d:" % size + head + tail
    return hashlib.blake2b(content, digest_size=16).hexdigest()
