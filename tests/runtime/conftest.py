"""What the tests of devices and of the framework share."""

from typing import Any

import pytest

from experiments.runtime import devices


@pytest.fixture
def usable(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Lets the framework have so many GPUs, and their libraries lack one."""

    def usable(count: int) -> None:
        monkeypatch.setattr(devices, "count_gpus", lambda backend: count)
        missing = ("libcudnn.so.9 is missing", "To install it: pip install x")
        monkeypatch.setattr(devices, "explain_absence", lambda backend: missing)

    return usable
