"""Which files show the same: those whose paths give a pattern the same answer."""

import re
from collections.abc import Sequence

from experiments.config.schema.datasets.dataset import PARENT
from experiments.counts import count_of
from experiments.data.files.scanning.scan import show_name
from experiments.errors import DataError

_PARENT = r"([^/]+)/[^/]+$"


def read_groups(names: Sequence[str], pattern: str) -> list[str]:
    """Returns the group of each file: what the pattern's own group finds in its path.

    Args:
        names: Paths in the data set's folder, with forward slashes.
        pattern: A regular expression with one group, which may match anywhere in a
            path; or `parent` for the name of the folder in which a file lies.

    Raises:
        DataError: It does not match one of them.
    """
    compiled = re.compile(_PARENT if pattern == PARENT else pattern)
    found = [compiled.search(name) for name in names]
    groups = [None if match is None else match[1] for match in found]
    missing = [name for name, group in zip(names, groups, strict=True) if not group]
    if missing:
        more = f" and in {count_of(len(missing) - 1, 'other')}" if missing[1:] else ""
        raise DataError(
            f"dataset.group must find a group in every path. Received: {pattern}, "
            f"which finds none in {show_name(missing[0])}{more}."
        )
    return [group or "" for group in groups]
