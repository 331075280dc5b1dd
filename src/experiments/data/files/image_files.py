"""From labelled files to verified splits: what `folder` and `imagenet` share."""

import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NotRequired, TypedDict, Unpack

from experiments.counts import agree, count_of
from experiments.data.corrections import open_corrections
from experiments.data.dataset import Dataset, build_dataset
from experiments.data.files.dividing.file_division import HELD_OUT
from experiments.data.files.folders.class_folders import LabelledFiles
from experiments.data.files.inventory import describe_files
from experiments.data.files.scanning.copies import IN_SPLITS, UNDER_LABELS, find_copies
from experiments.data.files.scanning.scan import ScannedFile, scan_files, show_name
from experiments.data.images.background import choose_colour
from experiments.data.label_arrays import stack_labels
from experiments.data.labels import Label
from experiments.data.split import FileSplit, SkippedFile
from experiments.errors import DataError

_log = logging.getLogger(__name__)

_LISTED = 5
_COPIED = {
    IN_SPLITS: "in several splits, which makes scores too good",
    UNDER_LABELS: "in several classes, of which one can be right",
}

# Names the split of each usable file, from all of them and their labels.
Chooser = Callable[[Sequence[ScannedFile], Sequence[Label]], Sequence[str]]
Part = tuple[LabelledFiles, Chooser]


class FileOptions(TypedDict):
    """The keyword arguments that `folder` and `imagenet` share.

    Attributes:
        image_size: Height and width to deliver.
        channels: 3, or 1 for luminance.
        crop_ratio: Share of the shorter side that the central crop keeps.
        background: What is behind transparent parts: `white`, `black` or red, green
            and blue, 0 to 255.
        mean: Mean of each channel in units of 0..1; `None` measures it.
        std: Standard deviation of each channel, likewise.
        on_corrupt: `error`, or `skip` files that are no usable images.
        verify: `full`, `header` or `off`; see `scan_files`.
        scan_cache: Folder that remembers what was verified; `None` for none.
        max_pixels: Images that declare more are no usable ones.
        corrections: File of decisions about single images; `None` for none.
        cache: See `build_pipeline`.
        decode_threads: Threads; `None` for one per CPU core.
    """

    image_size: int
    channels: int
    crop_ratio: float
    background: str | Sequence[int]
    mean: Sequence[float] | None
    std: Sequence[float] | None
    on_corrupt: str
    verify: str
    scan_cache: str | None
    max_pixels: int
    corrections: NotRequired[str | None]
    cache: str
    decode_threads: int | None


def split_files(
    root: Path,
    parts: Sequence[Part],
    *,
    name: str,
    class_names: Sequence[str],
    splits: Mapping[str, str],
    by_name: bool = False,
    unused: Sequence[str] = (),
    **options: Unpack[FileOptions],
) -> Dataset:
    """Verifies files, puts each into its split and builds the data set.

    Args:
        root: The data set's folder.
        parts: Files, and what names the split of each of them.
        name: Short name of the data set.
        class_names: One name a class.
        splits: Split name -> its folder; empty without split folders.
        by_name: Whether these were told by their names.
        unused: What lies there and takes no part, a phrase each.
        options: See `FileOptions`.

    Raises:
        DataError: Some file is no usable image and `on_corrupt` is `error`, or no
            usable image is left to train on or to validate with.
    """
    names = [name for files, _ in parts for name in files.names]
    scanned = scan_listed(root, names, options)
    corrections = open_corrections(options.get("corrections"))
    skipped = list_skipped(
        root,
        scanned,
        on_corrupt=options["on_corrupt"],
        dropped=() if corrections is None else corrections.dropped,
    )
    members = _choose_members(parts, scanned)
    for split in ("train", "validation"):
        if split not in members:
            raise DataError(
                f"The {split} split of {root} has no usable images. Add images or "
                "change dataset.validation_fraction."
            )
    scored = {split: part for split, part in members.items() if split != HELD_OUT}
    findings = _find(root, scored, unused, verify=options["verify"])
    folders = [folder for files, _ in parts for folder in files.folders]
    file_splits = {
        split: make_split(root, part, len(class_names), options)
        for split, part in members.items()
    }
    size = options["image_size"]
    return build_dataset(
        name=name,
        class_names=class_names,
        image_shape=(size, size, options["channels"]),
        mean=options["mean"],
        std=options["std"],
        train=file_splits["train"],
        validation=file_splits["validation"],
        test=file_splits.get("test"),
        held_out=file_splits.get(HELD_OUT),
        skipped_files=skipped,
        cache=options["cache"],
        decode_threads=options["decode_threads"],
        findings=findings,
        files=describe_files(
            root,
            scanned,
            folders,
            splits=splits,
            by_name=by_name,
            verify=options["verify"],
        ),
        corrections=corrections,
        left_out=[show_name(file.name) for file in scanned if file.fault],
    )


def scan_listed(
    root: Path, names: Sequence[str], options: FileOptions
) -> list[ScannedFile]:
    """Looks at each file as the options say.

    Args:
        root: The data set's folder.
        names: Of the files, relative to it.
        options: See `FileOptions`.
    """
    return scan_files(
        root,
        names,
        verify=options["verify"],
        max_pixels=options["max_pixels"],
        threads=options["decode_threads"],
        cache_folder=_folder_of(options["scan_cache"]),
    )


def list_skipped(
    root: Path,
    scanned: Sequence[ScannedFile],
    *,
    on_corrupt: str,
    dropped: Collection[str] = (),
) -> list[SkippedFile]:
    """Returns the files that are left out because they are no usable images.

    Args:
        root: The data set's folder.
        scanned: All of its files.
        on_corrupt: `error` or `skip`.
        dropped: Names of those that are left out anyway.

    Raises:
        DataError: There is one, and `on_corrupt` is `error`.
    """
    skipped = [
        SkippedFile(show_name(f"{root}/{file.name}"), file.fault)
        for file in scanned
        if file.fault and show_name(file.name) not in dropped
    ]
    if skipped and on_corrupt == "error":
        raise DataError(_describe(skipped))
    return skipped


def _choose_members(
    parts: Sequence[Part], scanned: Sequence[ScannedFile]
) -> dict[str, list[tuple[ScannedFile, Label]]]:
    """Returns split name -> its usable files and the label of each."""
    members: dict[str, list[tuple[ScannedFile, Label]]] = defaultdict(list)
    start = 0
    for files, choose in parts:
        end = start + len(files.names)
        pairs = zip(scanned[start:end], files.labels, strict=True)
        usable = [(file, label) for file, label in pairs if not file.fault]
        chosen = choose([f for f, _ in usable], [label for _, label in usable])
        for pair, split in zip(usable, chosen, strict=True):
            members[split].append(pair)
        start = end
    return members


def _find(
    root: Path,
    members: Mapping[str, Sequence[tuple[ScannedFile, Label]]],
    unused: Sequence[str],
    *,
    verify: str,
) -> dict[str, Any]:
    """Returns what a person should know of the files, and warns of it."""
    # Without opening a file nobody knows which are alike.
    copies = {} if verify == "off" else find_copies(root, members)
    if unused:
        _log.warning("Not used in %s: %s.", root, _enumerate(unused, ", "))
    for kind, where in _COPIED.items():
        if kind in copies:
            groups = [
                _enumerate([show_name(name) for name in group], " = ")
                for group in copies[kind]
            ]
            images = count_of(len(groups), "image")
            verb = agree(len(groups), "is", "are")
            _log.warning("%s %s %s: %s.", images, verb, where, _enumerate(groups, "; "))
    return {**({"unused": list(unused)} if unused else {}), **copies}


def _enumerate(items: Sequence[str], separator: str) -> str:
    more = len(items) - _LISTED
    shown = separator.join(items[:_LISTED])
    return f"{shown}{separator}and {more} more" if more > 0 else shown


def _folder_of(path: str | None) -> Path | None:
    return Path(path).expanduser() if path else None


def make_split(
    root: Path,
    members: Sequence[tuple[ScannedFile, Label]],
    num_classes: int,
    options: FileOptions,
) -> FileSplit:
    """Returns usable files and the label of each as a split."""
    return FileSplit(
        paths=tuple(f"{root}/{file.name}" for file, _ in members),
        labels=stack_labels([label for _, label in members], num_classes),
        digests=tuple(file.digest for file, _ in members),
        crop_ratio=options["crop_ratio"],
        background=choose_colour(options["background"]),
        max_pixels=options["max_pixels"],
        root=str(root),
    )


def _describe(skipped: Sequence[SkippedFile]) -> str:
    listed = [f"  - {file.path} {file.reason}" for file in skipped[:_LISTED]]
    if len(skipped) > _LISTED:
        listed.append(f"  - and {len(skipped) - _LISTED} more")
    are = agree(len(skipped), "is no usable image", "are unusable")
    return "\n".join(
        [
            f"{count_of(len(skipped), 'file')} {are}:",
            *listed,
            "Mend or remove what is listed, or leave it out: dataset.on_corrupt=skip",
        ]
    )
