import csv
from pathlib import Path

import numpy as np

from experiments.evaluation.predictions import UNLABELLED
from experiments.evaluation.reporting.mistakes import list_mistakes, write_mistakes
from tests.evaluation.made import make


def test_surest_mistake_comes_first() -> None:
    outputs = [[0.6, 0.4], [0.1, 0.9], [0.7, 0.3], [0.2, 0.8]]
    p = make(outputs, [1, 0, 0, UNLABELLED], kind="probabilities", names=("cat", "dog"))
    found = list(list_mistakes(p))
    assert [(m.sample, m.truth, m.predicted) for m in found] == [
        ("1", "cat", "dog"),
        ("0", "dog", "cat"),
    ]
    assert (found[0].confidence, found[0].truth_probability) == (0.9, 0.1)


def test_file_has_a_line_a_mistake(tmp_path: Path) -> None:
    names = ('a "cat"', "dog,\nbig")
    p = make(np.eye(2)[[0, 1]] * 9, [1, 0], names=names)
    assert write_mistakes(tmp_path / "errors.csv", p) == 2
    with (tmp_path / "errors.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["truth"] for row in rows] == [names[1], names[0]]
    assert 0.999 < float(rows[0]["confidence"]) <= 1
