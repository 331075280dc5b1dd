import numpy as np
import pytest

from experiments.training.metrics import build_metrics


@pytest.mark.parametrize(
    ("num_classes", "names"),
    [
        (2, ["accuracy"]),
        (10, ["accuracy"]),
        (11, ["accuracy", "top5_accuracy"]),
        (1000, ["accuracy", "top5_accuracy"]),
    ],
)
def test_top5_is_measured_from_eleven_classes_on(
    num_classes: int, names: list[str]
) -> None:
    assert [metric.name for metric in build_metrics(num_classes)] == names


def test_metrics_have_known_values() -> None:
    accuracy, top5 = build_metrics(12)
    # The scores fall with the class: class k is on place k + 1.
    outputs = np.tile(-np.arange(12, dtype="float32"), (4, 1))

    for metric in (accuracy, top5):
        metric.update_state(np.array([0, 4, 5, 11]), outputs)

    assert float(accuracy.result()) == pytest.approx(0.25)
    assert float(top5.result()) == pytest.approx(0.5)
