"""The table of an experiment's runs, which MLflow's pages open with."""

from typing import Any

from experiments.tracking.store.links import experiment_url
from tests.browser.conftest import Printed
from tests.browser.screens import Screens, is_for_training, wait_for


def test_table_opens_with_the_runs_of_a_sweep_below_it(
    screens: Screens, server: Any, sweep: Printed
) -> None:
    page = screens.open(experiment_url(server.uri, "1"), showing="Run Name")
    assert is_for_training(page)
    row = page.get_by_role("row").filter(has_text="optimizer.lr=1e-2,1e-3")
    row.get_by_role("gridcell").get_by_role("button").first.click()  # its jobs
    wait_for(page, "optimizer.lr=0.01")
    screens.keep(page, "run_table")
