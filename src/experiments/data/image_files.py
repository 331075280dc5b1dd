"""From labelled files to verified splits: what `folder` and `imagenet` share."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypedDict, Unpack

import numpy as np

from experiments.data.class_folders import LabelledFiles
from experiments.data.dataset import Dataset, build_dataset
from experiments.data.scan import ScannedFile, scan_files, show_name
from experiments.data.split import FileSplit, SkippedFile
from experiments.errors import DataError

_LISTED = 5

# Files, and what names the split of each of them.
Part = tuple[LabelledFiles, Callable[[ScannedFile], str]]


class FileOptions(TypedDict):
    """The keyword arguments that `folder` and `imagenet` share.

    Attributes:
        image_size: Height and width to deliver.
        channels: 3, or 1 for luminance.
        crop_ratio: Share of the shorter side that the central crop keeps.
        mean: Mean of each channel in units of 0..1; `None` measures it.
        std: Standard deviation of each channel, likewise.
        on_corrupt: `error`, or `skip` files that are no usable images.
        verify: `full`, `header` or `off`; see `scan_files`.
        scan_cache: Folder that remembers what was verified; `None` for none.
        cache: See `build_pipeline`.
        decode_threads: Threads; `None` for one per CPU core.
    """

    image_size: int
    channels: int
    crop_ratio: float
    mean: Sequence[float] | None
    std: Sequence[float] | None
    on_corrupt: str
    verify: str
    scan_cache: str | None
    cache: str
    decode_threads: int | None


def split_files(
    root: Path,
    parts: Sequence[Part],
    *,
    name: str,
    class_names: Sequence[str],
    **options: Unpack[FileOptions],
) -> Dataset:
    """Verifies files, puts each into its split and builds the data set.

    Args:
        root: The data set's folder.
        parts: Files, and what names the split of each of them.
        name: Short name of the data set.
        class_names: One name a class.
        options: See `FileOptions`.

    Raises:
        DataError: Some file is no usable image and `on_corrupt` is `error`, or no
            usable image is left to train on or to validate with.
    """
    splits, skipped = _make_splits(root, parts, options)
    for split in ("train", "validation"):
        if split not in splits:
            raise DataError(
                f"The {split} split of {root} has no usable images. Add images or "
                "change dataset.validation_fraction."
            )
    size = options["image_size"]
    return build_dataset(
        name=name,
        class_names=class_names,
        image_shape=(size, size, options["channels"]),
        mean=options["mean"],
        std=options["std"],
        train=splits["train"],
        validation=splits["validation"],
        test=splits.get("test"),
        skipped_files=skipped,
        cache=options["cache"],
        decode_threads=options["decode_threads"],
    )


def _make_splits(
    root: Path, parts: Sequence[Part], options: FileOptions
) -> tuple[dict[str, FileSplit], list[SkippedFile]]:
    """Returns split name -> split, and the files left out."""
    scanned = scan_files(
        root,
        [name for files, _ in parts for name in files.names],
        verify=options["verify"],
        threads=options["decode_threads"],
        cache_folder=_folder_of(options["scan_cache"]),
    )
    skipped = [
        SkippedFile(show_name(f"{root}/{file.name}"), file.fault)
        for file in scanned
        if file.fault
    ]
    if skipped and options["on_corrupt"] == "error":
        raise DataError(_describe(skipped))
    members: dict[str, list[tuple[ScannedFile, int]]] = defaultdict(list)
    rest = iter(scanned)
    for files, choose in parts:
        for label, file in zip(files.labels, rest, strict=False):
            if not file.fault:
                members[choose(file)].append((file, label))
    splits = {
        name: _make_split(root, part, options["crop_ratio"])
        for name, part in members.items()
    }
    return splits, skipped


def _folder_of(path: str | None) -> Path | None:
    return Path(path).expanduser() if path else None


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
