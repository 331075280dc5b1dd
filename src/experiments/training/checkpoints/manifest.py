"""Which saved states of a run are valid."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

from experiments import job_files
from experiments.config.kinds.objective import Mode, Objective
from experiments.files import replace_bytes
from experiments.records import read_record, stamp
from experiments.shapes import Count, FileName


@dataclass(frozen=True, kw_only=True)
class Record:
    """One saved state.

    Attributes:
        epoch: Completed epochs.
        step: Completed steps of the epoch after these.
        file: Name of its file beside the manifest.
        sha256: Hash of that file.
        value: The monitored value, when it was saved at the end of an epoch.
    """

    epoch: Count
    step: Count
    file: FileName
    sha256: str
    value: float | None = None


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """Which files count; whatever it does not name is left over from a crash.

    Attributes:
        monitor: Metric that decides which epoch is best.
        mode: Whether a larger or a smaller value is better.
        best: State with the best value; `None` while there was no finite one.
        last: States to continue from, the newest first.
    """

    monitor: str
    mode: Mode
    best: Record | None = None
    last: tuple[Record, ...] = ()

    @property
    def objective(self) -> Objective:
        """What decides which epoch is best."""
        return Objective(self.monitor, self.mode)

    def records(self) -> list[Record]:
        """Returns every state once, the newest first."""
        best = [] if self.best is None else [self.best]
        unique = {record.file: record for record in (*self.last, *best)}
        return sorted(unique.values(), key=lambda r: (r.epoch, r.step), reverse=True)

    def ranked(self) -> list[Record]:
        """Returns the states with a finite value, the best first, then the earliest."""
        earliest = sorted(self.records(), key=lambda record: record.epoch)
        order = self.objective.rank([record.value for record in earliest])
        return [earliest[index] for index in order]


def read_manifest(folder: Path) -> Manifest | None:
    """Reads which states `folder` holds; `None` when nothing was committed there.

    Raises:
        RecordError: The manifest is damaged or cannot be read.
    """
    try:
        found: Manifest = read_record(folder / job_files.MANIFEST, Manifest)
    except FileNotFoundError:
        return None
    return found


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Replaces the manifest of `folder`: from here on its states are the valid ones."""
    text = json.dumps(stamp(dataclasses.asdict(manifest)), indent=2)
    replace_bytes(folder / job_files.MANIFEST, text.encode(), durable=True)
