from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from experiments.comparison.member import Member, read_member
from experiments.comparison.tables import read_table
from experiments.errors import DataError
from experiments.evaluation.table import write_predictions
from tests.comparison.left import leave, of_right, share

DATA = {"content": "c1", "split": "s1"}


@pytest.fixture
def member(tmp_path: Path) -> Member:
    leave(tmp_path / "a", 0.5, origin={"data": DATA})
    return read_member(tmp_path / "a", tmp_path)


def evaluate(member: Member, name: str, right: int, **facts: str) -> None:
    assert member.folder is not None
    path = member.folder / "evaluation" / name / "predictions.parquet"
    path.parent.mkdir(parents=True)
    write_predictions(path, replace(of_right(share(right)), facts=facts))


def count_right(member: Member, data: str | None = None) -> int | None:
    table = read_table(member, data)
    return None if table is None else int((table.predicted == table.truth).sum())


def test_table_of_the_training_comes_first(member: Member) -> None:
    assert count_right(member) is None
    evaluate(member, "digits-test", 40, data_content="c1", data_split="s1")
    assert count_right(member) == 40
    assert member.folder is not None
    (member.folder / "predictions").mkdir()
    path = member.folder / "predictions" / "test.parquet"
    write_predictions(path, of_right(share(50)))
    assert count_right(member) == 50


def test_evaluation_on_other_images_is_not_the_runs_own(member: Member) -> None:
    evaluate(member, "other-test", 40, data_content="c2", data_split="s1")
    evaluate(member, "photos", 30, data_content="c1", data_split="s1")
    assert count_right(member) is None
    assert count_right(member, "photos") == 30
    assert count_right(member, "absent") is None


def test_images_without_a_label_are_left_out(member: Member) -> None:
    evaluate(member, "photos", 30)
    assert member.folder is not None
    path = member.folder / "evaluation" / "photos" / "predictions.parquet"
    truth = np.where(np.arange(100) < 60, 0, -1)
    write_predictions(path, replace(of_right(share(30)), truth=truth))
    table = read_table(member, "photos")
    assert table is not None
    assert len(table) == 60
    write_predictions(path, replace(of_right(share(30)), truth=np.full(100, -1)))
    with pytest.raises(DataError, match="None of the images of photos has a label"):
        read_table(member, "photos")


def test_run_that_mlflow_alone_knows_has_the_table_of_its_training() -> None:
    assert read_table(Member(name="a", run_id="1"), None) is None
    found = Member(name="a", run_id="1", predictions=of_right(share(70)))
    assert count_right(found) == 70
    assert read_table(found, "photos") is None
