from typing import Any

import pytest

from experiments import progress
from experiments.progress import show_progress


@pytest.fixture
def pass_time(monkeypatch: pytest.MonkeyPatch) -> Any:
    now = 100.0

    def forward(seconds: float) -> None:
        nonlocal now
        now += seconds

    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    return forward


def test_file_gets_a_line_from_time_to_time(
    pass_time: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    with show_progress() as show:
        for number in range(25):
            show(f"{number} images")
            pass_time(1)
    assert capsys.readouterr() == ("", "10 images\n20 images\n")


def test_terminal_has_one_line_that_is_removed(
    pass_time: Any,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with show_progress() as show:
        show("1 image")
        pass_time(1)
        show("2 images")
    assert capsys.readouterr().err == "\r2 images\033[K\r\033[K"
