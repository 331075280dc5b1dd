"""The pages of the models that runs have recorded."""

from tests.browser.conftest import Printed
from tests.browser.screens import Screens, is_for_training, wait_for


def test_models_of_a_sweep_are_listed_beside_their_runs(
    screens: Screens, sweep: Printed
) -> None:
    place, _, query = sweep.runs[0].partition("?")
    models = f"{place.partition('/runs/')[0]}/models?{query}"
    page = screens.open(models, showing="Model name")
    assert is_for_training(page)
    for run in ("optimizer.lr=0.01", "optimizer.lr=0.001"):
        wait_for(page, run)
    screens.keep(page, "models")
    wait_for(page, "optimizer-lr-0-01").click()
    wait_for(page, "About this logged model")
    for metric in ("best_val_accuracy", "test_accuracy"):
        wait_for(page, metric)
    screens.keep(page, "model")
