"""Packages that only an extra of this project brings, and the command for it.

The one table of them: whoever needs such a package asks here before anything heavy
starts, and tells the command with its error.
"""

import importlib.util
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from experiments.config.code.programs import name_program
from experiments.counts import agree, join_words
from experiments.errors import Problem

# Name to import -> extra of pyproject.toml that brings it.
EXTRAS = {
    "ai_edge_litert": "export",
    "cleanlab": "audit",
    "imagehash": "audit",
    "datasets": "huggingface",
    "tensorflow_datasets": "tfds",
    "array_record": "tfds",
    "jax": "jax",
    "jax_plugins.xla_cuda12": "jax-cuda",
    "onnxruntime": "export",
    "tf2onnx": "export",
    "psycopg": "postgres",
    "nvidia": "gpu",  # TensorFlow's CUDA libraries
    "hydra_plugins.hydra_ray_launcher": "ray",
    "hydra_plugins.hydra_submitit_launcher": "slurm",
}
# Form of an exported model -> what writes and runs it beside TensorFlow.
_OF_FORMATS = {
    "onnx": ("onnxruntime", "tf2onnx"),
    "litert": ("ai_edge_litert",),
    "litert_int8": ("ai_edge_litert",),
}
# Beginning of the name of a launcher -> what it is made of.
_LAUNCHERS = {
    "ray": "hydra_plugins.hydra_ray_launcher",
    "submitit": "hydra_plugins.hydra_submitit_launcher",
}


def how_to_install(package: str) -> str:
    """Returns the command that installs a package of the table, as a sentence."""
    # `.` would be right in one folder only.
    project = Path(__file__).resolve().parents[4]
    words = [name_program("pip"), "install", "-e", f"{project}[{EXTRAS[package]}]"]
    return f"To install it: {shlex.join(words)}"


def is_installed(package: str) -> bool:
    """Tells whether a package can be imported, without doing so."""
    try:
        return importlib.util.find_spec(package) is not None
    except (ImportError, ValueError):  # its parent is absent, or it is half imported
        return False


def how_to_get_launcher(name: str) -> str:
    """Returns how to install a launcher of Hydra; empty for one of no extra.

    Args:
        name: As in `hydra/launcher=name`.
    """
    needed = (
        package for start, package in _LAUNCHERS.items() if name.startswith(start)
    )
    return next((how_to_install(package) for package in needed), "")


def check_audit() -> Iterator[Problem]:
    """Yields a problem when a package is absent without which nothing is audited."""
    absent = [name for name in ("cleanlab", "imagehash") if not is_installed(name)]
    if absent:
        verb = agree(len(absent), "is", "are")
        reason = f"cannot be audit: {join_words(absent)} {verb} not installed."
        yield Problem("task", reason, how_to_install(absent[0]))


def check_postgres() -> Iterator[Problem]:
    """Yields a problem when the package is absent that speaks to PostgreSQL."""
    if not is_installed("psycopg"):
        reason = "cannot be a PostgreSQL database: psycopg is not installed."
        yield Problem("uri", reason, how_to_install("psycopg"))


def check_packages(packages: Sequence[str]) -> Iterator[Problem]:
    """Yields a problem when a package is absent that a data set is read by.

    Args:
        packages: All that it needs.
    """
    absent = [name for name in packages if not is_installed(name)]
    if absent:
        verb = agree(len(absent), "is", "are")
        reason = f"cannot be read: {join_words(absent)} {verb} not installed."
        yield Problem("dataset", reason, how_to_install(absent[0]))


def check_export(formats: Sequence[str]) -> Iterator[Problem]:
    """Yields a problem when a package is absent that writes or runs a form."""
    needed = {name for form in formats for name in _OF_FORMATS.get(form, ())}
    if absent := sorted(name for name in needed if not is_installed(name)):
        verb = agree(len(absent), "is", "are")
        reason = f"cannot be {join_words(formats)}: {join_words(absent)} {verb} not "
        hint = how_to_install(absent[0])
        yield Problem("task.formats", f"{reason}installed.", hint)


def check_backend(backend: str) -> Iterator[Problem]:
    """Yields a problem when the package of a backend is not installed."""
    if backend == "jax" and not is_installed("jax"):
        reason = "cannot be jax: the package jax is not installed."
        yield Problem("backend", reason, how_to_install("jax"))
