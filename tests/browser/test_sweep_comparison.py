"""The page that the link of a sweep opens."""

from tests.browser.conftest import Printed
from tests.browser.screens import Screens, is_for_training, read_charts, wait_for


def test_comparison_opens_on_the_swept_key_against_the_objective(
    screens: Screens, sweep: Printed
) -> None:
    page = screens.open(sweep.compare, showing="Parallel Coordinates", height=1700)
    assert is_for_training(page)
    for axis in ("optimizer.lr", "val_accuracy"):
        wait_for(page, axis)
    screens.keep(page, "sweep_comparison")
    first = ["What was varied (1)", "Parallel Coordinates", "Model metrics (7)"]
    curves = ["val_accuracy", "loss", "accuracy", "val_loss"]
    assert read_charts(page)[:7] == [*first, *curves]
    last = ["One value a run (8)", "System metrics (0)"]
    assert [text for text in read_charts(page) if text in last] == last
