"""A real MLflow server on the output folder of a real sweep and a small search."""

import os
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.browser.screens import Screens
from tests.conftest import ROOT
from tests.tracking.server import Server
from tests.warm import run_to_the_end

SCREENSHOTS = ROOT / ".screenshots"
_PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
_SMALL = ["model=resnet20_cifar", "dataset=digits", "dataset.image_size=null"]
_LINK = re.compile(r"^(MLflow run|charts) +(\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class Printed:
    """The links that a command printed.

    Attributes:
        compare: Of the page that compares its runs.
        parent: Of the run that they belong to.
        runs: Of the runs, in the order in which they ended.
    """

    compare: str
    parent: str
    runs: tuple[str, ...]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks all tests of this folder."""
    folder = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(folder):
            item.add_marker("browser")
            item.add_marker(pytest.mark.timeout(600))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("pages") / "server")
    server.start()
    yield server
    server.stop()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: Any, call: Any) -> Any:
    """Keeps a picture of what a test has seen that fails."""
    report = yield
    screens = getattr(item, "funcargs", {}).get("screens")
    if report.failed and screens is not None:
        for number, page in enumerate(screens.pages):
            screens.keep(page, f"failed_{item.name}_{number}")
    return report


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright  # of the extra `browser`

    program = next(filter(None, map(shutil.which, _PROGRAMS)), None)
    assert program, "No Chromium is installed: make test-browser installs Debian's."
    with sync_playwright() as started:
        # A container's root may not use Chromium's sandbox; these pages are our own.
        browser = started.chromium.launch(
            executable_path=program, args=["--no-sandbox"] * (os.geteuid() == 0)
        )
        yield browser
        browser.close()


@pytest.fixture
def screens(browser: Any) -> Iterator[Screens]:
    SCREENSHOTS.mkdir(exist_ok=True)
    screens = Screens(browser, SCREENSHOTS)
    yield screens
    for page in screens.pages:
        page.close()


@pytest.fixture(scope="session")
def sweep(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Printed:
    """Two jobs that differ in one key, a model of each recorded."""
    words = ["optimizer.lr=1e-2,1e-3", "trainer.epochs=3"]
    return _run(server, tmp_path_factory.mktemp("sweep"), *words)


@pytest.fixture(scope="session")
def search(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Printed:
    """Four trials over a choice, an interval, and one that only a choice has."""
    words = ["hydra/sweeper=keras_tuner", "hydra.sweeper.oracle=random"]
    words += ["hydra.sweeper.max_trials=4", "trainer.epochs=2", "optimizer=adam,sgd"]
    words += ["optimizer.lr=tag(log,interval(1e-3,1e-2))"]
    words += ["optimizer.momentum=interval(0.8,0.98)"]
    words += ["hydra.sweeper.when={optimizer.momentum: 'optimizer=sgd'}"]
    return _run(server, tmp_path_factory.mktemp("search"), *words)


def _run(server: Server, outputs: Path, *words: str) -> Printed:
    place = [f"output_dir={outputs}", "tracking=server", f"tracking.uri={server.uri}"]
    command = [sys.executable, str(ROOT / "run.py"), "-m", *_SMALL, *words, *place]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", "1")  # they are short
        done = run_to_the_end(command, cwd=ROOT, timeout=500)
    assert done.returncode == 0, done.stdout + done.stderr
    links = _LINK.findall(done.stdout)
    *runs, parent = [link for name, link in links if name == "MLflow run"]
    (compare,) = [link for name, link in links if name == "charts"]
    return Printed(compare=compare, parent=parent, runs=tuple(runs))
