"""The pages that commands leave, opened as files by a browser without a network."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.screens import Screens
from tests.conftest import ROOT
from tests.tasks.photographs import cut_photographs
from tests.warm import run_to_the_end

_SMALL = ["model=resnet20_cifar", "model.depth=null", "model.block=basic"]
_SMALL += ["model.blocks=[1,1,1]", "gpu=cpu"]
_FOLDER = ["dataset=folder", "dataset.path=photos", "dataset.image_size=32"]
_SWEEP = ["trainer.batch_size=8", "trainer.epochs=3", "optimizer.lr=1e-2,1e-6"]
_SEARCH = ["hydra/sweeper=keras_tuner", "hydra.sweeper.max_trials=3", "dataset=digits"]
_SEARCH += ["trainer.epochs=2", "trainer.max_steps_per_epoch=20"]
_SEARCH += ["optimizer.lr=tag(log,interval(1e-4,1e-1))"]
_ASKING = ["gpu=cpu"]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each page that a command leaves, by the name of its file."""
    place = tmp_path_factory.mktemp("pages")
    cut_photographs(place / "photos", {"temple": 30, "flower": 30}, seed=0)
    lines = [
        ["-m", *_SMALL, *_FOLDER, *_SWEEP],
        ["task=evaluate", "run_id=last", *_ASKING],
        ["task=predict", "run_id=last", "input=photos", *_ASKING],
        ["task=explain", "run_id=last", "input=photos", "task.most=6", *_ASKING],
        ["task=audit", "run_id=last", *_SMALL, *_FOLDER],
        ["task=inspect", *_SMALL, *_FOLDER],
        ["-m", *_SMALL, *_SEARCH],
    ]
    for words in lines:
        command = [sys.executable, str(ROOT / "run.py"), *words]
        done = run_to_the_end(command, cwd=place, timeout=500)
        assert done.returncode == 0, done.stdout + done.stderr
    return _list_pages(place / "outputs")


def _list_pages(outputs: Path) -> dict[str, Path]:
    """Returns the pages in the folders of runs, without the copies in their records."""
    found = [
        path
        for path in sorted(outputs.rglob("*.html"))
        if not {"artifacts", "tracking"} & {*path.relative_to(outputs).parts}
    ]
    (search,) = [path.parent for path in found if path.name == "search.html"]
    return {
        f"search_{path.name}" if path == search / "comparison.html" else path.name: path
        for path in found
    }


@pytest.fixture
def opened(browser: Any, pages: dict[str, Path], request: Any) -> Iterator[Any]:
    """The page of this name, opened from its file with the network cut off."""
    context = browser.new_context(viewport={"width": 1300, "height": 900}, offline=True)
    page = context.new_page()
    page.told = []
    page.on("console", lambda said: page.told.append(f"{said.type}: {said.text}"))
    page.on("pageerror", lambda error: page.told.append(f"error: {error}"))
    page.on("requestfailed", lambda asked: page.told.append(f"failed: {asked.url}"))
    page.asked = []
    page.on("request", lambda asked: page.asked.append(asked.url))
    page.goto(pages[request.param].as_uri())
    yield page
    context.close()


# What a page must tell, beside its headline.
_TOLD = {
    "report.html": [
        r"accuracy\s+0\.\d{4}\s+0\.\d{4} to",
        r"roc_auc\s+\d",
        "Confusions",
    ],
    "comparison.html": [
        r"A\toptimizer\.lr=",
        r"val_accuracy",
        r"is (temple|flower)\. A: ",
    ],
    "search_comparison.html": [r"A\toptimizer\.lr=", r"on \d+ images that all"],
    "gallery.html": ["All 60 images", r"\d+\.\d %", r"temple\s+\d+"],
    "explanation.html": [r"\d+\.\d ?%"],
    "audit.html": ["corrections.csv", r"temple\s+\d+\s+\d+\s+\d+", "no prediction"],
    "inspect.html": ["parameters", "Learning rate", "temple", "120 x 90"],
    "search.html": [r"trial", r"optimizer\.lr", r"val_accuracy"],
}
_FIGURES = {"comparison.html", "search_comparison.html", "search.html"}


@pytest.mark.parametrize("opened", _TOLD, indirect=True)
def test_page_opens_from_its_file_without_a_network(
    opened: Any, request: Any, screens: Screens
) -> None:
    name = request.node.callspec.params["opened"]
    pictures = _load_pictures(opened)
    assert bool(pictures) == (name != "search.html")
    if name in _FIGURES:
        opened.wait_for_selector(".figure .main-svg")
    drawn = opened.locator(".figure").count()
    assert drawn == opened.locator(".figure:has(.main-svg)").count()
    assert bool(drawn) == (name in _FIGURES)
    opened.screenshot(path=screens.folder / f"own_{name}.png", full_page=True)
    text = opened.locator("body").inner_text()
    assert opened.locator("h1").inner_text()
    for pattern in _TOLD[name]:
        assert re.search(pattern, text), f"{pattern} is not in {text[:3000]}"
    assert opened.told == []
    outside = [url for url in opened.asked if not url.startswith(("file:", "data:"))]
    assert [url for url in outside if not url.startswith("blob:")] == []


def _load_pictures(page: Any) -> int:
    """Waits for all pictures, those below too; returns how many there are."""
    page.evaluate(
        "for (const image of document.images) image.loading = 'eager';"
        "Promise.all([...document.images].map((image) => image.decode()))"
    )
    sizes = page.evaluate("[...document.images].map((image) => image.naturalWidth)")
    assert all(sizes)
    return len(sizes)
