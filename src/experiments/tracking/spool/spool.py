"""The folder in which a run's records wait for MLflow."""

import json
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypedDict

from filelock import FileLock, Timeout

from experiments import job_files
from experiments.errors import TrackingError
from experiments.files import drafting, open_own, replace_bytes
from experiments.records import (
    OutsideError,
    RecordError,
    leads_inside,
    read_record,
    refuse_links,
    resolve_inside,
    stamp,
)
from experiments.shapes import Count

_UNKNOWN = "unknown"  # stands for the name of a store
_CLAIM_SECONDS = 60
# A full disk, or a file system without locks: work goes on without the lock.
_UNLOCKABLE = (OSError, NotImplementedError)

_LOGGER = logging.getLogger(__name__)


class _Runs(TypedDict, total=False):
    runs: dict[str, str]
    former: list[str]
    run_id: str  # of an earlier release, which knew one run


class _Sent(TypedDict, total=False):
    sent: dict[str, Count] | Count
    run_id: str  # likewise


class Spool:
    """What a run's folder holds for its record.

    `job_files` lists its files.

    What they name lies in the job's folder: a file of somebody else's is not sent
    because a record says so.

    Args:
        job_folder: Of a job or a sweep.
        output_dir: Of all jobs; the sweep of this one and models that were sent are
            looked for there too.
    """

    def __init__(self, job_folder: Path, output_dir: Path | None = None) -> None:
        self._kept_beside: set[str] = set()  # by this process, when the disk was full
        self.folder = job_folder.absolute() / job_files.TRACKING
        self.output_dir = output_dir or self.job_folder.parent
        self.journal = self.folder / job_files.JOURNAL
        self.artifacts = self.folder / job_files.ARTIFACTS
        self.models = self.folder / job_files.MODELS
        self.refused = self.folder / job_files.REFUSED
        # A lock taken by one thread is released by another.
        self.owner = FileLock(self.folder / job_files.OWNER_LOCK, thread_local=False)

    @property
    def job_folder(self) -> Path:
        """Folder of the job or the sweep."""
        return self.folder.parent

    def own(self) -> bool:
        """Tells whether this process is now the only one that sends from here.

        Raises:
            TrackingError: The folder of the records is a link that leads elsewhere.
        """
        self._check_place()
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

    def has_run(self, store: str, *, surely: bool = False) -> bool:
        """Tells whether a store has had a run of this folder.

        Args:
            store: Its name.
            surely: Not when an earlier release left open which store it was.
        """
        runs = self._read_runs()
        return store in runs or (not surely and _UNKNOWN in runs)

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
        self._write_json(job_files.RUN, content)

    def forget_run_id(self, run_id: str) -> None:
        """Removes a run that is another folder's."""
        runs = {k: known for k, known in self._read_runs().items() if known != run_id}
        former = [known for known in self._read_former() if known != run_id]
        self._write_json(job_files.RUN, {"runs": runs, "former": former})

    def read_sent(self, run_id: str | None) -> int:
        """Returns how many entries a run holds."""
        return 0 if run_id is None else self._read_all_sent().get(run_id, 0)

    def write_sent(self, run_id: str, sent: int) -> None:
        """Remembers how many entries a run holds."""
        self._write_json(
            job_files.SENT, {"sent": {**self._read_all_sent(), run_id: sent}}
        )

    def find_file(self, name: str) -> Path:
        """Returns where a file or a folder is that the journal names.

        A job's folder may be moved or copied, so that an absolute name counts from the
        folder of its records on.

        Raises:
            OutsideError: It lies outside of the job's folder.
        """
        path = Path(name)
        if name in self._kept_beside:
            return path
        if path.is_absolute() and job_files.TRACKING in path.parts:
            start = len(path.parts) - path.parts[::-1].index(job_files.TRACKING)
            path = Path(*path.parts[start:])
        try:
            return resolve_inside(self.job_folder, self.folder / path)
        except OutsideError:
            raise OutsideError(
                f"{name!r} lies outside of the job's folder, and nothing outside is "
                "read, sent or removed"
            ) from None

    def find_model(self, name: str) -> Path:
        """Returns the folder of a model that the journal names.

        Raises:
            OutsideError: It is none below `models/`.
        """
        models = resolve_inside(self.job_folder, self.models)
        folder = self.find_file(name)
        if folder == models or not folder.is_relative_to(models):
            raise OutsideError(f"{name!r} is no model's folder below {self.models}")
        return folder

    def find_parent(self, name: str) -> "Spool | None":
        """Returns the sweep's folder that the journal names; `None` when it is gone.

        Args:
            name: The folder, relative to the job's: a whole output folder may be moved.

        Raises:
            OutsideError: It is neither around the job's folder nor beside it.
        """
        folder = Path(os.path.normpath(self.job_folder / name))
        near = [self.job_folder.parent, self.output_dir]
        around = leads_inside(folder, self.job_folder)
        if not around and not any(leads_inside(place, folder) for place in near):
            raise OutsideError(f"the sweep {name!r} lies outside of the output folder")
        return Spool(folder, self.output_dir) if folder.is_dir() else None

    def bring_back_model(
        self, number: int, folder: Path, sources: Sequence[Path] = ()
    ) -> None:
        """Copies a model back from where it was sent, if it is not here but there.

        Args:
            number: Of its entry.
            folder: To make.
            sources: Folders, beside that of all jobs, that it may be taken from.

        Raises:
            OutsideError: Where it lies is none of them.
        """
        name = self._read_json(job_files.SENT_MODELS, dict[str, str]).get(str(number))
        if name is None or folder.exists():
            return
        source = Path(os.path.normpath(self.folder / name))
        places = [*sources, self.output_dir]
        if not any(leads_inside(place, source) for place in places):
            raise OutsideError(
                f"{job_files.SENT_MODELS} names {name!r}, which is no place of models"
            )
        if not (source / "MLmodel").is_file():
            return
        refuse_links(source)
        with drafting(folder, shared=True) as draft:
            shutil.copytree(source, draft)

    def write_model_place(self, number: int, place: Path) -> None:
        """Remembers where a model lies, relative to this folder."""
        known = self._read_json(job_files.SENT_MODELS, dict[str, str])
        relative = os.path.relpath(place, self.folder)
        self._write_json(job_files.SENT_MODELS, {**known, str(number): relative})

    def is_model_there(self, number: int) -> bool:
        """Tells whether a model that was sent is where it was put.

        Args:
            number: Of its entry; what a server keeps is taken to be there.
        """
        place = self._read_json(job_files.SENT_MODELS, dict[str, str]).get(str(number))
        if place is None:
            return True
        folder = Path(os.path.normpath(self.folder / place))
        return (folder / "MLmodel").is_file()

    @contextmanager
    def claiming(self) -> Iterator[None]:
        """Within the block no other process creates this folder's run.

        Raises:
            TrackingError: Another process has been doing so for too long, or the folder
                of the records is a link that leads elsewhere.
        """
        self._check_place()
        lock = FileLock(self.folder / job_files.RUN_LOCK, timeout=_CLAIM_SECONDS)
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
            resolve_inside(self.job_folder, place)
            if place.is_file() and place.read_bytes() == data:
                return None
            place.parent.mkdir(parents=True, exist_ok=True)
            replace_bytes(place, data, shared=True)
        except (OSError, OutsideError):
            folder = Path(tempfile.mkdtemp(prefix="experiments-"))
            place = folder / place.name
            replace_bytes(place, data, shared=True)
            self._kept_beside.add(str(place))
        return place

    def remove_model(self, folder: Path) -> None:
        """Frees the disk of a model that MLflow holds.

        Raises:
            OutsideError: It is no such folder, see `find_model`.
        """
        shutil.rmtree(self.find_model(str(folder)), ignore_errors=True)
        with suppress(OSError):  # others wait in there
            self.models.rmdir()

    def note_refusal(self, line: dict[str, Any]) -> None:
        """Adds a line to `refused.jsonl`, if the disk takes it."""
        with suppress(OSError):
            descriptor = open_own(self.refused, os.O_APPEND)
            with os.fdopen(descriptor, "a", encoding="utf-8") as file:
                file.write(json.dumps(stamp(line)) + "\n")

    def _check_place(self) -> None:
        try:
            resolve_inside(self.job_folder, self.folder)
        except OutsideError as error:
            raise TrackingError(
                f"{self.folder} is a link that leads out of the job's folder. Put the "
                "records there, or remove the link"
            ) from error

    def _read_runs(self) -> dict[str, str]:
        """Returns store -> run, the one that was looked up last at the end."""
        found = self._read_json(job_files.RUN, _Runs)
        if "run_id" in found:
            return {_UNKNOWN: found["run_id"]}
        return dict(found.get("runs", {}))

    def _read_former(self) -> list[str]:
        """Returns runs of databases that others have replaced, the latest last."""
        return list(self._read_json(job_files.RUN, _Runs).get("former", []))

    def _read_all_sent(self) -> dict[str, int]:
        """Returns run -> entries that it holds."""
        found = self._read_json(job_files.SENT, _Sent)
        sent = found.get("sent", {})
        if "run_id" in found:
            return {found["run_id"]: sent} if isinstance(sent, int) else {}
        return dict(sent) if isinstance(sent, dict) else {}

    def _write_json(self, name: str, content: dict[str, Any]) -> None:
        # Without it entries are sent again after a crash, which changes nothing.
        with suppress(OSError):
            data = json.dumps(stamp(content)).encode()
            replace_bytes(self.folder / name, data, shared=True)

    def _read_json(self, name: str, shape: Any) -> dict[str, Any]:
        """Returns what a file holds; a damaged one is told and taken for absent."""
        try:
            return dict(read_record(self.folder / name, shape))
        except FileNotFoundError:
            return {}
        except RecordError as error:
            # The store is asked what it has: at worst records are sent again.
            _LOGGER.warning("%s. It is not used, and written anew.", error)
            return {}
