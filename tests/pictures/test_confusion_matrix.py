import io

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

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


@pytest.mark.parametrize("classes", [2, 21, 40, 41, 1000])
def test_any_number_of_classes_is_drawn(classes: int) -> None:
    counts = np.eye(classes, dtype=np.int64)
    names = [
        f"class $x_{number}$ of a name that is too long" for number in range(classes)
    ]
    figure = draw_confusion_matrix(counts, names, title="$5")
    figure.savefig(io.BytesIO(), format="png", dpi=40)
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels[0].startswith("class $x_0$")
    assert len(labels) == (classes if classes <= 40 else 20)


@pytest.mark.parametrize("classes", [3, 45])
def test_long_heading_stays_in_the_picture(classes: int) -> None:
    title = "MobileNetV2 on birds of the lake, evaluated on birds of the wood, test"
    counts = np.eye(classes, dtype=np.int64)
    names = [f"a class called {number}" for number in range(classes)]
    figure = draw_confusion_matrix(counts, names, title=f"{title}, {title}")
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    (heading,) = (text for text in figure.texts if text.get_text().startswith("Mob"))
    area = heading.get_window_extent(canvas.get_renderer())
    assert area.x0 >= 0
    assert area.x1 <= figure.bbox.x1
    assert area.y0 >= figure.axes[0].get_window_extent().y1
    assert " ".join(heading.get_text().split()) == f"{title}, {title}"


def test_of_many_classes_those_are_named_that_are_confused_most() -> None:
    counts = np.eye(100, dtype=np.int64) * 50
    counts[7, 93], counts[61, 12] = 9, 8
    figure = draw_confusion_matrix(counts, [f"n{number}" for number in range(100)])
    axes = figure.axes[0]
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert len(names) == 20
    assert {"n7", "n93", "n61", "n12"} <= set(names)
    assert {"9", "8"} <= {text.get_text() for text in axes.texts}


def test_one_image_shows_on_the_map_of_a_thousand_classes() -> None:
    counts = np.eye(1000, dtype=np.int64) * 50
    counts[400, 900] = 50
    figure = draw_confusion_matrix(counts, [str(number) for number in range(1000)])
    cells = np.asarray(figure.axes[1].images[0].get_array())
    assert cells.shape == (250, 250)
    assert cells[100, 225] == 0.5
    assert np.count_nonzero(cells) == 251
