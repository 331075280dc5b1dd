"""The page of the models that an experiment's runs have recorded."""

from tests.browser.conftest import Printed
from tests.browser.screens import Screens, is_for_training, wait_for


def test_models_of_a_sweep_are_listed_beside_their_runs(
    screens: Screens, sweep: Printed
) -> None:
    place, _, query = sweep.runs[0].partition("?")
    models = f"{place.partition('/runs/')[0]}/models?{query}"
    page = screens.open(models, showing="Model name")
    assert is_for_training(page)
    for name in ("optimizer.lr=0.01", "optimizer.lr=0.001"):
        wait_for(page, name)
    screens.keep(page, "models")
