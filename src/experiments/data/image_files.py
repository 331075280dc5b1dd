"""From labelled files to verified splits: what `folder` and `imagenet` share."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from experiments.data.class_folders import LabelledFiles
from experiments.data.scan import ScannedFile, scan_files
from experiments.data.split import FileSplit, SkippedFile
from experiments.errors import DataError

_LISTED = 5


@dataclass(frozen=True, kw_only=True)
class FileRules:
    """How files are looked at; each attribute is a key of the config.

    Attributes:
        on_corrupt: `error` or `skip` files that are no usable images.
        verify: `full`, `header` or `off`; see `scan_files`.
        scan_cache: Folder that remembers what was verified; `None` for none.
        crop_ratio: See `FileSplit`.
        decode_threads: Files looked at at once; `None` for one per CPU core.
    """

    on_corrupt: str
    verify: str
    scan_cache: str | None
    crop_ratio: float
    decode_threads: int | None


def make_file_splits(
    root: Path,
    parts: Sequence[tuple[LabelledFiles, Callable[[ScannedFile], str]]],
    rules: FileRules,
) -> tuple[dict[str, FileSplit], list[SkippedFile]]:
    """Verifies files and puts each into its split.

    Args:
        root: The data set's folder.
        parts: Files, and what names the split of each of them.
        rules: How to look at them.

    Returns:
        Split name -> split, and the files left out.

    Raises:
        DataError: Some file is no usable image and `on_corrupt` is `error`.
    """
    names = [name for files, _ in parts for name in files.names]
    scanned = scan_files(
        root,
        names,
        verify=rules.verify,
        threads=rules.decode_threads,
        cache_folder=Path(rules.scan_cache).expanduser() if rules.scan_cache else None,
    )
    skipped = [
        SkippedFile(str(root / file.name), file.fault) for file in scanned if file.fault
    ]
    if skipped and rules.on_corrupt == "error":
        raise DataError(_describe(skipped))
    members: dict[str, list[tuple[ScannedFile, int]]] = defaultdict(list)
    rest = iter(scanned)
    for files, choose in parts:
        for label, file in zip(files.labels, rest, strict=False):
            if not file.fault:
                members[choose(file)].append((file, label))
    splits = {
        name: _make_split(root, part, rules.crop_ratio)
        for name, part in members.items()
    }
    return splits, skipped


def _make_split(
    root: Path, members: Sequence[tuple[ScannedFile, int]], crop_ratio: float
) -> FileSplit:
    return FileSplit(
        paths=tuple(f"{root}/{file.name}" for file, _ in members),
        labels=np.array([label for _, label in members], np.int32),
        digests=tuple(file.digest for file, _ in members),
        crop_ratio=crop_ratio,
    )


def _describe(skipped: Sequence[SkippedFile]) -> str:
    listed = [f"  - {file.path} {file.reason}" for file in skipped[:_LISTED]]
    if len(skipped) > _LISTED:
        listed.append(f"  - and {len(skipped) - _LISTED} more")
    noun = "file is no usable image" if len(skipped) == 1 else "files are unusable"
    return "\n".join(
        [
            f"{len(skipped)} {noun}:",
            *listed,
            "Mend or remove them, or set dataset.on_corrupt=skip to leave them out.",
        ]
    )
