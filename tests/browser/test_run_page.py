"""The page of one run."""

from tests.browser.conftest import Printed
from tests.browser.screens import Screens, is_for_training, read_charts, wait_for


def test_page_has_what_a_person_has_set(screens: Screens, sweep: Printed) -> None:
    page = screens.open(sweep.runs[0], showing="About this run")
    assert is_for_training(page)
    wait_for(page, "optimizer.lr=0.01")
    screens.keep(page, "run")
    search = page.get_by_placeholder("Search parameters")
    for name in ("trainer.epochs", "model.depth", "model"):
        search.fill(name)
        wait_for(page, name)
    for name in ("_target_", "derived."):
        search.fill(name)
        wait_for(page, "No parameters match the search filter")


def test_curve_of_each_score_is_drawn(screens: Screens, sweep: Printed) -> None:
    place, _, query = sweep.runs[0].partition("?")
    metrics = f"{place}/model-metrics?{query}"
    page = screens.open(metrics, showing="val_loss", height=2600)
    screens.keep(page, "run_metrics")
    charts = read_charts(page)
    assert {"loss", "accuracy", "val_loss", "val_accuracy"} < {*charts}
    assert "best_train_accuracy" in charts
