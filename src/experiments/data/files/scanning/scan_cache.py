"""Remembers what was seen in the files of a folder, outside of that folder."""

import hashlib
import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypedDict

from experiments.files import replace_bytes
from experiments.records import RecordError, read_json
from experiments.shapes import ShapeError, conform

_log = logging.getLogger(__name__)

# Raise it when the checks of a file change.
_VERSION = 3
_MOST_BYTES = 2**30  # of some eight million files


class _Stored(TypedDict):
    version: int
    files: Any


class ScanRecord(NamedTuple):
    """What was seen in one file.

    Attributes:
        size: Bytes.
        modified: Modification time in nanoseconds.
        verify: How closely it was looked at: `full`, `header` or `off`.
        digest: Identifies its content.
        fault: Why it cannot be used; `None` if it can.
        pixels: How many its header declares; `None` when it was not read.
    """

    size: int
    modified: int
    verify: str
    digest: str
    fault: str | None
    pixels: int | None = None


class ScanCache:
    """The records of one data set's folder.

    Args:
        root: The data set's folder.
        folder: Where the records are kept, one file a data set; `None` keeps none.
    """

    def __init__(self, root: Path, folder: Path | None) -> None:
        name = hashlib.blake2b(str(root.resolve()).encode(), digest_size=16).hexdigest()
        self._file = None if folder is None else folder / f"{name}.json"
        self._records = self._load()

    def find(
        self, name: str, *, size: int, modified: int, verify: str
    ) -> ScanRecord | None:
        """Returns the record of an unchanged file that was looked at closely enough."""
        record = self._records.get(name)
        if record is None or (record.size, record.modified) != (size, modified):
            return None
        return record if record.verify in (verify, "full") else None

    def save(self, records: Mapping[str, ScanRecord]) -> None:
        """Replaces the records; a folder that can't be written to is a warning."""
        if self._file is None or records == self._records:
            return
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            data = json.dumps({"version": _VERSION, "files": records}).encode()
            replace_bytes(self._file, data, shared=True)
        except OSError as error:
            _log.warning(
                "What was verified is not remembered: %s. Set dataset.scan_cache to a "
                "folder that can be written to, or to null.",
                error,
            )

    def _load(self) -> dict[str, ScanRecord]:
        if self._file is None or not os.path.lexists(self._file):
            return {}
        try:
            stored = read_json(self._file, _Stored, limit=_MOST_BYTES)
            if stored["version"] != _VERSION:
                return {}
            files = conform(stored["files"], dict[str, Any], "files")
            return {name: _check(name, record) for name, record in files.items()}
        except RecordError as error:
            _log.warning("Verifying again, because %s.", error)
        except ShapeError as error:
            _log.warning(
                "Verifying again, because %s is damaged: %s.", self._file, error
            )
        return {}


def _check(name: str, record: Any) -> ScanRecord:
    # By hand: ImageNet has 1.3 million of them.
    if type(record) is list and len(record) == len(ScanRecord._fields):
        size, modified, verify, digest, fault, pixels = record
        if (
            type(size) is type(modified) is int
            and type(verify) is type(digest) is str
            and (fault is None or type(fault) is str)
            and (pixels is None or type(pixels) is int)
        ):
            return ScanRecord(size, modified, verify, digest, fault, pixels)
    raise ShapeError(f"`files.{name}` is no record of a file")
