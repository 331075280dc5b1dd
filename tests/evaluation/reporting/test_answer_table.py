from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from scipy.special import softmax

from experiments.evaluation.predictions import Predictions
from experiments.evaluation.reporting import answer_table
from experiments.evaluation.reporting.answer_table import name_columns, open_answers
from tests.evaluation.made import make

NAMES = ('cat, "big"', "Größe", "a")
SEVERAL: Any = "several_labels"
OUTPUTS = [[1.0, 3.0, 2.0], [0.0, -1.0, 5.0], [2.0, 1.0, 0.0]]


def write(path: Path, form: Any, *parts: Predictions, ranked: int = 3) -> pd.DataFrame:
    with open_answers(path, form, ranked=ranked, facts={"model": "m"}) as append:
        for part in parts:
            append(part)
    return pd.read_csv(path) if form == "csv" else pd.read_parquet(path)


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_rows_say_the_likeliest_classes_in_the_order_of_the_files(
    tmp_path: Path, form: str
) -> None:
    parts = [make([row], [0], names=NAMES) for row in OUTPUTS]
    table = write(tmp_path / "t", form, *parts)
    shares = softmax(np.array(OUTPUTS), axis=1)
    assert (
        list(table.columns)
        == name_columns(3)
        == [
            *("file", "label", "probability"),
            *("label_2", "probability_2", "label_3", "probability_3"),
        ]
    )
    for row, found in enumerate(table.itertuples()):
        order = sorted(range(3), key=lambda c: -OUTPUTS[row][c])
        assert [found.label, found.label_2, found.label_3] == [NAMES[c] for c in order]
        told = (found.probability, found.probability_2, found.probability_3)
        assert told == pytest.approx([shares[row, c] for c in order], rel=1e-5)


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_fewer_classes_are_the_first_columns(tmp_path: Path, form: str) -> None:
    table = write(tmp_path / "t", form, make(OUTPUTS, [0, 0, 0]), ranked=1)
    assert list(table.columns) == ["file", "label", "probability"]
    assert table["label"].tolist() == ["class 1", "class 2", "class 0"]


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_table_is_there_once_it_is_whole(tmp_path: Path, form: Any) -> None:
    path = tmp_path / "t"
    path.write_text("of before")
    with open_answers(path, form, ranked=1, facts={}) as append:
        append(make(OUTPUTS, [0, 0, 0]))
        assert path.read_text() == "of before"
    assert path.read_bytes() != b"of before"
    path.write_text("of before")
    with pytest.raises(KeyError), open_answers(path, form, ranked=1, facts={}):
        raise KeyError
    assert path.read_text() == "of before"
    assert [found.name for found in tmp_path.iterdir()] == ["t"]


def test_table_without_a_row_has_its_columns(tmp_path: Path) -> None:
    for form in ("csv", "parquet"):
        table = write(tmp_path / form, form, make(np.zeros((0, 3)), []))
        assert (len(table), list(table.columns)) == (0, name_columns(3))


def test_parquet_is_written_in_groups_of_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answer_table, "_ROWS_A_GROUP", 4)
    table = write(tmp_path / "t", "parquet", *[make(OUTPUTS, [0, 0, 0])] * 5)
    file = pq.ParquetFile(tmp_path / "t")
    groups = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
    assert groups == [6, 6, 3]
    assert table["file"].tolist() == ["0", "1", "2"] * 5
    assert b'"model": "m"' in file.schema_arrow.metadata[b"experiments"]


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_rows_of_several_labels_have_those_above_a_half_and_all_probabilities(
    tmp_path: Path, form: Any
) -> None:
    outputs = [[1.0, 3.0, -0.1], [-1.0, -2.0, -3.0]]
    answers = replace(make(outputs, [0, 0], names=("a", "b", "c")), kind=SEVERAL)
    path = tmp_path / "t"
    with open_answers(path, form, ranked=1, facts={}, each=("a", "b", "c")) as append:
        append(answers)
    table = pd.read_csv(path) if form == "csv" else pd.read_parquet(path)

    assert table["labels"].fillna("").tolist() == ["b; a", ""]
    told = table[["probability_a", "probability_b", "probability_c"]].to_numpy()
    np.testing.assert_allclose(told, 1 / (1 + np.exp(-np.array(outputs))), rtol=1e-5)
    # How sure the least sure of its answers is.
    assert answers.confidence[0] == pytest.approx(1 / (1 + np.exp(-0.1)))
