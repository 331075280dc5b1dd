"""`import experiments` offers what docs/python.md lists, and costs nothing."""

import json
import subprocess
import sys

import pytest

import experiments
from experiments.errors import ConfigError, ExperimentError
from tests.conftest import ROOT
from tests.warm import run_to_the_end

_LOADED = """
import json, sys
before = set(sys.modules)
import experiments
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def test_importing_the_package_imports_nothing_else_of_it() -> None:
    args = [sys.executable, "-c", _LOADED]
    shown = run_to_the_end(args, cold=True, cwd=ROOT / "src", timeout=60)
    assert shown.returncode == 0, shown.stderr
    loaded = json.loads(shown.stdout)
    foreign = [n for n in loaded if n.partition(".")[0] not in sys.stdlib_module_names]
    assert foreign == ["experiments", "experiments.version"]


@pytest.mark.parametrize("name", experiments.__all__)
def test_each_public_name_is_found_and_listed(name: str) -> None:
    assert getattr(experiments, name) is not None
    assert name in dir(experiments)


def test_public_names_are_those_that_are_imported_at_their_first_use() -> None:
    assert {*experiments._PLACES, "__version__"} == {*experiments.__all__}
    assert list(experiments.__all__) == sorted(experiments.__all__)


def test_type_checkers_see_the_same_names() -> None:
    text = (ROOT / "src" / "experiments" / "__init__.py").read_text()
    seen: dict[str, object] = {}
    block = text.partition("if TYPE_CHECKING:\n")[2].partition("\n\n#")[0]
    exec("if True:\n" + block, seen)
    assert {name for name in seen if name != "__builtins__"} == {*experiments._PLACES}
    for name in experiments._PLACES:
        assert seen[name] is getattr(experiments, name)


def test_unknown_name_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'trian'"):
        experiments.trian  # noqa: B018


def test_errors_that_it_raises_are_offered() -> None:
    assert experiments.ConfigError is ConfigError
    assert experiments.ExperimentError is ExperimentError


@pytest.mark.slow
def test_strict_type_check_of_a_users_script_passes(tmp_path: object) -> None:
    script = ROOT / "tests" / "api" / "user_script.py"
    shown = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", str(script)],
        capture_output=True,
        text=True,
        cwd=str(tmp_path),
        check=False,
    )
    assert shown.returncode == 0, shown.stdout + shown.stderr
