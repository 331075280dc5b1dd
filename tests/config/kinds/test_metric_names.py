import pytest

from experiments.config.kinds.metric_names import (
    is_final,
    name_as_today,
    name_best,
    name_of_epoch,
)


@pytest.mark.parametrize(
    ("of_epoch", "best"),
    [
        ("val_accuracy", "best_val_accuracy"),
        ("val_top5_accuracy", "best_val_top5_accuracy"),
        ("accuracy", "best_train_accuracy"),
        ("loss", "best_train_loss"),
        ("top5_accuracy", "best_train_top5_accuracy"),
        ("test_accuracy", "best_test_accuracy"),
        ("lr", "best_lr"),
    ],
)
def test_training_is_told_from_the_best_of_all(of_epoch: str, best: str) -> None:
    assert name_best(of_epoch) == best
    assert name_of_epoch(best) == of_epoch
    assert is_final(best)
    assert not is_final(of_epoch) or of_epoch.startswith("test_")


def test_names_of_before_are_read_as_those_of_today() -> None:
    former = {"best_accuracy": 1, "best_val_loss": 2, "best_epoch": 3, "loss": 4}
    today = {"best_train_accuracy": 1, "best_val_loss": 2, "best_epoch": 3, "loss": 4}
    assert name_as_today(former) == today
    assert name_as_today(today) == today
