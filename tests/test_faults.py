"""An error that nobody foresaw: one sentence, and the traceback in a file."""

import re
from pathlib import Path

import pytest

from experiments.faults import report_fault


def fail() -> Exception:
    try:
        raise KeyError("odd \x1b[31m")
    except KeyError as error:
        return error


def test_it_names_the_error_and_the_file_with_the_traceback() -> None:
    told = report_fault(fail())
    assert "KeyError: 'odd \\x1b[31m'" in told
    assert "\n" not in told
    place = re.search(r"traceback is in (\S+);", told)
    assert place is not None
    path = Path(place[1])
    assert "in fail" in path.read_text()
    assert path.stat().st_mode & 0o077 == 0


def test_without_a_place_for_the_file_it_tells_how_to_see_the_traceback(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert "With HYDRA_FULL_ERROR=1 its traceback is shown" in report_fault(fail())
