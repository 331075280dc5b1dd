"""A parent run is recorded as the run of a job is."""

from tests.tracking.conftest import cache_folder

__all__ = ["cache_folder"]
