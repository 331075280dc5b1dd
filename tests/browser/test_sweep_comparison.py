"""The page that the link of a sweep opens."""

from tests.browser.conftest import Printed
from tests.browser.screens import Screens, is_for_training, read_charts, wait_for


def test_comparison_opens_on_the_swept_key_against_the_objective(
    screens: Screens, sweep: Printed
) -> None:
    page = screens.open(sweep.compare, showing="Parallel Coordinates", height=2600)
    assert is_for_training(page)
    for axis in ("optimizer.lr", "val_accuracy", "lr"):
        wait_for(page, axis)
    screens.keep(page, "sweep_comparison")
    titles = read_charts(page)
    first = ["What was varied", "Parallel Coordinates", "Model metrics"]
    assert titles[:7] == [*first, "val_accuracy", "loss", "accuracy", "val_loss"]
    ends = [title for title in titles if not title.startswith("time")]
    assert ends[-2:] == ["One value a run", "System metrics"]
