"""No import waits inside a function because it would go in a circle at the top.

One inside a function is there because what it imports is heavy, or seldom needed.
"""

import ast
import pkgutil
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import pytest

import experiments

ROOT = Path(experiments.__file__).parent
Graph = dict[str, set[str]]


def test_an_import_inside_a_function_hides_no_circle() -> None:
    sources = read_sources()
    assert list(find_hidden_circles(sources)) == []


def test_a_hidden_circle_is_found() -> None:
    sources = {
        "a": "import b",
        "b": "from c import d",
        "c": "def d():\n    import a",
        "e": "def f():\n    import a",
    }
    assert list(find_hidden_circles(sources)) == ["c > a > b > c"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import a.b", {"a.b"}),
        ("from a import b", {"a", "a.b"}),
        ("from a.b import some_function", {"a.b"}),
        ("if TYPE_CHECKING:\n    import a.b", set()),
        ("try:\n    import a.b\nexcept ImportError:\n    pass", {"a.b"}),
        ("def f():\n    import a.b", set()),
    ],
)
def test_what_an_import_names(text: str, expected: set[str]) -> None:
    assert set(list_imports(ast.parse(text).body, {"a", "a.b"})) == expected


def read_sources() -> dict[str, str]:
    """Returns module -> source of the whole project."""
    found = {"experiments": (ROOT / "__init__.py").read_text()}
    for module in pkgutil.walk_packages([str(ROOT)], "experiments."):
        stem = ROOT.joinpath(*module.name.split(".")[1:])
        path = stem / "__init__.py" if module.ispkg else stem.with_suffix(".py")
        found[module.name] = path.read_text()
    return found


def find_hidden_circles(sources: dict[str, str]) -> Iterator[str]:
    trees = {name: ast.parse(text) for name, text in sources.items()}
    known = set(trees)
    graph = {name: set(list_imports(t.body, known)) for name, t in trees.items()}
    for name, tree in trees.items():
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef):
                for target in sorted(set(list_imports(function.body, known))):
                    if name != target and (way := find_way(target, name, graph)):
                        yield " > ".join([name, *way])


def list_imports(body: list[ast.stmt], known: set[str]) -> Iterator[str]:
    """Yields the modules that statements import when they are executed."""
    for node in body:
        match node:
            case ast.Import(names=names):
                yield from (a.name for a in names if a.name in known)
            case ast.ImportFrom(module=str(place), names=names):
                found = [place, *(f"{place}.{alias.name}" for alias in names)]
                yield from (name for name in found if name in known)
            case ast.If(test=ast.Name(id="TYPE_CHECKING")) | ast.FunctionDef():
                pass
            case _:
                for field in ("body", "orelse", "finalbody", "handlers"):
                    yield from list_imports(getattr(node, field, []), known)


def find_way(start: str, end: str, graph: Graph) -> list[str]:
    """Returns a shortest chain of imports from one module to another, if any leads."""
    ways = {start: [start]}
    waiting = deque([start])
    while waiting:
        name = waiting.popleft()
        for other in sorted(graph[name] - ways.keys()):
            ways[other] = [*ways[name], other]
            waiting.append(other)
    return ways.get(end, [])
