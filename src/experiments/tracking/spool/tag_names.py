"""What the tags of a run are called that no person looks for, and were called before.

They stand below one prefix, so that what a person reads is not between them. Runs keep
the names of the release that made them, in MLflow as in their journals.
"""

from collections.abc import Mapping

from experiments.records import FIRST

PREFIX = "experiments."

_MOVED = (
    "data.content",
    "data.split",
    "git.branch",
    "git.dirty",
    "git.note",
    "hardware.cpu",
    "hardware.gpu",
    "process.boot",
    "process.host",
    "process.namespace",
    "process.pid",
    "process.started",
    "python",
)
_SINCE = 3  # the format that has the prefix


def former_name(name: str) -> str:
    """Returns what a tag was called before the prefix."""
    return name.removeprefix(PREFIX)


def name_as_today(tags: Mapping[str, str], since: int = FIRST) -> dict[str, str]:
    """Returns the tags of a run by today's names.

    A former name stays where the tag is there by today's: then it is that of a person,
    or what a release of before has left on a run that was continued.

    Args:
        tags: Of a run or a journal.
        since: Format of the record; what MLflow has does not say it.
    """
    if since >= _SINCE:
        return dict(tags)
    moved = {name: PREFIX + name for name in _MOVED if PREFIX + name not in tags}
    return {moved.get(name, name): text for name, text in tags.items()}
