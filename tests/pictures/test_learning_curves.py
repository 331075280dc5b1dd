import math

import pytest

from experiments.pictures.learning_curves import draw_learning_curves

EPOCHS = [
    {"loss": 2.0, "val_loss": 2.5, "accuracy": 0.1, "val_accuracy": 0.2},
    {"loss": 1.0, "val_loss": 1.5, "accuracy": 0.6, "val_accuracy": 0.5},
    {"loss": 0.5, "val_loss": 1.6, "accuracy": 0.9, "val_accuracy": 0.4},
]


def curve(axes, label):
    (line,) = [line for line in axes.lines if line.get_label() == label]
    return list(line.get_xdata()), list(line.get_ydata())


def test_each_panel_shows_training_and_validation():
    loss, accuracy = draw_learning_curves(EPOCHS).axes
    assert curve(loss, "training") == ([1, 2, 3], [2.0, 1.0, 0.5])
    assert curve(accuracy, "validation") == ([1, 2, 3], [0.2, 0.5, 0.4])


def test_best_epoch_is_marked_with_its_value():
    loss, accuracy = draw_learning_curves(EPOCHS, best_epoch=2).axes
    assert curve(accuracy, "best epoch")[0] == [2, 2]
    assert accuracy.get_title() == "accuracy (validation, best epoch 2: 0.5000)"
    assert loss.get_title() == "loss (validation, best epoch 2: 1.5000)"


def test_another_loss_of_the_training_is_told():
    loss, accuracy = draw_learning_curves(EPOCHS, label_smoothing=0.1).axes
    assert loss.get_xlabel() == "epoch (training with label smoothing of 0.1)"
    assert accuracy.get_xlabel() == "epoch"
    drawn = draw_learning_curves(EPOCHS, label_smoothing=0.1, loss=["FocalLoss"])
    both = "epoch (training with FocalLoss and label smoothing of 0.1)"
    assert drawn.axes[0].get_xlabel() == both
    assert draw_learning_curves(EPOCHS).axes[0].get_xlabel() == "epoch"


def test_resumed_run_starts_at_its_first_epoch():
    figure = draw_learning_curves(EPOCHS, best_epoch=12, first_epoch=11)
    assert curve(figure.axes[0], "training")[0] == [11, 12, 13]
    assert "best epoch 12: 0.5000" in figure.axes[1].get_title()


@pytest.mark.parametrize(
    "epochs",
    [
        [],
        [{"loss": 1.0}],
        [{"loss": math.nan, "val_loss": math.inf}],
        EPOCHS * 100,
    ],
    ids=["none", "one", "diverged", "many"],
)
def test_any_history_can_be_drawn(epochs, tmp_path):
    path = tmp_path / "curves.png"
    draw_learning_curves(epochs, best_epoch=1).savefig(path)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_line_stands_between_the_epochs_of_two_phases() -> None:
    """Not behind the last epoch, where a training that was paused has no other yet."""
    epochs = [{"loss": 1.0, "accuracy": 0.5}] * 4
    figure = draw_learning_curves(epochs, borders=[1, 3, 4])
    for axes in figure.axes:
        lines = [line for line in axes.lines if line.get_linestyle() == ":"]
        assert [list(line.get_xdata()) for line in lines] == [[1.5] * 2, [3.5] * 2]
    (legend,) = figure.legends
    assert [t.get_text() for t in legend.get_texts()].count("next phase") == 1
