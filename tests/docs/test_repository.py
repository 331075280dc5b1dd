"""What the files beside the code say of the project is what the project says itself."""

import re
import tomllib
from typing import Any

import pytest
import yaml

import experiments
from tests.conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text())
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def supported_pythons() -> list[str]:
    """Returns the Pythons that `requires-python` lets in, such as `3.11`."""
    low, high = re.fullmatch(
        r">=3\.(\d+),<3\.(\d+)", PROJECT["requires-python"]
    ).groups()
    return [f"3.{minor}" for minor in range(int(low), int(high))]


def list_jobs() -> list[Any]:
    files = [yaml.safe_load(path.read_text()) for path in WORKFLOWS]
    return [job for content in files for job in content["jobs"].values()]


def list_steps() -> list[Any]:
    return [step for job in list_jobs() for step in job["steps"]]


def test_version_is_told_once() -> None:
    assert experiments.__version__ == PROJECT["version"] == CITATION["version"]


def test_licence_is_apache_2_0_everywhere() -> None:
    assert PROJECT["license"] == CITATION["license"] == "Apache-2.0"
    for name in PROJECT["license-files"]:
        head = " ".join((ROOT / name).read_text().split())
        assert head.startswith("Apache License Version 2.0, January 2004")


def test_classifiers_name_the_pythons_that_are_let_in() -> None:
    head = "Programming Language :: Python :: "
    named = [c.removeprefix(head) for c in PROJECT["classifiers"] if head in c]
    assert [version for version in named if "." in version] == supported_pythons()


def test_makefile_takes_the_pythons_that_are_let_in() -> None:
    makefile = (ROOT / "Makefile").read_text()
    (bounds,) = re.findall(r"\(3, (\d+)\) <= sys.* <= \(3, (\d+)\)", makefile)
    first, *_, last = supported_pythons()
    assert [f"3.{bound}" for bound in bounds] == [first, last]


@pytest.mark.parametrize("command", ["make check", "make test"])
def test_workflow_runs_a_command_on_each_python(command: str) -> None:
    tried = [
        job["strategy"]["matrix"]["python"]
        for job in list_jobs()
        if any(f"{step.get('run')} ".startswith(f"{command} ") for step in job["steps"])
    ]
    assert tried == [supported_pythons()]


def test_workflow_types_only_targets_of_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([\w-]+):", makefile, re.MULTILINE))
    typed = [step["run"] for step in list_steps() if "run" in step]
    assert typed
    for line in typed:
        make, target, *variables = line.split()
        assert make == "make"
        assert target in targets
        assert variables == ["PYTHON=python"]  # the one that was just set up


def test_actions_are_named_with_a_version() -> None:
    for action in (step["uses"] for step in list_steps() if "uses" in step):
        assert re.fullmatch(r"actions/[\w-]+@v\d+", action), action
