from pathlib import Path

import pytest

from experiments.data.files.place.whereabouts import (
    describe_no_classes,
    require_folder,
    type_path,
)
from experiments.errors import DataError


def make(root: Path, tree: str) -> Path:
    for word in tree.split():
        path = root / word
        if word.endswith("/"):
            path.mkdir(parents=True, exist_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"")
    return root


@pytest.mark.parametrize(
    ("tree", "typed", "hint"),
    [
        ("photos/", "photo", "Did you mean {root}/photos? Type dataset.path=photos"),
        ("Photos/", "photos", "Did you mean {root}/Photos? Type dataset.path=Photos"),
        ("photos/pets/", "potos/pets", "Did you mean {root}/photos/pets? Type "),
        ("my_data/", "photos", "The nearest folder that does is {root}."),
        ("photos.zip", "photos", "Unpack it first: unzip -q {root}/photos.zip -d "),
        ("photos.TAR.GZ", "photos", "tar -xf {root}/photos.TAR.GZ -C {root}/photos"),
        ("photos.zip", "photos.zip", "Type dataset.path=photos after unpacking it: "),
        ("cat.jpg", "cat.jpg", "Received: the file {root}/cat.jpg."),
    ],
)
def test_path_that_leads_nowhere_is_told_with_what_is_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tree: str, typed: str, hint: str
) -> None:
    monkeypatch.chdir(make(tmp_path, tree))
    with pytest.raises(DataError) as caught:
        require_folder(str(tmp_path / typed))
    assert hint.format(root=tmp_path) in str(caught.value)


def test_what_is_asked_can_be_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert type_path(tmp_path / "photos") == "dataset.path=photos"
    assert type_path(Path("/elsewhere")) == "dataset.path=/elsewhere"
    assert type_path(tmp_path) == f"dataset.path={tmp_path}"
    assert type_path(tmp_path / "my photos") == "\"dataset.path='my photos'\""


@pytest.mark.parametrize(
    ("tree", "folder", "hint"),
    [
        ("pets/cat/a.jpg pets/dog/b.jpg", "pets/cat", "Did you mean {root}/pets, "),
        ("train/cat/a.jpg train/dog/b.jpg", "train/cat", "Did you mean {root}, "),
        ("cat/a.jpg notes/b.txt", "cat", "sort them into one folder a class"),
        ("set/", "set", "Put the images of each class into a folder of its own"),
        ("set/pets.7z", "set", "Type dataset.path={root}/set/pets after unpacking"),
    ],
)
def test_folder_of_one_class_is_told_from_a_flat_one(
    tmp_path: Path, tree: str, folder: str, hint: str
) -> None:
    told = describe_no_classes(make(tmp_path, tree) / folder)
    assert hint.format(root=tmp_path) in told
