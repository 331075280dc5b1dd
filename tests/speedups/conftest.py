"""What is computed faster is what the tests of models and training compute."""

from tests.models.conftest import seeded
from tests.training.conftest import dense_model

__all__ = ["dense_model", "seeded"]
