"""What a task can be told is told on a page."""

import re
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT

TASKS = sorted((ROOT / "conf" / "task").glob("*.yaml"))
PAGES = "".join(
    page.read_text(encoding="utf-8")
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
)


def is_told(task: str, key: str) -> bool:
    """Tells whether a key stands on a page, or by itself on that of its task."""
    if re.search(rf"\btask\.{key}\b", PAGES):
        return True
    page = ROOT / "docs" / f"{task}.md"
    text = page.read_text(encoding="utf-8") if page.exists() else ""
    return bool(re.search(rf"(`|\s|'){key}(=|`)", text))


def list_keys(file: Path) -> list[str]:
    found = yaml.safe_load(file.read_text(encoding="utf-8"))
    return [key for key in found if key not in ("defaults", "_target_")]


@pytest.mark.parametrize("file", TASKS, ids=lambda file: file.stem)
def test_each_key_of_a_task_stands_on_a_page(file: Path) -> None:
    missing = [key for key in list_keys(file) if not is_told(file.stem, key)]
    assert missing == []


def test_each_scalar_of_the_whole_run_stands_on_the_page_of_configs() -> None:
    page = (ROOT / "docs" / "configs.md").read_text(encoding="utf-8")
    keys = set(list_keys(ROOT / "conf" / "config.yaml")) - {"hydra"}
    assert [key for key in sorted(keys) if f"`{key}`" not in page] == []
