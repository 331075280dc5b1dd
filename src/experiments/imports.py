"""Imports large libraries without what makes their imports slow."""

import contextlib
import gc
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def without_package(package: str) -> Iterator[None]:
    """Lets others be imported as if a package, itself not imported yet, were absent."""
    absent = package not in sys.modules
    if absent:
        sys.modules[package] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if absent:
            del sys.modules[package]


@contextlib.contextmanager
def without_collection() -> Iterator[None]:
    """Pauses the garbage collector; two threads may ask for it at once.

    An import makes objects by the hundred thousand and throws few away. Looking through
    them again and again is a fifth of the time that TensorFlow takes to import.
    """
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()
