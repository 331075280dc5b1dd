"""A parent run is recorded as the run of a job is."""

from tests.tracking.conftest import cache_folder
from tests.workers.conftest import make_sweep

__all__ = ["cache_folder", "make_sweep"]
