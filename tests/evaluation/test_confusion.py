import numpy as np

from experiments.evaluation.confusion import count_confusions, list_confusions
from tests.evaluation.made import make


def test_rows_are_truths_and_columns_predictions() -> None:
    p = make(np.eye(4)[[0, 1, 1, 3]], [0, 0, 1, 1])
    counts = count_confusions(p)
    assert counts.shape == (4, 4)  # classes without an image included
    assert (counts[0, 1], counts[1, 3], counts[1, 1]) == (1, 1, 1)
    assert counts.sum() == 4


def test_most_frequent_confusion_comes_first() -> None:
    p = make(np.eye(3)[[1, 1, 0, 2, 2, 0]], [0, 0, 0, 1, 2, 2], names=("a", "b", "c"))
    found = list_confusions(p)
    assert [(c.truth, c.predicted, c.count) for c in found] == [
        ("a", "b", 2),
        ("b", "c", 1),
        ("c", "a", 1),
    ]
    assert [c.share for c in found] == [2 / 3, 1.0, 0.5]
    assert len(list_confusions(p, most=1)) == 1
