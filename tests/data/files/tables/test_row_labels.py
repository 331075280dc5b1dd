"""What cells say: labels by a delimiter, or 0 and 1 in a column of each class."""

import pytest

from experiments.data.files.tables.row_labels import (
    CellError,
    LabelColumns,
    read_labels_by,
)

PRESENT = ("path", "labels", "cat", "dog")


@pytest.mark.parametrize(
    ("delimiter", "cell", "labels"),
    [
        ("semicolon", "dog;cat", ("cat", "dog")),
        (";", "dog;cat", ("cat", "dog")),
        ("comma", "dog, cat", ("cat", "dog")),
        ("space", "dog cat", ("cat", "dog")),
        ("bar", "dog|cat", ("cat", "dog")),
        ("tab", "dog\tcat", ("cat", "dog")),
        (" and ", "dog and cat", ("cat", "dog")),
        ("semicolon", " dog ;; cat;dog; ", ("cat", "dog")),
        ("semicolon", "big dog", ("big dog",)),
        ("semicolon", " ", ()),
        (None, " dog;cat ", ("dog;cat",)),
    ],
)
def test_a_cell_holds_each_label_once(
    delimiter: str | None, cell: str, labels: tuple[str, ...]
) -> None:
    read = read_labels_by(LabelColumns(one="labels", delimiter=delimiter), PRESENT)

    assert read(["a.jpg", cell, "1", "1"]) == labels


@pytest.mark.parametrize(
    ("cells", "labels"),
    [
        (("1", "0"), ("cat",)),
        (("0", "1.0"), ("dog",)),
        (("True", " yes "), ("cat", "dog")),
        (("FALSE", "no"), ()),
        (("0.0", "0"), ()),
    ],
)
def test_a_column_of_each_class_says_yes_or_no(
    cells: tuple[str, str], labels: tuple[str, ...]
) -> None:
    read = read_labels_by(LabelColumns(one="labels", each=("cat", "dog")), PRESENT)

    assert read(["a.jpg", "frog", *cells]) == labels


@pytest.mark.parametrize(
    ("cell", "told"),
    [("2", "'2' under dog, which must be 0 or 1"), (" ", "nothing under dog")],
)
def test_what_is_neither_is_told_with_its_column(cell: str, told: str) -> None:
    read = read_labels_by(LabelColumns(one="labels", each=("cat", "dog")), PRESENT)

    with pytest.raises(CellError, match=told):
        read(["a.jpg", "", "1", cell])
