"""From a run to its folder: found where its tags say, or wherever it was moved to."""

import logging
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from experiments.errors import TrackingError, make_printable
from experiments.records import NewerRecordError, leads_inside
from experiments.tracking.spool.claims import find_claims, names_back, read_job_id
from experiments.tracking.spool.journal import SESSION, read_entries
from experiments.tracking.spool.place import Place, read_place
from experiments.tracking.spool.process import host_name
from experiments.tracking.spool.spool import Spool
from experiments.tracking.store.runs.run_names import AmbiguousRunError, NamedRun

_LOGGER = logging.getLogger(__name__)


class NoFolderError(TrackingError):
    """The folder of a run is not in this output folder."""


def find_folder(named: NamedRun, output_dir: Path) -> Path:
    """Returns the folder in which a run has its checkpoints and all else that it left.

    Folder and run name each other: a folder at the same place that belongs to another
    run is not taken for it, nor one that only says that it is its.

    Args:
        named: The run; the folder by which it was named counts.
        output_dir: The folder of all runs. What a tag says leads nowhere else.

    Raises:
        NoFolderError: It is not there.
        AmbiguousRunError: It is there several times.
    """
    run = named.run
    place = read_place(run.data.tags)
    if named.folder is not None:
        return _told(named.folder, run, place)
    likely = None if place is None else place.below(output_dir)
    if likely is not None and _is_folder_of(Spool(likely, output_dir), run):
        return _told(likely, run, place)
    found = list(_search(run, output_dir))
    if len(found) == 1:
        return _told(found[0], run, place)
    if found:
        raise AmbiguousRunError(_describe_copies(run, found))
    raise NoFolderError(_describe_absence(run, place, output_dir))


def _search(run: Any, output_dir: Path) -> Iterator[Path]:
    """Yields the folders that are really a run's."""
    run_id = run.info.run_id
    for spool, _ in find_claims(output_dir, lambda known: known == run_id):
        is_its = False
        with suppress(NewerRecordError):  # nothing of it could be read here
            is_its = _is_folder_of(spool, run)
        if is_its and leads_inside(output_dir, spool.job_folder):
            yield spool.job_folder


def _is_folder_of(spool: Spool, run: Any) -> bool:
    """Tells whether a folder and a run name each other."""
    known = run.info.run_id in spool.list_run_ids()
    return known and names_back(run.data.tags, read_job_id(spool))


def _told(folder: Path, run: Any, place: Place | None) -> Path:
    """Returns a folder; says so when its run went on elsewhere since."""
    entries = read_entries(Spool(folder).journal)
    here = sum(entry.kind == SESSION for entry in entries) - 1
    there = run.data.tags.get("resumed.count", "0")
    if there.isdecimal() and int(there) > here:
        _LOGGER.warning(
            "%s is an older copy: its run %s was continued since, in %s.",
            folder,
            run.info.run_id,
            place or "another folder",
        )
    return folder


def _describe_copies(run: Any, folders: list[Path]) -> str:
    lines = "\n".join(f"  {folder}" for folder in folders)
    return (
        f"The run {run.info.run_id} has {len(folders)} folders, copies of each other. "
        f"Name the one that is meant in place of the run:\n{lines}"
    )


def _describe_absence(run: Any, place: Place | None, output_dir: Path) -> str:
    run_id, name = run.info.run_id, make_printable(run.info.run_name or "")
    sentences = [f"The folder of the run {run_id} ({name}) is not below {output_dir}."]
    if place is None:
        sentences += [
            "The run does not say where it was: an earlier release has made it, or "
            "another program.",
            "Choose the output_dir that it was made in.",
        ]
    else:
        sentences += [f"It was {place}.", *_describe_likely(place, output_dir)]
        sentences += [_advise(place, output_dir)]
    return " ".join(sentences)


def _describe_likely(place: Place, output_dir: Path) -> Iterator[str]:
    """Yields whose folder stands in the place of a run's."""
    likely = place.below(output_dir)
    if likely is None or not likely.is_dir():
        return
    other = Spool(likely, output_dir).read_run_id()
    owner = "another folder" if other is None else f"that of the run {other:.32}"
    yield make_printable(f"What is in {likely} is {owner}.")


def _advise(place: Place, output_dir: Path) -> str:
    folder = "name the folder itself in place of the run"
    if place.host != host_name():
        return f"Copy it from there, and {folder}, or choose an output_dir that has it."
    if Path(place.output_dir) != output_dir:
        return f"Choose that output_dir, or {folder}."
    return f"Bring it back or, if it was moved, {folder}."
