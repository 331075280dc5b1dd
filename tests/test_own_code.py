import os
import sys
from pathlib import Path

import pytest

from experiments import own_code
from experiments.own_code import (
    admit_code,
    admit_code_of_parent,
    describe_variable,
    list_packages,
    own_folder,
)


@pytest.fixture(autouse=True)
def _own_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv(own_code._VARIABLE, "")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("mine", "tests", "json", "keras", "experiments", "a-b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").touch()
    (tmp_path / "plain").mkdir()
    (tmp_path / "single.py").touch()
    return tmp_path


def test_packages_are_those_that_may_hold_components(folder: Path) -> None:
    assert list_packages(folder) == ["mine"]


@pytest.mark.parametrize("name", ["mine", "mine.model", "single.build", "plain"])
def test_folder_is_looked_into_last_when_a_config_may_name_what_is_in_it(
    folder: Path, name: str
) -> None:
    admit_code(folder, ["experiments", name])
    assert sys.path[-1] == str(folder)
    assert own_folder() == folder
    assert describe_variable() == {own_code._VARIABLE: str(folder)}


@pytest.mark.parametrize("name", ["experiments", "keras.optimizers", "other"])
def test_folder_is_not_looked_into_for_anything_else(folder: Path, name: str) -> None:
    admit_code(folder, [name])
    assert str(folder) not in sys.path
    assert own_folder() is None
    assert describe_variable() == {}


def test_process_that_another_one_started_looks_there_too(folder: Path) -> None:
    os.environ[own_code._VARIABLE] = str(folder)
    admit_code_of_parent()
    admit_code_of_parent()
    assert sys.path.count(str(folder)) == 1
