from pathlib import Path

import pytest

from experiments.errors import ExperimentError, Preempted
from experiments.workers.stop_file import forget_stop, read_reason, request_stop


def test_reason_is_that_of_whoever_stops_until_it_is_forgotten(tmp_path: Path) -> None:
    stop = tmp_path / "stop"
    assert read_reason(stop) is None
    request_stop(stop, Preempted("sweep.max_hours=2"))
    assert read_reason(stop) == "sweep.max_hours=2"
    forget_stop(stop)
    assert read_reason(stop) is None
    forget_stop(stop)


def test_what_somebody_else_wrote_moves_no_cursor(tmp_path: Path) -> None:
    stop = tmp_path / "stop"
    stop.write_bytes(b"a\x1b[2J\nb" + b"c" * 10**6)
    reason = read_reason(stop)
    assert reason is not None
    assert reason.startswith("a\\x1b[2J b")
    assert len(reason) < 250


def test_file_that_stays_is_told(tmp_path: Path) -> None:
    (tmp_path / "stop").mkdir()
    with pytest.raises(ExperimentError, match="cannot be removed"):
        forget_stop(tmp_path / "stop")
