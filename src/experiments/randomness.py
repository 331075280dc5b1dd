"""The random numbers of a process, which belong to whoever has set their seed."""

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_NUMPYS = "numpy.random"


@contextmanager
def keeping_randomness() -> Iterator[None]:
    """Gives random numbers of Python and NumPy back, or as NumPy would have begun.

    Imports draw some too: Rich does so for each style that it makes.
    """
    python = random.getstate()
    numpy = sys.modules.get(_NUMPYS)
    state = None if numpy is None else numpy.get_state()
    try:
        yield
    finally:
        random.setstate(python)
        numpy = sys.modules.get(_NUMPYS)
        if state is not None and numpy is not None:
            numpy.set_state(state)
        elif numpy is not None:
            numpy.seed()
