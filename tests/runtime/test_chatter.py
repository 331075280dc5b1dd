"""What native libraries print is kept off the screen unless something fails."""

import logging
import os

import pytest

from experiments.errors import DeviceError
from experiments.runtime.chatter import without_chatter


def test_native_chatter_goes_to_the_log_and_to_the_screen_on_failure(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with without_chatter("Noise"):
        os.write(2, b"native noise\n")
    assert "native noise" not in capfd.readouterr().err
    assert "native noise" in caplog.text
    with pytest.raises(OSError, match="broken"), without_chatter("Noise"):
        _fail_noisily(OSError("broken"))
    assert "why it failed" in capfd.readouterr().err
    with pytest.raises(DeviceError), without_chatter("Noise"):
        _fail_noisily(DeviceError("explains itself"))
    assert "why it failed" not in capfd.readouterr().err


def _fail_noisily(error: Exception) -> None:
    os.write(2, b"why it failed\n")
    raise error
