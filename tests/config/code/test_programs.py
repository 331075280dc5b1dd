import sys
from pathlib import Path

import pytest

from experiments.config.code import programs
from experiments.config.code.programs import (
    SCRIPT_VARIABLE,
    command_words,
    name_command,
    name_program,
    name_python,
    typed_script,
)


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The programs of this Python's environment, which is not activated."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("python", "python3.11", "mlflow"):
        (folder / name).touch(mode=0o755)
    monkeypatch.setattr(sys, "executable", str(folder / "python3.11"))
    monkeypatch.setenv("PATH", "/nowhere")
    return folder


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


@pytest.mark.parametrize("typed", ["experiments", "/a b/bin/experiments"])
def test_installed_command_is_named_as_a_shell_finds_it(
    environment: Path, monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    monkeypatch.setattr(sys, "argv", [typed, "seed=1"])
    assert name_command() == "experiments"
    assert command_words() == [str(environment / "experiments")]


def test_script_of_a_checkout_is_named_with_its_python(
    environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["../checkout/run.py"])
    assert name_command() == "python run.py"
    assert command_words() == [str(environment / "python3.11"), "../checkout/run.py"]


def test_worker_knows_that_the_installed_command_was_typed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "argv", ["/usr/lib/worker.py"])
    monkeypatch.setenv(SCRIPT_VARIABLE, "experiments")
    assert typed_script() == name_command() == "experiments"


@pytest.mark.parametrize("typed", ["ipykernel_launcher.py", "my_script.py", ""])
@pytest.mark.parametrize(
    ("checkout", "named"), [(True, "python run.py"), (False, "experiments")]
)
def test_notebook_names_what_its_installation_has(
    environment: Path,
    monkeypatch: pytest.MonkeyPatch,
    typed: str,
    checkout: bool,
    named: str,
) -> None:
    monkeypatch.setattr(sys, "argv", [typed])
    monkeypatch.delenv(SCRIPT_VARIABLE, raising=False)
    monkeypatch.setattr(programs, "is_checkout", lambda: checkout)
    assert name_command() == named
    if not checkout:
        assert command_words() == [str(environment / "experiments")]
