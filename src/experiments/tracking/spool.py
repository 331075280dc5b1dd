"""The folder in which a run's records wait for MLflow."""

import json
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from experiments.errors import TrackingError

FOLDER = "tracking"
_JOURNAL = "journal.jsonl"
_CLAIM_SECONDS = 60
# A full disk, or a file system without locks: work goes on without the lock.
_UNLOCKABLE = (OSError, NotImplementedError)


class Spool:
    """What a run's folder holds for its record.

    | file | what |
    | --- | --- |
    | `journal.jsonl` | every record, see `journal` |
    | `artifacts/`, `models/` | the files that it names |
    | `run.json` | MLflow's run, written by whoever created it |
    | `sent.json` | how many entries that run holds |
    | `refused.jsonl` | entries that MLflow does not accept, and why |
    | `owner.lock` | held by the process that records or sends |
    | `run.lock` | held while the run is looked up or created |

    Args:
        job_folder: Of a job or a sweep.
    """

    def __init__(self, job_folder: Path) -> None:
        self.folder = job_folder.absolute() / FOLDER
        self.journal = self.folder / _JOURNAL
        self.artifacts = self.folder / "artifacts"
        self.models = self.folder / "models"
        self.refused = self.folder / "refused.jsonl"
        # A lock taken by one thread is released by another.
        self.owner = FileLock(self.folder / "owner.lock", thread_local=False)

    @property
    def job_folder(self) -> Path:
        """Folder of the job or the sweep."""
        return self.folder.parent

    def own(self) -> bool:
        """Tells whether this process is now the only one that sends from here."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.owner.acquire(timeout=0)
        except Timeout:
            return False
        except _UNLOCKABLE:
            return True
        return True

    def disown(self) -> None:
        """Lets other processes send."""
        with suppress(OSError):
            self.owner.release(force=True)

    def read_run_id(self) -> str | None:
        """Returns the id of MLflow's run; `None` before there is one."""
        found = _read_json(self.folder / "run.json").get("run_id")
        return None if found is None else str(found)

    def write_run_id(self, run_id: str) -> None:
        """Remembers MLflow's run."""
        self._write_json("run.json", {"run_id": run_id})

    def read_sent(self, run_id: str | None) -> int:
        """Returns how many entries a run holds."""
        found = _read_json(self.folder / "sent.json")
        known = run_id is not None and found.get("run_id") == run_id
        return int(found["sent"]) if known else 0

    def write_sent(self, run_id: str, sent: int) -> None:
        """Remembers how many entries a run holds."""
        self._write_json("sent.json", {"run_id": run_id, "sent": sent})

    @contextmanager
    def claiming(self) -> Iterator[None]:
        """Within the block no other process creates this folder's run.

        Raises:
            TrackingError: Another process has been doing so for too long.
        """
        lock = FileLock(self.folder / "run.lock", timeout=_CLAIM_SECONDS)
        try:
            with suppress(*_UNLOCKABLE):
                lock.acquire()
            yield
        except Timeout as error:
            raise TrackingError(
                f"another process is starting the run of {self.job_folder}"
            ) from error
        finally:
            lock.release()

    def keep_file(self, data: bytes, path: str) -> Path | None:
        """Stores a file below `artifacts/`, beside the disk when that is full.

        Returns:
            Where it is; `None` when the same file was there already.

        Raises:
            OSError: It fits nowhere.
        """
        place = self.artifacts / path
        try:
            if place.is_file() and place.read_bytes() == data:
                return None
            place.parent.mkdir(parents=True, exist_ok=True)
            return _replace(place, data)
        except OSError:
            folder = Path(tempfile.mkdtemp(prefix="experiments-"))
            return _replace(folder / place.name, data)

    def remove_model(self, folder: Path) -> None:
        """Frees the disk of a model that MLflow holds."""
        shutil.rmtree(folder, ignore_errors=True)
        with suppress(OSError):  # others wait in there
            self.models.rmdir()

    def _write_json(self, name: str, content: dict[str, Any]) -> None:
        # Without it entries are sent again after a crash, which changes nothing.
        with suppress(OSError):
            _replace(self.folder / name, json.dumps(content).encode())


def _read_json(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text()))
    except (OSError, ValueError):
        return {}


def _replace(path: Path, data: bytes) -> Path:
    """Writes a file so that readers see the old or the new one, whole."""
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        draft.write_bytes(data)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return path
