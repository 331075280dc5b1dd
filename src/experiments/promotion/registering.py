"""The order in which a version is registered and the aliases are moved.

MLflow cannot move an alias on condition. So everything else is written first, the
registry is read once more, and the alias is moved last: a command that was killed has
left a version that the next one finds by its weights, or nothing. That no other command
moves it between that look and the move, `promoting` sees to below one output folder.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from filelock import FileLock, Timeout

from experiments import job_files
from experiments.errors import TrackingError
from experiments.promotion.decision import Decision
from experiments.tracking.registry import Registered, Version
from experiments.tracking.spool.tag_names import PREFIX

CHAMPION, PREVIOUS = "champion", "previous"
VERDICT = "verdict"
WEIGHTS = f"{PREFIX}weights"
TEST_CONTENT = f"{PREFIX}test.content"
_TRIES = 5


class Shelf(Protocol):
    """What of a registry is used here, see `tracking.registry.Registry`."""

    name: str

    def read(self) -> Registered:
        """Returns what is registered now."""
        ...

    def describe(self, number: str, tags: Mapping[str, str], description: str) -> None:
        """Replaces tags and the description of a version."""
        ...

    def point(self, alias: str, number: str) -> None:
        """Lets an alias mean a version."""
        ...

    def has_files(self, number: str) -> bool:
        """Tells whether the model of a version is still there."""
        ...


@dataclass(frozen=True, kw_only=True)
class Account:
    """What a version says of itself after a decision."""

    tags: Mapping[str, str]
    description: str


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a promotion.

    Attributes:
        number: Of the candidate's version.
        decision: What was decided, and why.
        is_new: Whether the version was registered just now.
        again: How often the champion had changed meanwhile, so that it was compared
            once more.
    """

    number: str
    decision: Decision
    is_new: bool
    again: int = 0


def settle(
    shelf: Shelf,
    *,
    weights: str,
    compare: Callable[[Registered], Decision],
    add: Callable[[Registered, Decision], Version],
    account: Callable[[Registered, Decision], Account],
) -> Outcome:
    """Registers a candidate and moves the aliases as it deserves.

    Args:
        shelf: The registry.
        weights: Hash of the candidate's weights: a version that has them is its own,
            as long as its files are there.
        compare: Holds it against the champion of a moment.
        add: Registers it as a new version.
        account: What its version says after a decision.

    Raises:
        TrackingError: The store refuses, or others move the alias again and again.
    """
    is_new = False
    for again in range(_TRIES):
        seen = shelf.read()
        decision = compare(seen)
        if decision.verdict == "same":
            return Outcome(
                number=seen.aliases[CHAMPION],
                decision=decision,
                is_new=is_new,
                again=again,
            )
        version = find_own(shelf, seen, weights)
        if version is None:
            version, is_new = add(seen, decision), True
        told = account(seen, decision)
        shelf.describe(version.number, told.tags, told.description)
        if shelf.read().aliases.get(CHAMPION) != seen.aliases.get(CHAMPION):
            continue
        if decision.moves:
            _move(shelf, version.number, seen)
        return Outcome(
            number=version.number, decision=decision, is_new=is_new, again=again
        )
    raise TrackingError(
        f"Others moved the alias {CHAMPION} {_TRIES} times while this model was "
        "compared. It is registered; the same command compares it again."
    )


def find_own(shelf: Shelf, registered: Registered, weights: str) -> Version | None:
    """Returns the version of certain weights that can be used, the first of several.

    Args:
        shelf: The registry.
        registered: What is in it.
        weights: Their hash.
    """
    found = [v for v in registered.versions if v.tags.get(WEIGHTS) == weights]
    return next((v for v in found if shelf.has_files(v.number)), None)


def count_tested(registered: Registered, content: str, weights: str) -> int:
    """Returns how many models were held to the same test images, this one included.

    Args:
        registered: The registered model.
        content: Hash of the test images.
        weights: Of the model that counts whether or not it is registered yet.
    """
    known = {
        version.tags.get(WEIGHTS)
        for version in registered.versions
        if version.tags.get(TEST_CONTENT) == content
    }
    return len(known | {weights})


@contextmanager
def promoting(output_dir: Path) -> Iterator[None]:
    """Lets one command of an output folder work on the registry at a time."""
    lock = FileLock(output_dir / job_files.REGISTRY_LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        print("Another task=promote is at work here; waiting for it.", flush=True)
        lock.acquire(timeout=-1)
    try:
        yield
    finally:
        lock.release()


def _move(shelf: Shelf, number: str, seen: Registered) -> None:
    """Moves the aliases, that of the champion last, and looks whether it stayed.

    Args:
        shelf: The registry.
        number: Of the new champion.
        seen: What the decision was made by.

    Raises:
        TrackingError: Another command moved it at the same moment.
    """
    old = seen.aliases.get(CHAMPION)
    if old is not None and old != number:
        shelf.point(PREVIOUS, old)
    shelf.point(CHAMPION, number)
    now = shelf.read()
    found = now.aliases.get(CHAMPION)
    if found != number:
        raise TrackingError(
            f"Another command has made version {found} the {CHAMPION} at the same "
            f"moment, in place of version {number}. The same command compares them."
        )
    if overtaken := _list_moved(now) - _list_moved(seen) - {number}:
        other = max(overtaken, key=int)
        raise TrackingError(
            f"Version {number} is the {CHAMPION}, in place of version {other}, which "
            "another command has made it at the same moment: they were not compared. "
            f"This compares them: task=promote run_id=models:/{shelf.name}/{other} "
            f"registered_name={shelf.name}"
        )


def _list_moved(registered: Registered) -> set[str]:
    """Returns the versions that the alias was moved to, or is about to be."""
    moving = ("first", "better", "forced")
    return {v.number for v in registered.versions if v.tags.get(VERDICT) in moving}
