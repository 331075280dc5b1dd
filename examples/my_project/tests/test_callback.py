import pytest

from my_project.callback import TrainingGap


def test_gap_is_training_minus_validation():
    logs = {"accuracy": 0.9, "val_accuracy": 0.7}
    TrainingGap(metric="accuracy").on_epoch_end(0, logs)
    assert logs["accuracy_gap"] == pytest.approx(0.2)


def test_without_validation_there_is_no_gap():
    logs = {"accuracy": 0.9}
    TrainingGap(metric="accuracy").on_epoch_end(0, logs)
    assert logs == {"accuracy": 0.9}
