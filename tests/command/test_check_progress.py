"""A long check says how far it is; a short one says nothing."""

from typing import Any

import pytest

from experiments import progress
from experiments.command.check_progress import show_progress


@pytest.fixture
def pass_time(monkeypatch: pytest.MonkeyPatch) -> Any:
    now = 100.0

    def forward(seconds: float) -> None:
        nonlocal now
        now += seconds

    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    return forward


def test_a_check_of_a_moment_says_nothing(
    pass_time: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    with show_progress(3) as advance:
        for _ in range(3):
            pass_time(0.5)
            advance()
    assert capsys.readouterr() == ("", "")


def test_a_file_gets_a_line_from_time_to_time_and_none_at_the_end(
    pass_time: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    with show_progress(2000) as advance:
        for _ in range(100):
            pass_time(0.25)
            advance()
    assert capsys.readouterr().err.splitlines() == [
        f"Checking 2,000 jobs before they start: {done} done" for done in (8, 48, 88)
    ]


def test_a_terminal_gets_one_line_that_is_removed(
    pass_time: Any,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with show_progress(3) as advance:
        for _ in range(3):
            pass_time(2.1)
            advance()
    shown = capsys.readouterr().err
    assert shown.split("\r")[1:-1] == [
        f"Checking 3 jobs before they start: {done} done\033[K" for done in (1, 2)
    ]
    assert shown.endswith("\r\033[K")
