from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from experiments.evaluation.predictions import UNLABELLED
from experiments.evaluation.table import read_predictions, write_predictions
from experiments.records import NewerRecordError, RecordError
from tests.evaluation.made import draw, make


def test_what_was_written_is_read_to_the_bit(tmp_path: Path) -> None:
    p = draw(40, 7)
    write_predictions(tmp_path / "predictions.parquet", p)
    found = read_predictions(tmp_path / "predictions.parquet")
    assert (found.outputs == p.outputs).all()
    assert (found.truth == p.truth).all()
    assert list(found.samples) == list(p.samples)
    assert list(found.digests) == list(p.digests)
    assert list(found.split) == list(p.split)
    assert (found.kind, found.class_names) == (p.kind, p.class_names)
    assert found.facts == p.facts


def test_unknown_label_is_a_null(tmp_path: Path) -> None:
    path = tmp_path / "predictions.parquet"
    write_predictions(path, make([[1.0, 2.0], [3.0, 1.0]], [UNLABELLED, 0]))
    assert read_predictions(path).truth.tolist() == [UNLABELLED, 0]
    assert pd.read_parquet(path)["truth"].isna().tolist() == [True, False]


def test_other_programs_read_the_ranking(tmp_path: Path) -> None:
    path = tmp_path / "predictions.parquet"
    p = draw(5, 8)
    write_predictions(path, p)
    table = pd.read_parquet(path)
    assert table["predicted"].tolist() == p.predicted.tolist()
    assert np.allclose(table["confidence"], p.confidence)
    assert [len(row) for row in table["top_classes"]] == [5] * 5
    best = np.sort(p.probabilities[0])[::-1][:5]
    assert np.allclose(table["top_probabilities"][0], best)


def test_table_without_an_image_is_read(tmp_path: Path) -> None:
    path = tmp_path / "predictions.parquet"
    write_predictions(path, make(np.zeros((0, 3)), []))
    assert read_predictions(path).outputs.shape == (0, 3)


@pytest.mark.parametrize("cut", [0, 10, 400])
def test_damaged_table_is_told(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "predictions.parquet"
    write_predictions(path, draw(40, 7))
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(RecordError, match="no table of predictions"):
        read_predictions(path)


def test_other_table_is_told(tmp_path: Path) -> None:
    path = tmp_path / "predictions.parquet"
    pd.DataFrame({"sample": ["a"]}).to_parquet(path)
    with pytest.raises(RecordError, match="no table of predictions"):
        read_predictions(path)


def test_table_of_a_later_release_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "predictions.parquet"
    with monkeypatch.context() as patch:
        patch.setattr("experiments.records.FORMAT", 99)
        write_predictions(path, draw(3, 2))
    with pytest.raises(NewerRecordError, match="in format 99"):
        read_predictions(path)
