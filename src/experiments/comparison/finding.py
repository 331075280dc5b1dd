"""The runs that a person means: those of a list, and those below a sweep or search."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from experiments.command.printed import typed_folder
from experiments.comparison.member import (
    Member,
    describe_member,
    read_member,
    read_stored_member,
)
from experiments.config.kinds.destination import Destination
from experiments.config.kinds.model_names import is_registered, names_model
from experiments.config.kinds.objective import Objective
from experiments.counts import count_of
from experiments.errors import ConfigError, Problem
from experiments.jobs.runs.catalogue import find_job_folders, read_run
from experiments.jobs.runs.run_names import FoundRun, find_named
from experiments.tracking.logged_model import find_registered
from experiments.tracking.recorded import read_members
from experiments.tracking.store.runs.run_names import BEST, LAST, Kind, Wanted

_PARENTS: tuple[Kind, ...] = ("sweep", "search")
_HINT = (
    "Such as 'run_id=[last,best]', or the id of a sweep or search: task=list shows "
    "what can be named."
)


def find_members(
    names: str | Sequence[str] | None, destination: Destination, objective: Objective
) -> tuple[list[Member], str | None]:
    """Returns the runs to compare, and what they are called together.

    Args:
        names: Ids, folders or names of runs, `last` or `best`; what is a sweep or a
            search means all of its runs. One alone must be such a parent.
        destination: Where they are looked for.
        objective: What `best` is best by.

    Raises:
        ConfigError: They are fewer than two.
        TrackingError: There is no such run, or several.
    """
    if names is None:
        reason = "must name what is compared. Received: null."
        raise ConfigError([Problem("run_id", reason, _HINT)])
    alone = isinstance(names, str)
    words = [names] if isinstance(names, str) else list(names)
    found = [_find(word, destination, objective, alone=alone) for word in words]
    members: dict[str, Member] = {}
    for each in found:
        for member in _read(each, destination):
            members[str(member.folder or member.run_id)] = member
    if len(members) < 2:
        reason = (
            f"must mean two runs or more. Received: {', '.join(words)}, "
            f"{count_of(len(members), 'run')}."
        )
        raise ConfigError([Problem("run_id", reason, _HINT)])
    listed = found[0].listed
    is_parent = alone and listed is not None
    return list(members.values()), listed.name if is_parent and listed else None


def list_members(parent: Path, output_dir: Path) -> list[Member]:
    """Returns the runs below the folder of a sweep or search, in their order."""
    found = [read_run(folder, output_dir) for folder in find_job_folders(parent)]
    return [
        describe_member(listed)
        for listed in found
        if listed is not None and listed.kind == "run"
    ]


def _find(
    word: str, destination: Destination, objective: Objective, *, alone: bool
) -> FoundRun:
    kinds: tuple[Kind, ...] = ("run", "trial", *_PARENTS)
    if word in (LAST, BEST):
        kinds = _PARENTS if alone else ("run",)
    wanted = Wanted(objective=objective, kinds=kinds)
    if names_model(word) and not (typed_folder() / word).is_dir():
        word = _find_run_of_model(word, destination)
    return find_named(word, destination, wanted)


def _find_run_of_model(name: str, destination: Destination) -> str:
    """Returns the id of the run that trained a registered model."""
    run_id = None
    if is_registered(name):
        run_id = find_registered(name, destination).run_id
    if run_id is None:
        reason = f"must mean runs. Received: {name}, which has no record of its run."
        raise ConfigError([Problem("run_id", reason, _HINT)])
    return run_id


def _read(found: FoundRun, destination: Destination) -> Iterator[Member]:
    if found.folder is None:
        below = read_members(found.word, destination)
        for run_id in [found.word] if below is None else below:
            yield read_stored_member(run_id, destination)
    elif found.listed is None or found.listed.kind == "run":
        yield read_member(found.folder, destination.output_dir)
    else:
        yield from list_members(found.folder, destination.output_dir)
