"""Applies a person's decisions about single images to the splits of a data set."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from experiments.config.kinds.corrections import (
    Correction,
    Corrections,
    read_corrections,
)
from experiments.data.samples import digest_samples, name_samples
from experiments.data.split import ArraySplit, Split


@dataclass(frozen=True)
class Corrected:
    """Splits after they were corrected.

    Attributes:
        splits: Split name -> split.
        changes: Split name -> how many of its images were relabelled and dropped.
    """

    splits: dict[str, Split]
    changes: dict[str, dict[str, int]]


def open_corrections(path: str | None) -> Corrections | None:
    """Reads the file that `dataset.corrections` names; `None` if it names none.

    Raises:
        DataError: It cannot be read, or is wrong.
    """
    return None if path is None else read_corrections(Path(path).expanduser())


def apply_corrections(
    splits: Mapping[str, Split],
    corrections: Corrections,
    class_names: Sequence[str],
    *,
    left_out: Collection[str] = (),
) -> Corrected:
    """Returns splits in which images have other labels or are left out.

    Every image stays in its split: what is compared with and without corrections has
    the same test images, apart from those that were dropped.

    Args:
        splits: Split name -> split, as the data set divides them.
        corrections: What to change.
        class_names: One name a class.
        left_out: Names of further images, which are in no split.

    Raises:
        DataError: A decision is about an image that is not there or has changed, or
            names no class.
    """
    names = {split: name_samples(part) for split, part in splits.items()}
    known: dict[str, str | None] = dict.fromkeys(left_out)
    for split, part in splits.items():
        known.update(zip(names[split], digest_samples(part), strict=True))
    corrections.check(known, class_names)
    numbers = {name: number for number, name in enumerate(class_names)}
    corrected, changes = {}, {}
    for split, part in splits.items():
        decided = [corrections.rows.get(name) for name in names[split]]
        corrected[split] = _correct(part, decided, numbers)
        counts = Counter(row.action for row in decided if row is not None)
        changes[split] = {
            "relabelled": counts["relabel"],
            "dropped": counts["drop"],
        }
    return Corrected(corrected, changes)


def _correct(
    split: Split, decided: Sequence[Correction | None], numbers: Mapping[str, int]
) -> Split:
    kept = np.array([row is None or row.action != "drop" for row in decided], np.bool_)
    labels = np.array(
        [
            numbers[row.label] if row is not None and row.action == "relabel" else label
            for row, label in zip(decided, split.labels.tolist(), strict=True)
        ],
        np.int32,
    )
    if kept.all() and np.array_equal(labels, split.labels):
        return split
    return select_images(replace(split, labels=labels), np.flatnonzero(kept))


def select_images(split: Split, rows: npt.NDArray[np.int64]) -> Split:
    """Returns some images of a split.

    Args:
        split: All of them.
        rows: Their numbers, in the order that is wanted.
    """
    if isinstance(split, ArraySplit):
        return split.select(rows)
    kept: dict[str, Any] = {
        name: tuple(getattr(split, name)[row] for row in rows.tolist())
        for name in ("paths", "digests")
    }
    if split.weights is not None:
        kept["weights"] = split.weights[rows]
    return replace(split, labels=split.labels[rows], **kept)
