"""Whoever sets a seed gets its numbers, whatever is used of this package meanwhile."""

import random
import subprocess
import sys

import pytest

from experiments.randomness import keeping_randomness

# NumPy comes with the first job of a notebook that has not imported it.
_NUMPY_COMES = """
import sys
from experiments.randomness import keeping_randomness
assert "numpy" not in sys.modules
with keeping_randomness():
    import numpy
    numpy.random.seed(3)
assert numpy.random.random() != numpy.random.RandomState(3).random()
"""
_NAMES_ARE_USED = """
import random
import experiments
random.seed(5)
for name in ("compose", "load_run", "train"):
    getattr(experiments, name)
assert random.random() == random.Random(5).random()
"""


@pytest.mark.parametrize("script", [_NUMPY_COMES, _NAMES_ARE_USED])
def test_import_leaves_the_numbers_of_a_process(script: str) -> None:
    words = [sys.executable, "-c", script]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_numbers_that_a_block_draws_come_again_behind_it() -> None:
    import numpy as np

    random.seed(5)
    np.random.seed(5)
    with keeping_randomness():
        drawn = random.random(), np.random.random()
    assert (random.random(), np.random.random()) == drawn
