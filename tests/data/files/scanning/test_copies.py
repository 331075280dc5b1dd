import numpy as np

from experiments.data.files.scanning.copies import find_copies
from experiments.data.files.scanning.scan import scan_files

NOISE = np.random.RandomState(0).bytes(20_000)


def scan(root, **files):
    """Writes files named by split, class and letter, and returns their members."""
    members = {}
    for name, content in files.items():
        split, label, _ = name.split("_")
        (root / name).write_bytes(content)
        (file,) = scan_files(root, [name], verify="header")
        members.setdefault(split, []).append((file, int(label)))
    return members


def test_the_same_bytes_in_two_splits_or_classes_are_found(tmp_path):
    members = scan(
        tmp_path,
        train_0_a=b"one",
        train_1_b=b"two",
        train_0_c=b"three",
        validation_0_d=b"one",
        train_0_e=b"two",
        test_1_f=b"four",
    )

    assert find_copies(tmp_path, members) == {
        "in_several_splits": [["train_0_a", "validation_0_d"]],
        "under_several_labels": [["train_0_e", "train_1_b"]],
    }


def test_copies_within_a_class_and_split_are_none_of_them(tmp_path):
    members = scan(tmp_path, train_0_a=b"one", train_0_b=b"one", test_0_c=b"two")

    assert find_copies(tmp_path, members) == {}


def test_files_that_differ_in_their_middle_only_are_not_the_same(tmp_path):
    other = NOISE[:10_000] + b"x" + NOISE[10_001:]
    members = scan(
        tmp_path, train_0_a=NOISE, test_0_b=other, test_1_c=NOISE, validation_0_d=other
    )
    digests = {file.digest for files in members.values() for file, _ in files}
    assert len(digests) == 1

    assert find_copies(tmp_path, members) == {
        "in_several_splits": [
            ["test_0_b", "validation_0_d"],
            ["test_1_c", "train_0_a"],
        ],
        "under_several_labels": [["test_1_c", "train_0_a"]],
    }


def test_a_file_that_is_gone_meanwhile_is_like_no_other(tmp_path):
    members = scan(tmp_path, train_0_a=b"one", test_0_b=b"one")
    (tmp_path / "test_0_b").unlink()

    assert find_copies(tmp_path, members) == {}
