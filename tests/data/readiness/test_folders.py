"""The look agrees with who reads the data: it refuses only what they refuse."""

import os
import re
from pathlib import Path
from typing import Any

import pytest

from experiments.data.datasets.folder import load_folder
from experiments.data.readiness.folders import look_at_folder, look_at_imagenet
from experiments.errors import DataError
from tests.data.pictures import encode, photograph


def make(root: Path, tree: str) -> Path:
    """Makes images and other files from a text such as `cat/*12 dog/a.heic pets/`."""
    for word in tree.split():
        name, _, count = word.partition("*")
        if count:
            for number in range(int(count)):
                _write(root / f"{name}{number}.jpg")
        elif name.endswith("/"):
            (root / name).mkdir(parents=True)
        else:
            _write(root / name)
    return root


def _write(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix in (".heic", ".txt", ".pdf"):
        path.write_bytes(b"\0\0\0\x18ftypheic" if path.suffix == ".heic" else b"%PDF")
        return
    image = photograph(8, 8)
    number = hash(str(path)) % 2**24
    image.putpixel((0, 0), (number >> 16, number >> 8 & 255, number & 255))
    path.write_bytes(encode(image, "PNG"))


def look(compose: Any, root: Path, *words: str) -> list[str]:
    config = compose("dataset=folder", f"dataset.path={root}", *words).dataset
    return [str(problem) for problem in look_at_folder(config, 1).problems]


def load(compose: Any, root: Path, *words: str) -> None:
    config = compose("dataset=folder", f"dataset.path={root}", *words).dataset
    arguments = {k: v for k, v in vars(config).items() if k != "_target_"}
    load_folder(**{**arguments, "verify": "header", "scan_cache": None})


GOOD = [
    "cat/*20 dog/*20",
    "train/cat/*20 train/dog/*20",
    "train/cat/*20 train/dog/*20 val/cat/*1 val/dog/*1",
    "train/cat/*2 train/dog/*2 val/cat/*1 val/dog/*1 test/cat/*1 test/dog/*1",
    "cat/deep/deeper/*20 dog/*20",
    # A file is what it holds, not what it is called.
    "cat/a cat/b.dat cat/c.tif dog/*20",
    "cat/*20 dog/*20 readme.txt .git/a.txt __MACOSX/a.txt",
]
BAD = [
    ("cat/*20 dog/", "has a class folder without a file: .*dog"),
    ("cat/*20", "1 folder and 0 files"),
    ("cat*5", "0 folders and 5 files.*sort them into one folder a class"),
    ("nested/cat/*5 nested/dog/*5", r"Did you mean .*nested, .* Type dataset.path="),
    ("a/b/cat/*5 a/b/dog/*5", "Did you mean .*a/b, which holds 2 folders"),
    ("a/train/cat/*5 a/train/dog/*5", "Did you mean .*/a, which holds 1 folder"),
    ("data/cat/*9 data/dog/*9 docs/a.txt", "without an image.*Did you mean .*data"),
    ("cat/a.heic cat/b.heic dog/*20", "without an image: .*2 files .*heic"),
    ("cat/a.txt dog/b.pdf", "has 2 class folders without an image"),
    ("cat/*2 dog/*20", "too few images of a class: .*cat .2.*train, validation, test"),
    ("train/cat/*1 train/dog/*9 val/cat/*1 val/dog/*1 test/cat/*1", "lacks 1 of 2"),
    ("train/cat/*9 train/dog/*9 test/cat/*1 test/dog/", "test/dog"),
    ("train/cat/*9 train/dog/*9 val/cat/*1 val/Dog/*1", "'Dog' is 'dog'"),
    ("cat/*20 dog/*20 train/cat/*20 train/dog/*20 eval/cat/*1", "Choose"),
]


@pytest.mark.parametrize("tree", GOOD)
def test_what_can_be_read_is_let_through(
    compose: Any, tmp_path: Path, tree: str
) -> None:
    root = make(tmp_path / "pets", tree)
    assert look(compose, root) == []
    load(compose, root)


@pytest.mark.parametrize(("tree", "sentence"), BAD)
def test_what_is_refused_is_refused_by_who_reads_it(
    compose: Any, tmp_path: Path, tree: str, sentence: str
) -> None:
    root = make(tmp_path / "pets", tree)
    problems = look(compose, root)
    with pytest.raises(DataError):
        load(compose, root)
    assert re.search(sentence, "\n".join(problems)), problems
    assert all(problem.startswith("dataset.") for problem in problems)


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        ("cat/a.heic cat/*20 dog/*20", ("dataset.on_corrupt=skip",)),
        ("cat/*2 dog/*20", ("dataset.test_fraction=0",)),
        ("a/cat/*9 a/dog/*9 b/cat/*9 b/dog/*9", ("dataset.splits={train: a}",)),
    ],
)
def test_what_a_key_allows_is_let_through(
    compose: Any, tmp_path: Path, tree: str, words: tuple[str, ...]
) -> None:
    assert look(compose, make(tmp_path / "pets", tree), *words) == []


def test_folder_of_a_split_that_is_typed_and_not_there_is_named(
    compose: Any, tmp_path: Path
) -> None:
    root = make(tmp_path / "pets", "Training/cat/*9 Training/dog/*9")
    (problem,) = look(compose, root, "dataset.splits={train: Trainig}")
    assert problem.startswith("dataset.splits.train does not exist: ")
    assert "Did you mean" in problem
    assert "Training" in problem


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_folder_that_may_not_be_read_is_named(compose: Any, tmp_path: Path) -> None:
    root = make(tmp_path / "pets", "cat/*20 dog/*20")
    (root / "dog").chmod(0)
    (problem,) = look(compose, root)
    assert "dog cannot be read: Permission denied" in problem
    assert "chmod" in problem


def test_refusal_of_the_system_is_told_with_what_helps(
    compose: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make(tmp_path / "pets", "cat/*20 dog/*20")
    plain = os.scandir

    def refuse(path: Any) -> Any:
        if str(path).endswith("dog"):
            raise PermissionError(13, "Permission denied", str(path))
        return plain(path)

    monkeypatch.setattr(os, "scandir", refuse)
    (problem,) = look(compose, root)
    assert f"{root / 'dog'} cannot be read: Permission denied." in problem
    assert "chmod -R a+rX" in problem


IMAGENET = [
    ("train/n00000001/*9 train/n00000002/*9", ["val does not exist"]),
    ("val/n00000001/*9", ["train does not exist"]),
    ("readme.txt", ["/train and .*/val do not exist"]),
    ("a/b/train/n00000001/*1 a/b/val/n00000001/*1", ["Did you mean .*a/b"]),
    ("train/n00000001/*9 train/n00000002/*9 val*3", ["val does not exist"]),
    ("train/n00000001/*9 train/cat/*9 val/a.jpeg", ["directly", "Received: cat"]),
    ("train/n00000001/*9 train/n00000002/*9 train/n00000003/*9 val/x/", ["classes=3"]),
    (
        "train/n00000001/*9 train/n00000002/*9 val/n00000001/*1",
        ["val lacks 1 of 2 class folders: n00000002"],
    ),
    (
        "train/n00000001/*9 train/n00000002/*1 val/n00000001/*1 val/n00000002/*1",
        ["too few images of a class: .*n00000002 .1.*train, validation"],
    ),
]


@pytest.mark.parametrize(("tree", "sentences"), IMAGENET)
def test_folders_that_are_not_imagenets_are_told(
    compose: Any, tmp_path: Path, tree: str, sentences: list[str]
) -> None:
    root = make(tmp_path / "ILSVRC", tree)
    words = ("dataset=imagenet", f"dataset.path={root}", "dataset.classes=2")
    look = look_at_imagenet(compose(*words).dataset, 1)
    told = [str(problem) for problem in look.problems]
    assert len(told) == len(sentences)
    for problem, sentence in zip(told, sentences, strict=True):
        assert re.search(sentence, problem), problem


def test_imagenets_folders_are_let_through(compose: Any, tmp_path: Path) -> None:
    tree = "train/n00000001/*9 train/n00000002/*9 val/n00000001/*1 val/n00000002/*1"
    words = (f"dataset.path={make(tmp_path, tree)}", "dataset.classes=2")
    assert not look_at_imagenet(compose("dataset=imagenet", *words).dataset, 1).problems
