"""Copies of images that a data set holds, planted one by one."""

import io
import re
from pathlib import Path
from typing import Any

import imagehash
import numpy as np
import pytest
import sklearn.datasets
from PIL import Image

from experiments.audit.copies import find_nearly_same, find_same
from experiments.audit.survey import survey_dataset
from tests.audit.made import alternate, noise, survey
from tests.audit.photos import cut, encode, write, write_folder
from tests.data.datasets.test_folder import load

BITS = 10


def names(found: Any, copies: Any) -> list[str]:
    return [found.places[row].sample for row in copies.rows]


def test_same_pixels_are_a_group_whatever_their_labels_and_splits() -> None:
    images = noise(12)
    train = alternate(images[:8])
    train[3] = (images[0], 1)
    found = survey(train, alternate(images[8:]), [(images[0], 0), (images[9], 1)])
    first, second = find_same(found)
    assert names(found, first) == ["12", "0", "3"]  # the test split's own comes first
    assert first.splits == {"train", "test"}
    assert first.labels == {0, 1}
    assert (first.leaks, first.disagrees, first.likeness) == (True, True, "pixels")
    assert names(found, second) == ["13", "9"]
    assert not second.disagrees


def test_leaks_come_before_copies_within_a_split() -> None:
    images = noise(10)
    train = [*alternate(images[:6]), (images[0], 0), (images[2], 0)]
    found = survey(train, [*alternate(images[6:]), (images[2], 0)])
    assert [copies.leaks for copies in find_same(found)] == [True, False]


def test_images_without_anything_in_common_are_no_copies() -> None:
    found = survey(alternate(noise(200)), alternate(noise(10, seed=1)))
    assert find_same(found) == []
    assert find_nearly_same(found, BITS) == []


def test_blank_images_are_not_nearly_the_same() -> None:
    blank = [(np.full((32, 32, 1), level, np.uint8), level % 2) for level in range(9)]
    found = survey([*alternate(noise(8)), *blank], alternate(noise(4, seed=1)))
    assert find_nearly_same(found, BITS) == []


def test_chain_of_near_images_is_one_group() -> None:
    image = noise(1, side=64)[0].astype(int)
    chain = [np.clip(image + step, 0, 255).astype(np.uint8) for step in (0, 3, 6)]
    train = [*alternate(noise(6, side=64, seed=1)), (chain[0], 0), (chain[1], 0)]
    found = survey(
        train, [*alternate(noise(4, side=64, seed=2)), (chain[1], 0), (chain[2], 1)]
    )
    (group,) = find_nearly_same(found, BITS)
    # A copy of a member is a member: with the one, the other would stay.
    assert names(found, group) == ["12", "13", "6", "7"]
    assert (group.leaks, group.disagrees) == (True, True)


@pytest.fixture(scope="module")
def leaks(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A folder with planted copies: name in `test` -> name of the original."""
    root = tmp_path_factory.mktemp("data") / "photos"
    write_folder(root, {"train": 36, "val": 2, "test": 2})
    planted = {}

    def plant(kind: str, label: str, number: int, content: bytes, end: str) -> None:
        path = write(root / "test" / label / f"{kind}{number}.{end}", content)
        original = f"train/{label}/{number:03}.jpg"
        planted[path.relative_to(root).as_posix()] = original

    for label in ("temple", "flower"):
        for number in range(6):
            image = cut(label, number)
            original = (root / "train" / label / f"{number:03}.jpg").read_bytes()
            plant("copy", label, number, original, "jpg")
            number += 6
            image = cut(label, number)
            plant("again", label, number, encode(image, quality=70), "jpg")
            number += 6
            large = cut(label, number).resize((150, 150), Image.Resampling.BICUBIC)
            plant("large", label, number, encode(large), "jpg")
            number += 6
            small = cut(label, number).resize((48, 48), Image.Resampling.BICUBIC)
            plant("small", label, number, encode(small, "PNG"), "png")
            number += 6
            stored = root / "train" / label / f"{number:03}.jpg"
            png = encode(Image.open(io.BytesIO(stored.read_bytes())), "PNG")
            plant("png", label, number, png, "png")
    found = survey_dataset(load(root, image_size=32))
    return found, planted


def test_every_planted_leak_is_found_with_its_original_and_nothing_else(
    leaks: Any,
) -> None:
    found, planted = leaks
    groups = [*find_same(found), *find_nearly_same(found, BITS)]
    pairs = {tuple(names(found, group)) for group in groups}
    assert pairs == set(planted.items())


def test_same_file_same_pixels_and_near_images_are_told_apart(leaks: Any) -> None:
    found, _ = leaks
    groups = [*find_same(found), *find_nearly_same(found, BITS)]
    kinds = {
        (re.sub(r"\d.*", "", Path(names(found, group)[0]).name), group.likeness)
        for group in groups
    }
    near = {(kind, "near") for kind in ("again", "large", "small")}
    assert kinds == {("copy", "file"), ("png", "pixels"), *near}


def test_photograph_that_lies_by_exif_is_seen_upright(tmp_path: Path) -> None:
    write_folder(tmp_path, {"train": 8, "val": 2})
    image = cut("temple", 0, side=128)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by 90 degrees
    lying = image.transpose(Image.Transpose.ROTATE_90)
    write(tmp_path / "train" / "temple" / "upright.png", encode(image, "PNG"))
    write(tmp_path / "val" / "temple" / "lying.png", encode(lying, "PNG", exif=exif))
    found = survey_dataset(load(tmp_path, image_size=32))
    (group,) = find_same(found)
    assert names(found, group) == ["val/temple/lying.png", "train/temple/upright.png"]


def test_near_images_are_those_that_comparing_all_with_all_finds() -> None:
    """Digits: many hashes are near, and few of these images are nearly the same."""
    digits = sklearn.datasets.load_digits()
    images = np.round(digits.images[:500] * 255 / 16).astype(np.uint8)
    light = np.minimum(images[:20].astype(int) + 4, 255).astype(np.uint8)
    pixels = [*images, *light]
    found = survey(
        [(image[..., None], n % 2) for n, image in enumerate(pixels[:500])],
        [(image[..., None], n % 2) for n, image in enumerate(pixels[500:])],
    )
    pictures = [Image.fromarray(image) for image in pixels]
    hashes = [imagehash.phash(picture) for picture in pictures]
    small = [np.asarray(p.resize((16, 16), Image.Resampling.BOX)) for p in pictures]
    alike = np.corrcoef(np.stack(small).reshape(len(small), -1))
    near = [
        (one, other)
        for other in range(len(pixels))
        for one in range(other)
        if hashes[one] - hashes[other] <= BITS
    ]
    pairs = [pair for pair in near if alike[pair] >= 0.99]
    assert len(near) > 4 * len(pairs) >= 80
    groups = join_pairs(pairs)
    assert {frozenset(g.rows) for g in find_nearly_same(found, BITS)} == groups


def join_pairs(pairs: list[tuple[int, int]]) -> set[frozenset[int]]:
    """Returns what is connected by pairs, joined one after the other."""
    groups: list[set[int]] = []
    for pair in pairs:
        joined = [group for group in groups if group & set(pair)]
        groups = [group for group in groups if group not in joined]
        groups.append(set(pair).union(*joined))
    return {frozenset(group) for group in groups}
