"""Finds images that a data set has twice where it must not."""

import hashlib
import os
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from experiments.data.files.scanning.scan import ScannedFile
from experiments.data.labels import Label

_CHUNK = 2**20
# What happened -> what it means, for warnings and as keys of the record.
IN_SPLITS = "in_several_splits"
UNDER_LABELS = "under_several_labels"


def find_copies(
    root: Path, members: Mapping[str, Sequence[tuple[ScannedFile, Label]]]
) -> dict[str, list[list[str]]]:
    """Returns groups of files with the same bytes that are treated differently.

    Files of one digest, which is of their ends only, are read whole before they are
    called the same.

    Args:
        root: The data set's folder.
        members: Split name -> files and the label of each.

    Returns:
        Under `in_several_splits` and `under_several_labels` the sorted names of each
        group; neither key without any.
    """
    counts = Counter(file.digest for files in members.values() for file, _ in files)
    places: dict[str, dict[str, tuple[str, Label]]] = defaultdict(dict)
    for split, files in members.items():
        for file, label in files:
            if counts[file.digest] > 1:
                places[file.digest][file.name] = (split, label)
    suspects = {
        digest: group for digest, group in places.items() if _differ(group.values())
    }
    names = [name for group in suspects.values() for name in group]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        hashes = dict(
            zip(names, pool.map(lambda n: _hash(root, n), names), strict=True)
        )
    found: dict[str, list[list[str]]] = defaultdict(list)
    for group in suspects.values():
        same: dict[str, list[str]] = defaultdict(list)
        for name in sorted(group):
            same[hashes[name]].append(name)
        for copies in same.values():
            if len({group[name][0] for name in copies}) > 1:
                found[IN_SPLITS].append(copies)
            if len({group[name][1] for name in copies}) > 1:
                found[UNDER_LABELS].append(copies)
    return {kind: sorted(groups) for kind, groups in sorted(found.items())}


def _differ(places: Collection[tuple[str, Label]]) -> bool:
    """Tells whether there are several splits or several labels."""
    return any(len(set(kind)) > 1 for kind in zip(*places, strict=True))


def _hash(root: Path, name: str) -> str:
    """Returns a hash of a whole file; of its name when it cannot be read."""
    digest = hashlib.blake2b(digest_size=16)
    try:
        with (root / name).open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except OSError:
        digest.update(name.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()
