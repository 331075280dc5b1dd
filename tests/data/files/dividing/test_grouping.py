import pytest

from experiments.data.files.dividing.grouping import read_groups
from experiments.errors import DataError

NAMES = ["cat/anna_1.jpg", "cat/anna_2.jpg", "dog/bert/old/3.jpg", "dog/bert/4.jpg"]


def test_group_is_what_the_pattern_finds():
    found = read_groups(NAMES, r"(anna|bert)")

    assert found == ["anna", "anna", "bert", "bert"]


def test_parent_is_the_folder_of_a_file():
    assert read_groups(NAMES, "parent") == ["cat", "cat", "old", "bert"]


def test_file_without_a_group_is_named():
    with pytest.raises(DataError) as caught:
        read_groups(NAMES, r"bert/(\w+)/")

    assert str(caught.value) == (
        r"dataset.group must find a group in every path. Received: bert/(\w+)/, which "
        "finds none in cat/anna_1.jpg and in 2 others."
    )


def test_group_that_takes_no_part_in_the_match_is_none():
    with pytest.raises(
        DataError, match=r"finds none in cat/anna_1\.jpg and in 1 other"
    ):
        read_groups(NAMES[:2], r"anna|(bert)")
