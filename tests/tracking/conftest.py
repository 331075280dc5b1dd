"""What the tests of tracking share: a cache folder of their own and open runs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from experiments.tracking.tracker import open_tracker

CONNECTION = {
    "enabled": True,
    "uri": None,
    "experiment": "some experiment",
    "ui_url": "http://127.0.0.1:5000",
    "server_timeout": 5,
    "server_retries": 0,
}


@pytest.fixture(autouse=True, scope="session")
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Keeps the template database out of the user's cache; made once a session."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        yield folder


@pytest.fixture
def open_run(tmp_path: Path) -> Callable[..., Any]:
    """Returns a function that opens a run on a database below `tmp_path`."""

    def open_run(**changes: Any) -> Any:
        arguments = {**CONNECTION, "output_dir": tmp_path / "out", "run_name": "a run"}
        return open_tracker(**{**arguments, **changes})

    return open_run


def stored(tracker: Any, path: str) -> str:
    """Returns the text of a file of a run."""
    client = tracker._client
    return Path(client.download_artifacts(tracker.run_id, path)).read_text("utf-8")
