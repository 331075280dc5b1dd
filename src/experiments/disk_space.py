"""How much more may be written: what a disk has free and an output folder may take."""

import errno
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from experiments.counts import format_bytes
from experiments.errors import Preempted

# Results, logs and records are written beside what is asked for.
_SPARE_BYTES = 1_000_000
_FULL = (errno.ENOSPC, errno.EDQUOT)


class NoRoomError(OSError):
    """There is not as much room as something takes; nothing of it is written."""

    def __init__(self, reason: str) -> None:
        super().__init__(errno.ENOSPC, reason)

    def __str__(self) -> str:
        return str(self.strerror)


@dataclass(frozen=True, kw_only=True)
class DiskSpace:
    """What may be taken of a disk.

    Attributes:
        folder: The output folder.
        most_gb: What all that is in it may take, as `max_disk_gb`; `None` for as much
            as the disk has.
    """

    folder: Path
    most_gb: float | None = None

    def require(self, needed: int, place: Path) -> None:
        """Looks whether so much can be written.

        Args:
            needed: Bytes.
            place: Folder that they go to, which may be on another disk.

        Raises:
            NoRoomError: They would not fit, or more would be taken than may be.
        """
        free = shutil.disk_usage(place).free
        if free < needed + _SPARE_BYTES:
            raise NoRoomError(
                f"{place} has {format_bytes(free)} free, and {format_bytes(needed)} "
                "are needed"
            )
        if self.most_gb is None:
            return
        taken = measure_tree(self.folder)
        if taken + needed > self.most_gb * 1e9:
            raise NoRoomError(
                f"{self.folder} takes {format_bytes(taken)} of "
                f"max_disk_gb={self.most_gb:g}, and {format_bytes(needed)} are needed"
            )

    def find_obstacle(self) -> Preempted | None:
        """Returns why nothing more should be started; `None` where it may."""
        try:
            self.require(_SPARE_BYTES, self.folder)
        except NoRoomError as error:
            advice = "Make room, or allow more; then the same command continues."
            return Preempted(f"want of room: {error}", advice=advice)
        except OSError:  # the folder itself is gone, which whoever writes there tells
            return None
        return None


def is_full(error: OSError) -> bool:
    """Tells whether a disk refuses for want of room, which may come back."""
    return error.errno in _FULL


def measure_tree(folder: Path) -> int:
    """Returns the bytes of all files below a folder; links are not followed."""
    size = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                size += os.lstat(os.path.join(place, name)).st_size  # noqa: PTH118
            except FileNotFoundError:  # it has just been replaced
                continue
    return size
