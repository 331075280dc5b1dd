import io

import numpy as np
import pytest

from experiments.pictures.confusion_matrix import draw_confusion_matrix


def test_cells_say_counts_and_colours_say_shares_of_the_row() -> None:
    counts = np.array([[8, 2, 0], [0, 0, 0], [1, 0, 3]])
    figure = draw_confusion_matrix(counts, ["a", "b", "c"])
    axes = figure.axes[0]
    assert {t.get_text() for t in axes.texts} == {"8", "2", "1", "3"}
    shares = np.asarray(axes.images[0].get_array())
    assert shares[0].tolist() == [0.8, 0.2, 0.0]
    assert np.isnan(np.ma.getdata(shares[1])).all()
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b", "c"]


@pytest.mark.parametrize("classes", [2, 21, 100, 101, 1000])
def test_any_number_of_classes_is_drawn(classes: int) -> None:
    counts = np.eye(classes, dtype=np.int64)
    names = [
        f"class $x_{number}$ of a name that is too long" for number in range(classes)
    ]
    figure = draw_confusion_matrix(counts, names, title="$5")
    figure.savefig(io.BytesIO(), format="png", dpi=40)
    named = figure.axes[0].get_yticklabels()[0].get_text().startswith("class $x_0$")
    assert named == (classes <= 100)
