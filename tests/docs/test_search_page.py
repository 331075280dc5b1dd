"""The small search of the page, typed as it stands there, twice."""

import subprocess
from collections.abc import Callable

from tests.conftest import ROOT
from tests.docs.pages import list_commands

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_small_search_of_the_page_runs_and_is_not_run_again(run_command: Run) -> None:
    commands = list_commands(ROOT / "docs" / "search.md")
    (small,) = [c for c in commands if "debug=one_step" in c.arguments]
    first = run_command(*small.arguments)
    assert first.returncode == 0, first.stderr
    assert small.screen in first.stdout
    assert "trial 1 complete" in first.stdout
    assert f"{ROOT / 'run.py'} task=train from_search=" in first.stdout
    again = run_command(*small.arguments)
    assert again.returncode == 0, again.stderr
    assert "The search has had its 2 trials" in again.stdout
    assert "runs:" not in again.stdout
