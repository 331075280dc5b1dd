"""A user's own images, one folder a class."""

from collections.abc import Callable, Sequence
from pathlib import Path

from experiments.data.class_folders import (
    LabelledFiles,
    list_classes,
    list_files,
    require_folder,
)
from experiments.data.dataset import Dataset, build_dataset
from experiments.data.image_files import FileRules, make_file_splits
from experiments.data.scan import ScannedFile
from experiments.data.splitting import choose_split
from experiments.errors import DataError

_VALIDATION_FOLDERS = ("val", "valid", "validation")

Part = tuple[LabelledFiles, Callable[[ScannedFile], str]]


def load_folder(
    *,
    path: str,
    image_size: int,
    channels: int,
    classes: int | None,
    crop_ratio: float,
    mean: Sequence[float] | None,
    std: Sequence[float] | None,
    validation_fraction: float,
    test_fraction: float,
    split_by: str,
    split_seed: int,
    on_corrupt: str,
    verify: str,
    scan_cache: str | None,
    cache: str,
    decode_threads: int | None,
) -> Dataset:
    """Lists, verifies and splits a folder of images.

    With a folder `train` the folders `train`, `val` and `test` are the splits: without
    `val` the validation split is taken from `train`, without `test` there is no test
    split. Otherwise `path` holds the class folders and a hash of each file decides its
    split, so that added files move no others.

    Args:
        path: The folder.
        image_size: Height and width to deliver.
        channels: 3, or 1 for luminance.
        classes: Number of classes to insist on.
        crop_ratio: Share of the shorter side that the central crop keeps.
        mean: Mean of each channel in units of 0..1; `None` measures it.
        std: Standard deviation of each channel, likewise.
        validation_fraction: Share of the validation split.
        test_fraction: Share of the test split, when there is no `train` folder.
        split_by: The hash of a file's `content` or of its relative `path`.
        split_seed: Another seed gives another division.
        on_corrupt: `error`, or `skip` files that are no usable images.
        verify: `full`, `header` or `off`; see `scan_files`.
        scan_cache: Folder that remembers what was verified.
        cache: See `build_pipeline`.
        decode_threads: Threads; `None` for one per CPU core.

    Raises:
        DataError: The folder, a class or an image is missing or unusable.
    """
    root = require_folder(path)

    def choose_by_hash(test: float) -> Callable[[ScannedFile], str]:
        return lambda file: choose_split(
            file.digest if split_by == "content" else file.name,
            validation_fraction=validation_fraction,
            test_fraction=test,
            seed=split_seed,
        )

    class_names, parts = _list_parts(root, choose_by_hash, test_fraction)
    if classes not in (None, len(class_names)):
        raise DataError(
            f"dataset.classes is {classes}, but {root} has {len(class_names)} classes."
        )
    rules = FileRules(
        on_corrupt=on_corrupt,
        verify=verify,
        scan_cache=scan_cache,
        crop_ratio=crop_ratio,
        decode_threads=decode_threads,
    )
    splits, skipped = make_file_splits(root, parts, rules)
    for name in ("train", "validation"):
        if name not in splits:
            raise DataError(
                f"The {name} split of {root} has no usable images. Add images or "
                "change dataset.validation_fraction."
            )
    return build_dataset(
        name=root.resolve().name,
        class_names=class_names,
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


def _list_parts(
    root: Path,
    choose_by_hash: Callable[[float], Callable[[ScannedFile], str]],
    test_fraction: float,
) -> tuple[list[str], list[Part]]:
    """Returns the class names, and files with what decides their split."""
    train = root / "train"
    if not _holds_folders(train):
        class_names = list_classes(root)
        files = list_files(root, root, class_names)
        return class_names, [(files, choose_by_hash(test_fraction))]
    class_names = list_classes(train)
    files = list_files(root, train, class_names)
    validation = [root / n for n in _VALIDATION_FOLDERS if (root / n).is_dir()]
    parts: list[Part] = []
    if len(validation) > 1:
        names = ", ".join(folder.name for folder in validation)
        raise DataError(f"{root} has more than one validation folder: {names}.")
    if validation:
        held_out = list_files(root, validation[0], class_names)
        parts = [(files, lambda _: "train"), (held_out, lambda _: "validation")]
    else:
        parts = [(files, choose_by_hash(0.0))]
    if (root / "test").is_dir():
        tested = list_files(root, root / "test", class_names)
        parts.append((tested, lambda _: "test"))
    return class_names, parts


def _holds_folders(folder: Path) -> bool:
    return folder.is_dir() and any(p.is_dir() for p in folder.iterdir())
