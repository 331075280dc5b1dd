"""Where a run's folder is, as the run itself says in its tags.

A tag is material: it may come from another machine, from before a move, or from
whoever else writes to a server. It says where to look first, below the output folder
that a person has named, and what to tell when nothing is there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from experiments.errors import make_printable
from experiments.records import OutsideError, resolve_inside
from experiments.shapes import is_relative
from experiments.tracking.spool.process import HOST
from experiments.tracking.spool.tag_names import PREFIX, name_as_today

# Of a folder, and of its run in each store: both name it, so that neither is believed
# alone. It is drawn once and goes along when the folder is moved or copied.
JOB_ID = f"{PREFIX}job_id"
FOLDER = f"{PREFIX}job_folder"
OUTPUT_DIR = f"{PREFIX}output_dir"


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a run's folder was when its last process began.

    Attributes:
        folder: Relative to `output_dir`; absolute when it was not below that.
        output_dir: Folder of all runs, absolute.
        host: The machine.
    """

    folder: str
    output_dir: str
    host: str

    def __str__(self) -> str:
        """Returns it in words, for whoever goes there."""
        path = Path(self.output_dir, self.folder)
        return make_printable(f"{path} on {self.host}")

    def below(self, output_dir: Path) -> Path | None:
        """Returns where the folder would be in another output folder, or this one.

        Args:
            output_dir: Trusted; the answer lies inside, links followed.

        Returns:
            `None` when it was outside of its output folder.
        """
        if not is_relative(self.folder):
            return None
        try:
            return resolve_inside(output_dir, self.folder)
        except OutsideError:
            return None


def describe_place(job_folder: Path, output_dir: Path) -> dict[str, str]:
    """Returns the tags that say where a folder is; `process_tags` says the host.

    Args:
        job_folder: Of a job, a sweep or a search; absolute.
        output_dir: Of all of them; absolute.
    """
    folder = name_below(job_folder, output_dir)
    return {FOLDER: folder, OUTPUT_DIR: output_dir.as_posix()}


def name_below(job_folder: Path, output_dir: Path) -> str:
    """Returns the path from one folder to the other; a whole one if it is outside."""
    for inner, outer in (
        (job_folder, output_dir),
        (job_folder.resolve(), output_dir.resolve()),  # one came through a link
    ):
        if inner.is_relative_to(outer):
            return inner.relative_to(outer).as_posix()
    return job_folder.as_posix()


def read_place(tags: Mapping[str, str]) -> Place | None:
    """Returns what the tags of a run say; `None` where they do not."""
    tags = name_as_today(tags)
    try:
        return Place(folder=tags[FOLDER], output_dir=tags[OUTPUT_DIR], host=tags[HOST])
    except KeyError:
        return None
