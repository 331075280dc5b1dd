"""Folders that a model is measured on, which nobody could train on."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from experiments.data.files.asked.any_classes import (
    NoLabelsError,
    find_labelled,
    read_labelled,
)
from experiments.data.split import FileSplit
from experiments.errors import DataError

OPTIONS: Any = {
    "image_size": 8,
    "channels": 3,
    "crop_ratio": 0.5,
    "background": [0, 0, 0],
    "mean": None,
    "std": None,
    "on_corrupt": "error",
    "verify": "header",
    "scan_cache": None,
    "max_pixels": 10**6,
    "cache": "none",
    "decode_threads": 1,
}


def leave(path: Path, shade: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((9, 9, 3), shade, np.uint8)).save(path)


def find(folder: Path, wanted: str | None = None, splits: Any = None) -> Any:
    return find_labelled(str(folder), splits=splits, wanted=wanted)


def test_all_images_of_a_folder_of_classes_are_taken(tmp_path: Path) -> None:
    for number, name in enumerate(("dog/a.png", "cat/b/c.png", "cat/d.png")):
        leave(tmp_path / name, number)
    place = find(tmp_path)
    assert (place.split, place.folder) == (None, ".")
    found = read_labelled(place, OPTIONS)
    assert found.class_names == ("cat", "dog")
    assert isinstance(found.images, FileSplit)
    paths = [Path(path).relative_to(tmp_path) for path in found.images.paths]
    assert list(zip(map(str, paths), found.images.labels.tolist(), strict=True)) == [
        ("cat/d.png", 0),
        ("cat/b/c.png", 0),
        ("dog/a.png", 1),
    ]
    assert (found.images.crop_ratio, found.images.background) == (0.5, (0, 0, 0))
    assert (found.name, found.split) == (tmp_path.name, None)


def test_one_class_of_one_image_is_enough(tmp_path: Path) -> None:
    leave(tmp_path / "cat" / "a.png")
    found = read_labelled(find(tmp_path), OPTIONS)
    assert (len(found.images), found.class_names) == (1, ("cat",))


@pytest.mark.parametrize(
    ("folders", "wanted", "taken"),
    [
        (["train", "val", "test"], None, "test"),
        (["train", "val", "test"], "train", "train"),
        (["Training", "Testing"], None, "test"),
        (["train", "eval"], None, "evaluation"),
        (["train", "val"], None, "validation"),
        (["test"], None, "test"),
    ],
)
def test_split_folders_are_known_by_their_names(
    folders: list[str], wanted: str | None, taken: str, tmp_path: Path
) -> None:
    for name in folders:
        leave(tmp_path / name / "cat" / "a.png")
    place = find(tmp_path, wanted)
    assert place.split == taken
    assert len(read_labelled(place, OPTIONS).images) == 1


def test_split_folder_within_one_of_its_name_is_found(tmp_path: Path) -> None:
    leave(tmp_path / "test_set" / "test_set" / "cat" / "a.png")
    place = find(tmp_path)
    assert place.folder == "test_set/test_set"
    assert read_labelled(place, OPTIONS).class_names == ("cat",)


def test_folders_of_images_named_like_splits_are_classes(tmp_path: Path) -> None:
    leave(tmp_path / "train" / "a.png")
    leave(tmp_path / "bus" / "a.png", 1)
    assert read_labelled(find(tmp_path), OPTIONS).class_names == ("bus", "train")


def test_splits_that_are_named_count(tmp_path: Path) -> None:
    leave(tmp_path / "old" / "cat" / "a.png")
    leave(tmp_path / "new" / "cat" / "a.png", 1)
    splits = {"train": "old", "test": "new"}
    assert find(tmp_path, splits=splits).folder == "new"
    assert read_labelled(find(tmp_path, splits={}), OPTIONS).class_names == (
        "new",
        "old",
    )


def test_flat_folder_says_nothing_of_its_images(tmp_path: Path) -> None:
    leave(tmp_path / "a.png")
    with pytest.raises(NoLabelsError, match=r"The 1 image of .* directly in"):
        find(tmp_path)


def test_split_that_is_not_there_is_told(tmp_path: Path) -> None:
    for name in ("train", "test"):
        leave(tmp_path / name / "cat" / "a.png")
    with pytest.raises(DataError, match=r"has: test, train\. Received: validation"):
        find(tmp_path, "validation")


def test_split_of_a_folder_without_any_is_refused(tmp_path: Path) -> None:
    leave(tmp_path / "cat" / "a.png")
    with pytest.raises(DataError, match=r"Leave task\.split out"):
        find(tmp_path, "test")


def test_two_folders_of_one_split_are_told(tmp_path: Path) -> None:
    for name in ("val", "valid"):
        leave(tmp_path / name / "cat" / "a.png")
    with pytest.raises(DataError, match="more than one validation folder"):
        find(tmp_path)


def test_damaged_file_is_an_error_or_left_out(tmp_path: Path) -> None:
    leave(tmp_path / "cat" / "a.png")
    (tmp_path / "cat" / "b.jpg").write_text("no image")
    with pytest.raises(DataError, match="1 file is no usable image"):
        read_labelled(find(tmp_path), OPTIONS)
    found = read_labelled(find(tmp_path), {**OPTIONS, "on_corrupt": "skip"})
    assert len(found.images) == 1
    (skipped,) = found.skipped_files
    assert skipped.path.endswith("cat/b.jpg")


def test_folder_without_a_usable_image_is_told(tmp_path: Path) -> None:
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / "b.jpg").write_text("no image")
    with pytest.raises(DataError, match="no usable image in 1 file"):
        read_labelled(find(tmp_path), {**OPTIONS, "on_corrupt": "skip"})
    (tmp_path / "cat" / "b.jpg").unlink()
    (tmp_path / "cat").rmdir()
    with pytest.raises(DataError, match="holds no folder of a class"):
        find(tmp_path)


def test_images_are_corrected_by_a_file_that_speaks_of_other_splits_too(
    tmp_path: Path,
) -> None:
    for number, name in enumerate(
        ("test/cat/a.png", "test/dog/b.png", "test/dog/c.png")
    ):
        leave(tmp_path / "pets" / name, number)
    leave(tmp_path / "pets" / "train" / "cat" / "d.png", 9)
    lines = ["test/dog/b.png,cat,relabel", "test/dog/c.png,,drop"]
    table = tmp_path / "c.csv"
    options = {**OPTIONS, "corrections": str(table)}
    head = "sample,proposed,action\n"
    table.write_text(head + "\n".join([*lines, "train/cat/d.png,,drop"]))
    found = read_labelled(find(tmp_path / "pets"), options)
    assert [Path(path).name for path in found.images.paths] == ["a.png", "b.png"]
    assert found.images.labels.tolist() == [0, 0]
    table.write_text(head + "\n".join([*lines, "train/cat/x.png,,drop"]))
    with pytest.raises(DataError, match=r"line 4: train/cat/x\.png is no image"):
        read_labelled(find(tmp_path / "pets"), options)
