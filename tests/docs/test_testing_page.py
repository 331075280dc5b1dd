"""`tests/` is organised as `docs/testing.md` says."""

import re
from pathlib import Path

import pytest

from tests.conftest import ROOT

TESTS, SOURCE = ROOT / "tests", ROOT / "src" / "experiments"
PAGE = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")
_ROW = re.compile(r"^\| `(?P<place>[\w/]+(?:\.py)?)` \|", re.MULTILINE)
PLACES = _ROW.findall(PAGE.partition("## What mirrors what")[2].partition("\n## ")[0])
MODULES = sorted(
    path.relative_to(TESTS).as_posix() for path in TESTS.rglob("test_*.py")
)


def mirrors(test: str) -> bool:
    """Tells whether a module or folder of the source has the place and name."""
    path = SOURCE / re.sub(r"test_(\w+)\.py$", r"\1", test)
    return path.with_suffix(".py").is_file() or path.is_dir()


def find_rows(test: str) -> list[str]:
    """Returns the rows of the page that a module of tests is part of."""
    return [place for place in PLACES if Path(test).is_relative_to(place)]


@pytest.mark.parametrize("test", MODULES)
def test_module_of_tests_mirrors_the_source_or_has_one_row(test: str) -> None:
    rows = find_rows(test)
    if mirrors(test):
        assert not rows, f"docs/testing.md lists {rows}, which mirrors the source."
    else:
        assert len(rows) == 1, (
            f"tests/{test} needs a module of its name in src/experiments, "
            f"or a row in docs/testing.md. It has {rows}."
        )


@pytest.mark.parametrize("place", PLACES)
def test_row_of_the_page_names_what_is_there(place: str) -> None:
    assert (TESTS / place).exists()


def test_folder_of_the_page_is_no_room_of_the_source() -> None:
    folders = [place for place in PLACES if not place.endswith(".py")]
    assert folders
    assert not [place for place in folders if (SOURCE / place).exists()]
