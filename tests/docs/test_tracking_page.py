"""From a run to its files and back, typed as the page tells it."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.conftest import ROOT
from tests.docs.pages import list_commands

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_run_of_the_page_is_found_by_its_id_and_by_its_folder(
    run_command: Run, tmp_path: Path
) -> None:
    page = ROOT / "docs" / "tracking.md"
    section = page.read_text().split("## From a run to its files")[1]
    first, by_id, by_folder = (
        command
        for command in list_commands(page)
        if command.line in section.split("\n## ")[0].splitlines()
    )
    assert run_command(*first.arguments).returncode == 0
    (result,) = tmp_path.glob("outputs/runs/*/result.json")
    run_id = json.loads(result.read_text())["run_id"]
    folder = str(result.parent.relative_to(tmp_path))
    names = {"30d44f2b": run_id[:8]}  # drawn; one in fifty begins like a number
    for command in (by_id, by_folder):
        *words, last = command.arguments
        _, _, name = last.partition("=")
        done = run_command(*words, f"run_id={names.get(name, name)}")
        assert done.returncode == 0, done.stdout + done.stderr
        assert f"\nThe files of the recorded run: {folder}\n" in done.stdout
    assert by_folder.arguments[-1] == f"run_id={folder}"
    assert f"\nThe files of the recorded run: {folder}\n" in section
