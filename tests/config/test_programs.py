import sys
from pathlib import Path

import pytest

from experiments.config.programs import name_program, name_python


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The programs of this Python's environment, which is not activated."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("python", "python3.11", "mlflow"):
        (programs / name).touch(mode=0o755)
    monkeypatch.setattr(sys, "executable", str(programs / "python3.11"))
    monkeypatch.setenv("PATH", "/nowhere")
    return programs


def test_programs_are_named_by_path_where_a_shell_does_not_find_them(
    environment: Path,
) -> None:
    assert name_program("mlflow") == str(environment / "mlflow")
    assert name_python() == str(environment / "python3.11")


def test_programs_are_named_by_name_where_the_environment_is_activated(
    environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{environment}:/nowhere")
    assert name_program("mlflow") == "mlflow"
    assert name_python() == "python"


def test_programs_of_another_environment_are_not_meant(
    environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for name in ("python", "mlflow"):
        (other / name).touch(mode=0o755)
    monkeypatch.setenv("PATH", f"{other}:{environment}")
    assert name_program("mlflow") == str(environment / "mlflow")
    assert name_python() == str(environment / "python3.11")
