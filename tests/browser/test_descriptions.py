"""What the pages of runs, sweeps and searches say of themselves."""

from typing import Any

from tests.browser.conftest import Printed
from tests.browser.screens import Screens, read_charts, wait_for


def read_pictures(page: Any, count: int) -> list[str]:
    """Returns the files that a description shows, once all of them are loaded."""
    wait_for(page, "Show more").click()
    pictures = page.locator('img[src*="get-artifact"]')
    is_loaded = "(image) => image.complete && image.naturalWidth > 0"
    for number in range(count):
        picture = pictures.nth(number)
        picture.wait_for()
        page.wait_for_function(is_loaded, arg=picture.element_handle())
    assert pictures.count() == count
    addresses = [pictures.nth(n).get_attribute("src") for n in range(count)]
    return [address.rpartition("path=")[2] for address in addresses]


def test_run_shows_its_scores_its_curves_and_its_images(
    screens: Screens, sweep: Printed
) -> None:
    page = screens.open(sweep.runs[0], showing="About this run", height=1500)
    shown = read_pictures(page, 2)
    assert shown == ["learning_curves.png", "data/training_images.png"]
    for column in ("training", "validation", "held-out test"):
        wait_for(page, column)
    screens.keep(page, "run_description")


def test_use_of_the_machine_is_drawn(screens: Screens, sweep: Printed) -> None:
    place, _, query = sweep.runs[0].partition("?")
    tab = f"{place}/system-metrics?{query}"
    page = screens.open(tab, showing="cpu_utilization_percentage")
    assert len(read_charts(page)) == 4  # a section of three: there is no GPU
    screens.keep(page, "system_metrics")


def test_parent_of_a_sweep_shows_what_came_of_it(
    screens: Screens, sweep: Printed
) -> None:
    page = screens.open(sweep.parent, showing="About this run", height=1300)
    assert read_pictures(page, 1) == ["sweep/results.png"]
    wait_for(page, "optimizer.lr=1e-2,1e-3")  # its name
    wait_for(page, "0.01, 0.001")  # a parameter
    screens.keep(page, "sweep")


def test_parent_of_a_search_shows_what_came_of_it(
    screens: Screens, search: Printed
) -> None:
    page = screens.open(search.parent, showing="About this run", height=2200)
    shown = read_pictures(page, 2)
    assert shown == ["search/history.png", "search/parallel.png"]
    wait_for(page, "0.001 to 0.01, log")
    screens.keep(page, "search")
