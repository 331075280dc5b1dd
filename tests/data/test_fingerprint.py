import json

import numpy as np

from experiments.data.fingerprint import fingerprint_splits
from experiments.data.split import ArraySplit, FileSplit

IMAGES = np.random.RandomState(0).randint(0, 256, (6, 3, 3, 1)).astype(np.uint8)
LABELS = np.array([0, 1, 2, 0, 1, 2], np.int32)


def fingerprint(train, validation, images=IMAGES, labels=LABELS):
    splits = {
        "train": ArraySplit(images[train], labels[train]),
        "validation": ArraySplit(images[validation], labels[validation]),
    }
    return fingerprint_splits(splits, 3)


def test_equal_data_have_equal_fingerprints():
    first = fingerprint([0, 1, 2, 3], [4, 5])

    assert first == fingerprint([0, 1, 2, 3], [4, 5])


def test_the_order_within_a_split_does_not_matter():
    assert fingerprint([3, 2, 1, 0], [5, 4]) == fingerprint([0, 1, 2, 3], [4, 5])


def test_another_split_of_the_same_images_changes_the_split_hash_only():
    first, second = fingerprint([0, 1, 2, 3], [4, 5]), fingerprint([0, 1, 2, 4], [3, 5])

    assert first.content == second.content
    assert first.split != second.split


def test_one_changed_pixel_changes_both_hashes():
    changed = IMAGES.copy()
    changed[0, 0, 0, 0] ^= 1
    first = fingerprint([0, 1, 2, 3], [4, 5])
    second = fingerprint([0, 1, 2, 3], [4, 5], images=changed)

    assert first.content != second.content
    assert first.split != second.split


def test_one_changed_label_changes_the_content_hash():
    changed = LABELS.copy()
    changed[0] = 1
    first = fingerprint([0, 1, 2, 3], [4, 5])

    assert first.content != fingerprint([0, 1, 2, 3], [4, 5], labels=changed).content


def test_counts_are_per_class_and_split():
    counts = fingerprint([0, 1, 2, 3], [4, 5]).counts

    assert counts == {"train": [2, 1, 1], "validation": [0, 1, 1]}


def test_files_count_by_their_digests_and_not_their_paths():
    labels = np.zeros(2, np.int32)
    here = FileSplit(("a", "b"), labels, ("x", "y"))
    there = FileSplit(("c", "d"), labels, ("x", "y"))
    other = FileSplit(("a", "b"), labels, ("x", "z"))

    hashes = [fingerprint_splits({"train": s}, 1).content for s in (here, there, other)]

    assert hashes[0] == hashes[1] != hashes[2]


def test_hash_of_a_split_tells_of_its_own_images_alone():
    first, second = fingerprint([0, 1, 2], [3, 4]), fingerprint([0, 1, 2], [3, 5])

    assert first.parts["train"] == second.parts["train"]
    assert first.parts["validation"] != second.parts["validation"]
    assert len({first.content, *first.parts.values()}) == 3


def test_it_can_be_written_as_json():
    data = fingerprint([0, 1, 2, 3], [4, 5]).as_dict()

    assert json.loads(json.dumps(data)) == data


def test_images_in_no_split_count_as_content_alone():
    train = {"train": ArraySplit(IMAGES[:4], LABELS[:4])}
    held_out = ArraySplit(IMAGES[4:], LABELS[4:])
    part = fingerprint_splits(train, 3, held_out)

    assert part.content == fingerprint([0, 1, 2, 3], [4, 5]).content
    assert part.split == fingerprint_splits(train, 3).split
    assert set(part.counts) == set(part.parts) == {"train"}
