"""The pane that a data set of a run opens."""

import re

from tests.browser.conftest import Printed
from tests.browser.screens import Screens, wait_for


def test_splits_of_a_run_are_listed_with_what_is_in_them(
    screens: Screens, sweep: Printed
) -> None:
    page = screens.open(sweep.runs[0], showing="About this run")
    page.get_by_role("button", name=re.compile("digits")).first.click()
    for text in ("3 datasets used", "Training", "Validation", "Test"):
        wait_for(page, text)
    pane = page.get_by_role("dialog").inner_text()
    assert "images: 1258" in pane
    assert "classes: 10" in pane
    assert re.search(r"Digest: [0-9a-f]{12}", pane)
    screens.keep(page, "data_set")
