"""The story of an interrupted job, typed as the page tells it."""

import subprocess
from collections.abc import Callable

from tests.conftest import ROOT
from tests.docs.pages import list_commands

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_story_of_the_page_is_what_happens(run_command: Run) -> None:
    commands = list(list_commands(ROOT / "docs" / "resume.md"))
    story = [command for command in commands if command.screen]
    codes = []
    for command in story:
        done = run_command(*command.arguments)
        codes.append(done.returncode)
        assert command.screen.strip() in done.stdout + done.stderr
    assert codes == [75, 0, 0]
