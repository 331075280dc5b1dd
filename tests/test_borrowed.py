"""Each private name of a library that is used: it is there, and it is listed.

When an upgrade fails here, `experiments.borrowed` says what the name is for and what
to do without it.
"""

import ast
import importlib
import inspect
import pkgutil
import re
import textwrap
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import experiments
from experiments.borrowed import LOANS, Loan

ROOT = Path(experiments.__file__).parent
PRIVATE = re.compile(r"_(?!_)\w*(?<!_)")  # neither __init__ nor Hydra's _target_
PRIVATE_PATHS = ("keras.src", "tensorflow.python", "keras_tuner.src")
DOCUMENTED = {"_exit", "_fields"}  # of `os` and of named tuples
REFLECTIONS = {"getattr", "hasattr", "setattr", "delattr"}


@pytest.mark.parametrize("loan", LOANS, ids=lambda loan: loan.lender)
def test_a_borrowed_name_is_there(loan: Loan) -> None:
    lender = resolve(loan.lender)
    missing = [name for name in loan.names if not has(lender, name)]
    assert not missing, f"{loan.lender} has lost {missing}. {loan.way_out}"


@pytest.mark.parametrize("name", ["_surely_not_there", "surely_not_there"])
def test_a_name_that_is_not_there_is_missed(name: str) -> None:
    for loan in LOANS:
        assert not has(resolve(loan.lender), name)


def test_every_private_name_that_is_used_is_listed() -> None:
    used = {(module, name) for module in MODULES for name in find_uses(module)}
    assert sorted(used - list_loans()) == []


def test_every_private_name_that_a_class_of_ours_replaces_is_listed() -> None:
    replaced = {(module, name) for module in MODULES for name in find_replaced(module)}
    assert sorted(replaced - list_loans()) == []


@pytest.mark.parametrize("loan", LOANS, ids=lambda loan: loan.lender)
def test_nothing_is_listed_that_is_not_used(loan: Loan) -> None:
    words = {module: list_words(module) for module in loan.borrowers}
    idle = [module for module in loan.borrowers if not words[module] & {*loan.names}]
    assert not idle
    assert set(loan.names) <= set().union(*words.values())


@pytest.mark.parametrize(
    "text",
    [
        "model._loss",
        "super()._loss()",
        "from keras.src import backend as _loss",
        "import tensorflow.python._loss",
        "from hydra._internal import _loss",
        "getattr(model, '_loss')",
        "name = 'hydra._internal._loss'",
        "class A:\n  def __init__(self): self._b = 1\n  def f(self): self._loss",
    ],
)
def test_a_use_is_found(text: str) -> None:
    assert list(search_uses(ast.parse(text))) in (["_loss"], ["backend"])


@pytest.mark.parametrize(
    "text",
    [
        "class A:\n  def __init__(self): self._b = 1\n  def f(self): self._b",
        "class A:\n  _b: int\n  def f(self, other): other._b",
        "config.model._target_",
        "os._exit(1)",
        "import keras",
        "'A sentence. About hydra._internal and more.'",
    ],
)
def test_what_is_ours_or_documented_is_no_use(text: str) -> None:
    assert list(search_uses(ast.parse(text))) == []


# Our modules.


def list_modules() -> list[str]:
    """Returns the names of all modules of the project."""
    found = pkgutil.walk_packages([str(ROOT)], "experiments.")
    names = [module.name for module in found if not module.name.endswith("__main__")]
    return [name for name in names if name != "experiments.borrowed"]


MODULES = [name.removeprefix("experiments.") for name in list_modules()]


def list_loans() -> set[tuple[str, str]]:
    """Returns each borrower with each name that it may use."""
    return {
        (borrower, name)
        for loan in LOANS
        for borrower in loan.borrowers
        for name in (*loan.names, loan.lender.rpartition(".")[2])
    }


@cache
def parse(module: str) -> ast.Module:
    stem = ROOT.joinpath(*module.split("."))
    path = stem / "__init__.py" if stem.is_dir() else stem.with_suffix(".py")
    return ast.parse(path.read_text())


def find_uses(module: str) -> set[str]:
    return set(search_uses(parse(module)))


def search_uses(tree: ast.Module) -> Iterator[str]:
    """Yields the private names that code uses and does not define."""
    own = {name for node in ast.walk(tree) for name in defined_by(node)}
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=value, attr=name) if PRIVATE.fullmatch(name):
                inherited = ast.unparse(value) == "super()"
                if inherited or name not in own | DOCUMENTED:
                    yield name
            case ast.Call(func=ast.Name(id=function), args=[_, ast.Constant(name), *_]):
                if function in REFLECTIONS and PRIVATE.fullmatch(str(name)):
                    yield str(name)
            case ast.ImportFrom(module=str(place), names=aliases):
                yield from (a.name for a in aliases if is_private(f"{place}.{a.name}"))
            case ast.Import(names=aliases):
                yield from (last(a.name) for a in aliases if is_private(a.name))
            case ast.Constant(value=str(text)) if re.fullmatch(r"\w+(\.\w+)+", text):
                if is_private(text):
                    yield last(text)


def defined_by(node: ast.AST) -> Iterator[str]:
    match node:
        case (
            ast.FunctionDef(name=name)
            | ast.AsyncFunctionDef(name=name)
            | ast.ClassDef(name=name)
        ):
            yield name
        case ast.Attribute(value=ast.Name(id="self"), attr=name, ctx=ast.Store()):
            yield name
        case ast.Name(id=name, ctx=ast.Store()):
            yield name


def is_private(path: str) -> bool:
    parts = path.split(".")
    return path.startswith(PRIVATE_PATHS) or any(map(PRIVATE.fullmatch, parts))


def last(path: str) -> str:
    return path.rpartition(".")[2]


def list_words(module: str) -> set[str]:
    """Returns every name in a module, whatever it is there."""
    found: set[str] = set()
    for node in ast.walk(parse(module)):
        match node:
            case ast.Attribute(attr=name) | ast.Name(id=name) | ast.alias(name=name):
                found.add(name)
            case ast.FunctionDef(name=name) | ast.Constant(value=str(name)):
                found.add(last(name))
    return found


def find_replaced(module: str) -> set[str]:
    """Returns the private names of libraries' classes that ours define anew."""
    found = importlib.import_module(f"experiments.{module}")
    kinds = [kind for _, kind in inspect.getmembers(found, inspect.isclass)]
    return {
        name
        for kind in kinds
        if kind.__module__ == found.__name__
        for base in kind.__mro__
        if base.__module__.partition(".")[0] not in ("experiments", "typing")
        for name in names_of(kind) & names_of(base)
        if PRIVATE.fullmatch(name) and not name.startswith("_abc_")
    }


# What libraries have.


def resolve(path: str) -> Any:
    """Returns a module, or what a module has by the rest of a dotted path."""
    module, rest = path, []
    while module:
        try:
            found: Any = importlib.import_module(module)
        except ModuleNotFoundError:
            module, _, part = module.rpartition(".")
            rest.insert(0, part)
            continue
        for part in rest:
            found = getattr(found, part)
        return found
    raise ModuleNotFoundError(path)


def has(lender: Any, name: str) -> bool:
    """Tells whether a module, a class or an object of the class has a name."""
    if hasattr(lender, name):
        return True
    kinds = lender.__mro__ if inspect.isclass(lender) else ()
    return any(name in names_of(kind) for kind in kinds)


@cache
def names_of(kind: type) -> frozenset[str]:
    """Returns what a class defines, what it declares and what its objects get."""
    declared = {*vars(kind), *vars(kind).get("__annotations__", {})}
    try:
        source = textwrap.dedent(inspect.getsource(kind))
    except (OSError, TypeError):  # of C, or made at run time
        return frozenset(declared)
    nodes = ast.walk(ast.parse(source))
    return frozenset(declared.union(*map(defined_by, nodes)))
