"""ILSVRC2012, the 1000-class ImageNet, from its usual folders."""

import re
from collections.abc import Sequence
from pathlib import Path

from experiments.data.class_folders import list_classes, list_files, require_folder
from experiments.data.dataset import Dataset, build_dataset
from experiments.data.image_files import FileRules, make_file_splits
from experiments.data.imagenet_names import read_class_names
from experiments.data.splitting import choose_split
from experiments.errors import DataError

_WNID = re.compile(r"n\d{8}")


def load_imagenet(
    *,
    path: str,
    image_size: int,
    channels: int,
    classes: int,
    crop_ratio: float,
    mean: Sequence[float] | None,
    std: Sequence[float] | None,
    validation_fraction: float,
    split_seed: int,
    on_corrupt: str,
    verify: str,
    scan_cache: str | None,
    cache: str,
    decode_threads: int | None,
) -> Dataset:
    """Lists and splits `path`/train/<wnid>/ and `path`/val/<wnid>/.

    The field reports accuracy on `val`. Here that is the test split, and a part of
    `train` decides between models; `validation_fraction=0` makes `val` the validation
    split and leaves no test split.

    Args:
        path: The folder of `train` and `val`.
        image_size: Height and width to deliver.
        channels: 3, or 1 for luminance.
        classes: Number of class folders to insist on, 1000 unless it is a subset.
        crop_ratio: Share of the shorter side that the central crop keeps.
        mean: Mean of each channel in units of 0..1; `None` measures it.
        std: Standard deviation of each channel, likewise.
        validation_fraction: Share of `train`, by a hash of each file's path; 0 or more.
        split_seed: Another seed gives another division.
        on_corrupt: `error`, or `skip` files that are no usable images.
        verify: `full`, `header` or `off`; see `scan_files`.
        scan_cache: Folder that remembers what was verified.
        cache: See `build_pipeline`.
        decode_threads: Threads; `None` for one per CPU core.

    Raises:
        DataError: A folder, a class or an image is missing or unusable.
    """
    root = require_folder(path)
    wnids = _list_wnids(root, classes)
    official = "test" if validation_fraction > 0 else "validation"
    parts = [
        (
            list_files(root, root / "train", wnids),
            lambda file: choose_split(
                file.name,
                validation_fraction=validation_fraction,
                test_fraction=0.0,
                seed=split_seed,
            ),
        ),
        (list_files(root, root / "val", wnids), lambda _: official),
    ]
    rules = FileRules(
        on_corrupt=on_corrupt,
        verify=verify,
        scan_cache=scan_cache,
        crop_ratio=crop_ratio,
        decode_threads=decode_threads,
    )
    splits, skipped = make_file_splits(root, parts, rules)
    if "validation" not in splits or "train" not in splits:
        raise DataError(
            f"dataset.validation_fraction={validation_fraction:g} leaves a split of "
            f"{root} without images. Choose another."
        )
    return build_dataset(
        name="imagenet",
        class_names=read_class_names(root, wnids),
        image_shape=(image_size, image_size, channels),
        mean=mean,
        std=std,
        train=splits["train"],
        validation=splits["validation"],
        test=splits.get("test"),
        skipped_files=skipped,
        cache=cache,
        decode_threads=decode_threads,
    )


def _list_wnids(root: Path, classes: int) -> list[str]:
    """Returns the class folders of `train`, which must be WordNet ids.

    Raises:
        DataError: The layout is another, or the number of classes is.
    """
    for name in ("train", "val"):
        folder = require_folder(str(root / name))
        if any(p.suffix.lower() in (".jpeg", ".jpg") for p in folder.iterdir()):
            raise DataError(
                f"{folder} holds images directly. Sort them into one folder a class, "
                f"such as {folder / 'n01440764'}."
            )
    wnids = list_classes(root / "train")
    others = [name for name in wnids if not _WNID.fullmatch(name)]
    if others:
        raise DataError(
            f"The folders in {root / 'train'} must be WordNet ids such as n01440764. "
            f"Received: {', '.join(others[:5])}."
        )
    if len(wnids) != classes:
        raise DataError(
            f"{root / 'train'} must hold {classes} class folders. Received: "
            f"{len(wnids)}. For a subset set dataset.classes={len(wnids)}."
        )
    return wnids
