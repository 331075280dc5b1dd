from pathlib import Path

import pytest

from experiments.data.files.asked.any_rows import find_labelled_rows, read_labelled_rows
from experiments.data.files.image_files import FileOptions
from experiments.data.files.tables.label_table import columns_of
from experiments.errors import DataError
from tests.data.datasets.test_folder import write_images
from tests.data.datasets.test_table import rows_of, write

ROWS = ("train", "train", "test", "val")


@pytest.fixture
def config(tmp_path, compose):
    root = tmp_path / "pets"
    for name in ("cat", "puppy"):
        write_images(root / name, 4)
    rows = [(*row, ROWS[n % 4]) for n, row in enumerate(rows_of(root))]
    write(root / "labels.csv", rows, ("path", "label", "split"))

    def composed(*words):
        typed = ["dataset=table", f"dataset.table={root}/labels.csv"]
        return compose(*typed, "dataset.scan_cache=null", *words).dataset

    return composed


def read(config, wanted=None):
    options = {name: getattr(config, name) for name in FileOptions.__annotations__}
    label = columns_of(config).label
    return read_labelled_rows(find_labelled_rows(config, wanted), options, label)


def test_all_rows_are_measured_without_a_column_of_splits(config):
    found = read(config())

    assert (len(found.images), found.split) == (8, None)
    assert found.class_names == ("cat", "puppy")


def test_rows_of_several_labels_are_measured_by_all_of_them(config):
    task = ("task=evaluate", "run_id=last")  # whose loss is that of the record
    several = config("dataset.label_columns=[label,split]", *task)
    table = Path(several.table)
    rows = [line.split(",") for line in table.read_text().splitlines()]
    marks = [[row[0], str(int(row[1] == "cat")), "1"] for row in rows[1:]]
    table.write_text("\n".join(",".join(row) for row in [rows[0], *marks]))

    found = read(several)

    assert found.class_names == ("label", "split")
    assert found.images.labels.sum(axis=0).tolist() == [4, 8]


@pytest.mark.parametrize(("wanted", "split"), [(None, "test"), ("train", "train")])
def test_a_column_tells_the_split(config, wanted, split):
    found = read(config("dataset.split_column=split"), wanted)

    assert (len(found.images), found.split) == (ROWS.count(split) * 2, split)


def test_a_split_that_is_not_there_is_told(config):
    with pytest.raises(DataError, match=r"task.split is for tables with"):
        find_labelled_rows(config(), "test")
    with pytest.raises(DataError, match=r"names: test, train, validation"):
        find_labelled_rows(config("dataset.split_column=split"), "extra")
