"""What `docs/python.md`, the README and the docstrings show of Python is run."""

import doctest
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import experiments
from tests.conftest import ROOT
from tests.docs.pages import fenced_blocks

PAGE = ROOT / "docs" / "python.md"
_FLAGS = doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL
# What has an example: the functions, and classes of which a person makes objects.
_SHOWN = [
    *("build_dataset", "build_model", "build_pipelines", "check", "compose"),
    *("load_run", "train", "Config", "ExperimentHyperModel", "StatefulCallback"),
]

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.filterwarnings("ignore:.*does not apply to tf.data functions"),
]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def list_examples(name: str) -> Iterator[doctest.DocTest]:
    finder = doctest.DocTestFinder()
    for test in finder.find(getattr(experiments, name), name, globs={}):
        if test.examples:
            yield test


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("name", _SHOWN)
def test_example_of_a_docstring_gives_what_it_shows(name: str) -> None:
    tests = list(list_examples(name))
    assert tests
    for test in tests:
        runner = doctest.DocTestRunner(optionflags=_FLAGS)
        told: list[str] = []
        runner.run(test, out=told.append)
        assert not runner.failures, "".join(told)


def test_page_gives_what_it_shows(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    blocks = fenced_blocks(PAGE)
    for number, (language, content, _) in enumerate(blocks):
        if language != "python":
            continue
        capsys.readouterr()
        exec(compile(content, f"{PAGE.name}, block {number}", "exec"), names)
        following = blocks[number + 1 : number + 2]
        for kind, shown, gap in following:
            if kind == "text" and not gap.strip():
                assert capsys.readouterr().out == shown


def test_page_tells_of_every_name() -> None:
    text = PAGE.read_text()
    for name in experiments.__all__:
        assert name == "__version__" or re.search(rf"\b{name}\b", text), name


def test_script_of_the_readme_is_what_a_script_may_be(
    capsys: pytest.CaptureFixture[str],
) -> None:
    (script,) = [
        content
        for language, content, _ in fenced_blocks(ROOT / "README.md")
        if language == "python"
    ]
    short = script.replace('"trainer.epochs=3"', '"debug=one_step"')
    assert short != script
    exec(compile(short, "README.md", "exec"), {})
    assert "best epoch" in capsys.readouterr().out
