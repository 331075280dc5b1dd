"""The folder in which a run's records wait for MLflow."""

import json
import os
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
_UNKNOWN = "unknown"  # stands for the name of a store
_CLAIM_SECONDS = 60
# A full disk, or a file system without locks: work goes on without the lock.
_UNLOCKABLE = (OSError, NotImplementedError)


class Spool:
    """What a run's folder holds for its record.

    | file | what |
    | --- | --- |
    | `journal.jsonl` | every record, see `journal` |
    | `artifacts/`, `models/` | the files that it names |
    | `run.json` | MLflow's run in each store, written by whoever created it |
    | `sent.json` | how many entries each of these runs holds |
    | `models.json` | where models lie that were sent |
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

    def read_run_id(self, store: str | None = None) -> str | None:
        """Returns the id of MLflow's run; `None` before there is one.

        Args:
            store: Name of its store; the run that was looked up last comes second.
        """
        runs = self._read_runs()
        latest = next(reversed(runs.values()), None)
        return latest if store is None else runs.get(store, latest)

    def has_run(self, store: str) -> bool:
        """Tells whether a store has had a run of this folder."""
        runs = self._read_runs()
        return store in runs or _UNKNOWN in runs

    def list_run_ids(self, store: str = _UNKNOWN) -> list[str]:
        """Returns the runs that may be this folder's in a store, the likeliest first.

        A name is not the store: a server moves, and a database is replaced by another.
        """
        runs = self._read_runs()
        likely = [runs[store]] if store in runs else []
        former = reversed(self._read_former())
        return list(dict.fromkeys([*likely, *reversed(runs.values()), *former]))

    def write_run_id(self, run_id: str, store: str = _UNKNOWN) -> None:
        """Remembers MLflow's run in a store."""
        runs = self._read_runs()
        former = [known for known in self._read_former() if known != run_id]
        replaced = runs.pop(store, run_id)
        if replaced != run_id:
            former.append(replaced)
        content = {"runs": {**runs, store: run_id}, "former": former}
        self._write_json("run.json", content)

    def read_sent(self, run_id: str | None) -> int:
        """Returns how many entries a run holds."""
        return 0 if run_id is None else self._read_all_sent().get(run_id, 0)

    def write_sent(self, run_id: str, sent: int) -> None:
        """Remembers how many entries a run holds."""
        self._write_json("sent.json", {"sent": {**self._read_all_sent(), run_id: sent}})

    def bring_back_model(self, number: int, folder: Path) -> None:
        """Copies a model back from where it was sent, if it is not here but there.

        Args:
            number: Of its entry.
            folder: To make.
        """
        place = _read_json(self.folder / "models.json").get(str(number))
        if place is None or folder.exists():
            return
        draft = folder.with_name(f".{folder.name}.tmp")
        with suppress(FileNotFoundError, NotADirectoryError):
            shutil.copytree(self.folder / place, draft, dirs_exist_ok=True)
            draft.rename(folder)

    def write_model_place(self, number: int, place: Path) -> None:
        """Remembers where a model lies, relative to this folder."""
        known = _read_json(self.folder / "models.json")
        relative = os.path.relpath(place, self.folder)
        self._write_json("models.json", {**known, str(number): relative})

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

    def _read_runs(self) -> dict[str, str]:
        """Returns store -> run, the one that was looked up last at the end."""
        found = _read_json(self.folder / "run.json")
        if "run_id" in found:  # of an earlier release, which knew one run
            return {_UNKNOWN: str(found["run_id"])}
        return dict(found.get("runs", {}))

    def _read_former(self) -> list[str]:
        """Returns runs of databases that others have replaced, the latest last."""
        return list(_read_json(self.folder / "run.json").get("former", []))

    def _read_all_sent(self) -> dict[str, int]:
        """Returns run -> entries that it holds."""
        found = _read_json(self.folder / "sent.json")
        if "run_id" in found:  # of an earlier release
            return {str(found["run_id"]): int(found["sent"])}
        return dict(found.get("sent", {}))

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
