"""The pane that a data set of a run opens."""

import re

from tests.browser.conftest import Printed
from tests.browser.screens import Screens


def test_splits_of_a_run_are_listed_with_what_is_in_them(
    screens: Screens, sweep: Printed
) -> None:
    page = screens.open(sweep.runs[0], showing="About this run")
    page.get_by_role("button", name=re.compile("digits")).first.click()
    pane = page.get_by_role("dialog")
    pane.get_by_text("Digest:").first.wait_for()
    screens.keep(page, "data_set")
    told = pane.inner_text()
    assert re.search(r"Digest: [0-9a-f]{12}", told)
    for text in ("Training", "Validation", "Test", "images: 1258", "classes: 10"):
        assert text in told
