from collections import Counter

import pytest

from experiments.data.files.dividing.file_division import Division, divide_files
from experiments.data.files.scanning.scan import ScannedFile


def files(count, *, copies=()):
    digests = {number: f"digest{number}" for number in range(count)} | dict(copies)
    return [ScannedFile(f"{n % 10}/{n:03}.jpg", digests[n], None) for n in range(count)]


def divide(scanned, labels, **changes):
    arguments = {
        "split_by": "path",
        "validation_fraction": 0.2,
        "test_fraction": 0.1,
        "seed": 0,
    }
    return divide_files(scanned, labels, Division(**{**arguments, **changes}))


def test_stratified_gives_each_class_its_very_share():
    labels = [0] * 100 + [1] * 50 + [2] * 10

    chosen = divide(files(160), labels, method="stratified")

    counts = Counter(zip(labels, chosen, strict=True))
    for label, size in enumerate((100, 50, 10)):
        assert counts[label, "validation"] == size // 5
        assert counts[label, "test"] == size // 10


def test_stratified_does_not_depend_on_the_order():
    scanned = files(60)
    labels = [n % 3 for n in range(60)]

    chosen = divide(scanned, labels, method="stratified")
    turned = divide(scanned[::-1], labels[::-1], method="stratified")

    assert turned[::-1] == chosen


@pytest.mark.parametrize("seed", range(3))
def test_stratified_keeps_copies_and_groups_whole(seed):
    copies = {7: "same", 23: "same", 41: "same"}
    scanned = files(60, copies=copies.items())
    groups = {file.name: str(number // 4) for number, file in enumerate(scanned)}
    labels = [n % 2 for n in range(60)]

    for given in (None, groups):
        chosen = divide(scanned, labels, method="stratified", groups=given, seed=seed)
        assert len({chosen[number] for number in copies}) == 1
        if given:
            found = {(groups[f.name], s) for f, s in zip(scanned, chosen, strict=True)}
            assert len(found) == len(set(groups.values()))


def test_hash_moves_no_file_when_others_are_added():
    labels = [n % 2 for n in range(200)]

    before = divide(files(100), labels[:100], method="hash")
    after = divide(files(200), labels, method="hash")

    assert after[:100] == before


def test_group_is_the_hash_of_the_group():
    scanned = files(100)
    labels = [n // 50 for n in range(100)]

    chosen = divide(scanned, labels, method="group", group="parent")

    found = {(f.name.split("/")[0], s) for f, s in zip(scanned, chosen, strict=True)}
    assert len(found) == 10
    assert chosen == divide(scanned, labels, method="hash", group="parent")
