"""The look at a table tells what its reader would."""

import pytest

from experiments.data.readiness.tables import look_at_table
from tests.data.datasets.test_folder import write_images
from tests.data.datasets.test_table import rows_of, write


@pytest.fixture
def look(tmp_path, compose):
    root = tmp_path / "pets"
    for name in ("cat", "puppy"):
        write_images(root / name, 12)

    def look_at(rows=None, *words, head=("path", "label")):
        write(root / "labels.csv", rows_of(root) if rows is None else rows, head)
        typed = ["dataset=table", f"dataset.table={root}/labels.csv", *words]
        return look_at_table(compose(*typed).dataset)

    look_at.root = root
    return look_at


def test_of_a_few_images_it_knows_how_many_are_trained_on(look):
    found = look(None, "dataset.split_by=path")

    assert not found.problems
    assert found.size.exact
    assert 0 < found.size.images < found.size.files == 24


def test_a_table_without_an_option_beside_is_read_from_its_own_folder(look, compose):
    typed = f"dataset.table={look.root}/labels.csv"

    assert compose("dataset=table", typed).dataset.path == str(look.root)


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([], "dataset.table has no rows"),
        ([("cat/gone.jpg", "cat"), ("b.jpg", "dog")], "dataset.table: 2 of 2 images"),
        ([("cat/000.png", "cat")], "dataset.table must name at least two classes"),
        (
            [("cat/000.png", "a"), ("cat/001.jpeg", "b")],
            "dataset.table has too few images of 2 of its classes: a (1), b (1)",
        ),
    ],
)
def test_what_is_wrong_is_told(look, rows, told):
    (problem,) = look(rows).problems

    assert str(problem).startswith(told)
