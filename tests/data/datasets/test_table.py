import csv

import pytest

from experiments.data.datasets.table import load_table
from experiments.errors import DataError
from tests.data.datasets.small_files import SMALL_FILES
from tests.data.datasets.test_folder import load as load_folder
from tests.data.datasets.test_folder import sizes, split_of_files, write_images


@pytest.fixture
def pets(tmp_path):
    root = tmp_path / "pets"
    for name in ("cat", "puppy"):
        write_images(root / name, 30)
    return root


def write(path, rows, head=("path", "label")):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([head, *rows])
    return path


def rows_of(root):
    files = sorted(path for path in root.rglob("*") if path.suffix != ".csv")
    return [(str(p.relative_to(root)), p.parent.name) for p in files if p.is_file()]


def load(root, **changes):
    arguments = {
        **SMALL_FILES,
        "table": str(root / "labels.csv"),
        "path": str(root),
        "path_column": "path",
        "label_column": "label",
        "split_column": None,
        "group_column": None,
    }
    return load_table(**{**arguments, **changes})


def test_a_table_of_a_folder_is_the_data_set_of_the_folder(pets):
    write(pets / "labels.csv", reversed(rows_of(pets)))

    table, folder = load(pets), load_folder(pets)

    assert table.class_names == folder.class_names
    assert split_of_files(table) == split_of_files(folder)
    assert table.fingerprint == folder.fingerprint
    assert table.train.paths == folder.train.paths


def test_folds_of_a_table_are_those_of_the_folder(pets):
    write(pets / "labels.csv", rows_of(pets))

    table, folder = (read(pets, folds=3, fold=2) for read in (load, load_folder))

    assert table.fingerprint == folder.fingerprint


def test_a_column_names_the_splits(pets):
    words = ["Training", "train", "val", "test"]
    rows = [(*row, words[n % 4]) for n, row in enumerate(rows_of(pets))]
    write(pets / "labels.csv", rows, ("path", "label", "split"))

    data = load(pets, split_column="split")

    assert sizes(data) == {"train": 30, "validation": 15, "test": 15}
    assert {name for *_, name in rows} == {*words}


def test_without_validation_rows_training_rows_validate(pets):
    rows = [(*row, ["train", "test"][n % 2]) for n, row in enumerate(rows_of(pets))]
    write(pets / "labels.csv", rows, ("path", "label", "split"))

    found = sizes(load(pets, split_column="split"))

    assert found["test"] == 30
    assert found["train"] + found["validation"] == 30
    assert found["validation"] > 0


@pytest.mark.parametrize("folds", [{}, {"folds": 3, "fold": 1}])
def test_a_column_keeps_images_together(pets, folds):
    rows = [(*row, f"person{n // 3 % 10}") for n, row in enumerate(rows_of(pets))]
    write(pets / "labels.csv", rows, ("path", "label", "who"))

    chosen = split_of_files(load(pets, group_column="who", **folds))

    splits = {}
    for name, _, who in rows:
        if f"{pets}/{name}" in chosen:  # what a fold holds out is in none
            splits.setdefault(who, set()).add(chosen[f"{pets}/{name}"])
    assert {len(found) for found in splits.values()} == {1}


def test_a_missing_image_is_an_error_or_skipped(pets):
    rows = [*rows_of(pets), ("gone.jpg", "cat")]
    write(pets / "labels.csv", rows)

    with pytest.raises(DataError, match="1 of 61 images is not in"):
        load(pets)
    skipped = load(pets, on_corrupt="skip").skipped_files
    assert [file.path for file in skipped] == [f"{pets}/gone.jpg"]


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        (["cat"], "at least two classes. Received: cat in all of 60"),
        (["cat", "Cat"], "differ only in case or blanks: 'Cat', 'cat'"),
    ],
)
def test_labels_that_are_no_classes_are_told(pets, labels, told):
    rows = [
        (name, labels[n % len(labels)]) for n, (name, _) in enumerate(rows_of(pets))
    ]
    write(pets / "labels.csv", rows)

    with pytest.raises(DataError, match=told):
        load(pets)


def test_a_split_without_a_class_is_told(pets):
    rows = [(n, c, "val" if c == "cat" else "train") for n, c in rows_of(pets)]
    write(pets / "labels.csv", rows, ("path", "label", "split"))

    with pytest.raises(DataError, match=r"split lacks 1 of 2 classes"):
        load(pets, split_column="split")
