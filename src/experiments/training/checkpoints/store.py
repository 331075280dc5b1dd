"""The states of a run on disk: the last few and the best one."""

import dataclasses
import logging
from collections.abc import Iterator
from pathlib import Path

from experiments import job_files
from experiments.config.kinds.objective import Objective
from experiments.errors import ExperimentError
from experiments.records import leads_inside
from experiments.training.checkpoints.manifest import (
    Manifest,
    Record,
    read_manifest,
    write_manifest,
)
from experiments.training.checkpoints.recovery import recover_manifest
from experiments.training.checkpoints.state import TrainingState
from experiments.training.checkpoints.state_file import read_state, write_state
from experiments.training.checkpoints.state_name import is_state_name

log = logging.getLogger(__name__)

_WAY_OUT = "Restore it from a backup, or start anew in another folder: fresh=true"


class CheckpointStore:
    """Writes states and keeps which ones count.

    A state is written under a new name and becomes valid when the manifest that names
    it replaces the old one, so that a crash at any moment leaves the former states
    intact.

    Args:
        folder: The run's `checkpoints` folder.
        objective: Decides which epoch is best.
        keep: How many of the last states to keep.
    """

    def __init__(self, folder: Path, objective: Objective, *, keep: int) -> None:
        self.folder = folder
        self._keep = keep
        self._objective = objective
        self._warned = False
        self._manifest = recover_manifest(folder, objective)

    @property
    def manifest(self) -> Manifest:
        """What is valid now."""
        return self._manifest

    def is_best(self, value: float) -> bool:
        """Tells whether a monitored value is better than any saved one."""
        best = self._manifest.best
        return self._objective.is_better(value, None if best is None else best.value)

    def save(self, state: TrainingState, *, value: float | None = None) -> None:
        """Writes a state and commits it; removes those that count no more.

        Args:
            state: What to save.
            value: The monitored value, at the end of an epoch.

        Raises:
            OSError: The disk refuses; the former states stay valid.
            NotFiniteError: A weight is not finite; likewise.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        name, sha256 = write_state(self.folder, state)
        position = state.position
        record = Record(
            epoch=position.epoch,
            step=position.step,
            file=name,
            sha256=sha256,
            value=value,
        )
        # What was saved beyond this position belongs to a course that was given up.
        here = (position.epoch, position.step)
        former = [r for r in self._manifest.last if (r.epoch, r.step) < here]
        manifest = dataclasses.replace(
            self._manifest, last=(record, *former[: self._keep - 1])
        )
        if value is not None and self.is_best(value):
            manifest = dataclasses.replace(manifest, best=record)
        write_manifest(self.folder, manifest)
        self._manifest = manifest
        self._remove_leftovers()

    def _remove_leftovers(self) -> None:
        if not leads_inside(self.folder.parent, self.folder):
            self._warn_of_link()
            return
        kept = {record.file for record in self._manifest.records()}
        for path in self.folder.glob(f"*{job_files.STATE_SUFFIX}"):
            # What somebody else has put there stays.
            if path.name not in kept and is_state_name(path.name):
                try:
                    path.unlink()
                except OSError as error:
                    log.warning("%s counts no more but stays: %s", path, error)

    def _warn_of_link(self) -> None:
        if not self._warned:
            log.warning(
                "%s is a link that leads out of the job's folder, where nothing is "
                "removed: states that count no more stay there.",
                self.folder,
            )
        self._warned = True


def load_last(folder: Path) -> TrainingState | None:
    """Returns the newest state that is whole; `None` when none was ever saved.

    Args:
        folder: The run's `checkpoints` folder.

    Raises:
        ExperimentError: States were saved and all of them are damaged.
    """
    names = list(_list_newest_first(folder))
    for name in names:
        try:
            return read_state(folder / name)
        except (OSError, ValueError) as error:
            log.warning(
                "The checkpoint %s is not used, it is damaged or gone: %s. "
                "The one before it is taken.",
                folder / name,
                error,
            )
    if names:
        raise ExperimentError(f"All checkpoints in {folder} are damaged. {_WAY_OUT}")
    return None


def load_best(folder: Path) -> TrainingState:
    """Returns the state of the best epoch, or of the best one that is whole.

    Raises:
        ExperimentError: There is none.
    """
    try:
        manifest = read_manifest(folder)
    except ValueError as error:
        raise ExperimentError(f"{error}. {_WAY_OUT}") from error
    if manifest is None or manifest.best is None:
        raise ExperimentError(
            f"{folder} holds no best state: no epoch gave a finite metric."
        )
    for record in manifest.ranked():
        try:
            return read_state(folder / record.file)
        except (OSError, ValueError) as error:
            log.warning(
                "The checkpoint %s of epoch %d is not used, it is damaged or gone: %s. "
                "The next best one is taken.",
                folder / record.file,
                record.epoch,
                error,
            )
    raise ExperimentError(f"No best checkpoint in {folder} is whole. {_WAY_OUT}")


def _list_newest_first(folder: Path) -> Iterator[str]:
    """Yields the files of states; without a readable manifest all that are there."""
    try:
        manifest = read_manifest(folder)
    except ValueError as error:
        log.warning("%s. The files' own hashes are trusted instead.", error)
        manifest = None
    if manifest is not None:
        yield from (record.file for record in manifest.records())
    else:
        names = (path.name for path in folder.glob(f"epoch-*{job_files.STATE_SUFFIX}"))
        yield from sorted(names, reverse=True)
