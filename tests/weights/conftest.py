import keras
import numpy as np
import pytest


@pytest.fixture
def images() -> np.ndarray:
    """Four normalised images of 8 × 8 pixels."""
    return np.random.default_rng(1).normal(size=(4, 8, 8, 3)).astype("float32")


@pytest.fixture(autouse=True)
def seeded() -> None:
    keras.utils.set_random_seed(0)
