"""Predictions of several labels come back as they were written."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from experiments.evaluation.several_labels.table import read_several, write_several
from experiments.evaluation.table import SeveralLabelsError, read_predictions
from experiments.records import RecordError
from tests.evaluation.several_labels.test_scores import make


def test_what_is_written_is_read(tmp_path: Path) -> None:
    written = make([[1, 1, 0], [0, 0, 0]], [[2.0, -1.0, 0.5], [0.0, -3.0, -0.5]])
    write_several(tmp_path / "t.parquet", written)

    found = read_several(tmp_path / "t.parquet")

    np.testing.assert_array_equal(found.truth, written.truth)
    np.testing.assert_allclose(found.outputs, written.outputs)
    assert (found.samples, found.class_names) == (written.samples, ("a", "b", "c"))
    table = pq.read_table(tmp_path / "t.parquet")
    assert table["truth"].to_pylist() == [["a", "b"], []]
    assert table["predicted"].to_pylist() == [["a", "c"], []]
    first, second = table["probabilities"].to_pylist()
    assert first == pytest.approx([0.880797, 0.268941, 0.622459], abs=1e-6)
    assert second == pytest.approx([0.5, 0.047426, 0.377541], abs=1e-6)


def test_it_is_not_read_as_a_table_of_one_label_an_image(tmp_path: Path) -> None:
    write_several(tmp_path / "t.parquet", make([[1, 0]], [[2.0, -1.0]]))
    with pytest.raises(SeveralLabelsError, match="not compared image by image"):
        read_predictions(tmp_path / "t.parquet")
    (tmp_path / "other").write_text("no table")
    with pytest.raises(RecordError, match="no table of predictions"):
        read_several(tmp_path / "other")
