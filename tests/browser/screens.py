"""MLflow's pages in a browser: what stands there, and pictures of it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_WIDTH, _HEIGHT = 1700, 1000
_PATIENCE = 90_000.0  # milliseconds: the pages are megabytes, on a machine that is busy
# Beside every page a pane offers to chat, which takes a quarter of it.
_NO_CHAT = """
localStorage.setItem("mlflow.assistant.panelOpen_v1", "false");
localStorage.setItem("mlflow.assistant.fab.autoOpenedOnFirstLoad_v1", "true");
"""


@dataclass(frozen=True)
class Screens:
    """Opens pages and keeps pictures of them.

    Attributes:
        browser: Playwright's.
        folder: For the pictures.
        pages: That were opened.
    """

    browser: Any
    folder: Path
    pages: list[Any] = field(default_factory=list)

    def open(self, url: str, *, showing: str, height: int = _HEIGHT) -> Any:
        """Opens a page as somebody who was never there, until it shows a text.

        Args:
            url: Its address, as it was printed.
            showing: A text that the page has when it is there.
            height: Of the window, in pixels: charts below it are not there.

        Returns:
            Playwright's `Page`.
        """
        page = self.browser.new_page(viewport={"width": _WIDTH, "height": height})
        self.pages.append(page)
        page.set_default_timeout(_PATIENCE)
        page.add_init_script(_NO_CHAT)
        page.goto(url)
        wait_for(page, showing)
        return page

    def keep(self, page: Any, name: str) -> None:
        """Keeps a picture of what a page shows now."""
        page.screenshot(path=self.folder / f"{name}.png")


def wait_for(page: Any, text: str) -> Any:
    """Waits until a page shows an element of just this text; returns the first."""
    found = page.get_by_text(text, exact=True).locator("visible=true").first
    found.wait_for()
    return found


def is_for_training(page: Any) -> bool:
    """Tells whether MLflow shows its pages for training, not for language models."""
    wait_for(page, "Model training")
    links = {name: page.get_by_text(name, exact=True).count() for name in _MODES}
    return [name for name, count in links.items() if count] == ["Model registry"]


_MODES = ("Model registry", "AI Gateway")  # in the menu of one mode each


def read_charts(page: Any) -> list[str]:
    """Returns the titles of a page's sections and charts, from top to bottom."""
    name = "experiment-view-compare-runs"
    header, title = f"{name}-section-header", f"{name}-card"
    found = f'[data-testid="{header}"], [data-testid="{title}"] h4'
    return [text.split("\n")[0] for text in page.locator(found).all_inner_texts()]
