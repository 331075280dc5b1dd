"""A small model that was trained once for all tests of a module."""

from tests.api.conftest import config, place, result

__all__ = ["config", "place", "result"]
