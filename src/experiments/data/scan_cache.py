"""Remembers what was seen in the files of a folder, outside of that folder."""

import hashlib
import json
import logging
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

_log = logging.getLogger(__name__)

# Raise it when the checks of a file change.
_VERSION = 2


class ScanRecord(NamedTuple):
    """What was seen in one file.

    Attributes:
        size: Bytes.
        modified: Modification time in nanoseconds.
        verify: How closely it was looked at: `full`, `header` or `off`.
        digest: Identifies its content.
        fault: Why it cannot be used; `None` if it can.
    """

    size: int
    modified: int
    verify: str
    digest: str
    fault: str | None


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
            descriptor, temporary = tempfile.mkstemp(dir=self._file.parent)
            with os.fdopen(descriptor, "w") as file:
                json.dump({"version": _VERSION, "files": records}, file)
            Path(temporary).replace(self._file)
        except OSError as error:
            _log.warning(
                "What was verified is not remembered: %s. Set dataset.scan_cache to a "
                "folder that can be written to, or to null.",
                error,
            )

    def _load(self) -> dict[str, ScanRecord]:
        if self._file is None or not self._file.exists():
            return {}
        try:
            stored = json.loads(self._file.read_text())
            if stored["version"] != _VERSION:
                return {}
            return {
                name: ScanRecord(*record) for name, record in stored["files"].items()
            }
        except (OSError, ValueError, KeyError, TypeError) as error:
            _log.warning(
                "Verifying again, because %s is damaged: %s", self._file, error
            )
            return {}
