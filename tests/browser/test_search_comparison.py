"""The page that the link of a search opens."""

from tests.browser.conftest import Printed
from tests.browser.screens import Screens, is_for_training, read_charts, wait_for


def test_comparison_opens_on_what_every_trial_has_against_the_objective(
    screens: Screens, search: Printed
) -> None:
    page = screens.open(search.compare, showing="Parallel Coordinates", height=1700)
    assert is_for_training(page)
    for axis in ("optimizer", "optimizer.lr", "val_accuracy"):
        wait_for(page, axis)
    screens.keep(page, "search_comparison")
    assert read_charts(page)[:2] == ["What was varied", "Parallel Coordinates"]
