"""What the tests of tracking share: a cache folder of their own and open runs."""

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from experiments.config.kinds.destination import Destination
from experiments.config.kinds.objective import Objective
from experiments.tracking.comparison import Comparison
from experiments.tracking.sending import sender
from experiments.tracking.tracker import open_tracker
from tests.tracking.postgres import Postgres, running_postgres
from tests.tracking.server import Server

_STORE = {
    "experiment": "some experiment",
    "ui_url": "http://127.0.0.1:5000",
    "server_timeout": 5,
}


COMPARISON = Comparison(
    keys=("optimizer.lr",), objective=Objective("val_accuracy", "max")
)


def destination(output_dir: Path, **changes: Any) -> Destination:
    """Returns where the tests' runs are recorded."""
    return Destination(output_dir=output_dir, **{**_STORE, **changes})


@pytest.fixture(autouse=True, scope="session")
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Keeps the template database out of the user's cache; made once a session."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        yield folder


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets the sender try again five times a second."""
    monkeypatch.setattr(sender, "_DELAYS", (0.2,))


@pytest.fixture
def open_run(tmp_path: Path) -> Callable[..., Any]:
    """Returns a function that opens a run, each in a folder of its own."""
    numbers = itertools.count()

    def open_run(**changes: Any) -> Any:
        folder = tmp_path / "out" / "runs" / str(next(numbers))
        names = {field.name for field in fields(Destination)} & changes.keys()
        place = {name: changes.pop(name) for name in names}
        arguments: dict[str, Any] = {
            "destination": destination(**{"output_dir": tmp_path / "out", **place}),
            "folder": folder,
            "run_name": "a run",
            "drain_seconds": 20,
        }
        return open_tracker(**{**arguments, **changes})

    return open_run


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A real MLflow server on an empty database; not started yet."""
    server = Server(tmp_path / "server")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def running_server(
    cache_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """One server for all the tests that do not stop it: it takes long to start."""
    server = Server(tmp_path_factory.mktemp("servers") / "running")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL of its own; this process and its children know its password."""
    with running_postgres() as server, pytest.MonkeyPatch.context() as patch:
        for name, value in server.environment.items():
            patch.setenv(name, value)
        yield server


def settle(tracker: Any, seconds: float = 60) -> Any:
    """Waits until everything is sent; returns the client of the store."""
    tracker.start()
    wait_until(lambda: not tracker.unsent, seconds)
    return tracker._courier.connect().client


def wait_until(condition: Callable[[], object], seconds: float = 60) -> None:
    """Waits for something that another thread or process does."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def run_of(tracker: Any) -> Any:
    """Returns MLflow's run, after everything is sent."""
    return settle(tracker).get_run(tracker.run_id)


def stored(tracker: Any, path: str) -> str:
    """Returns the text of a file of a run."""
    client = settle(tracker)
    return Path(client.download_artifacts(tracker.run_id, path)).read_text("utf-8")


def points_of(client: Any, run_id: str, key: str) -> list[tuple[int, float]]:
    """Returns the steps and values of a metric, in the order of the steps."""
    history = client.get_metric_history(run_id, key)
    return sorted((point.step, point.value) for point in history)
