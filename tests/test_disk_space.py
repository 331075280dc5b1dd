import errno
import os
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from experiments.disk_space import DiskSpace, NoRoomError, is_full, measure_tree

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    """An output folder with two million bytes in it."""
    (tmp_path / "runs" / "a").mkdir(parents=True)
    (tmp_path / "runs" / "a" / "state").write_bytes(bytes(1_500_000))
    (tmp_path / "mlflow.db").write_bytes(bytes(500_000))
    return tmp_path


def leave_free(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda place: Usage(9e9, 1, free))


def test_all_files_below_count_and_links_do_not(outputs: Path) -> None:
    os.symlink(__file__, outputs / "link")  # noqa: PTH211
    assert measure_tree(outputs) == 2_000_000 + len(__file__)


@pytest.mark.parametrize(("free", "fits"), [(6_000_000, True), (5_999_999, False)])
def test_what_a_disk_has_free_is_enough_with_a_rest(
    outputs: Path, monkeypatch: pytest.MonkeyPatch, free: int, fits: bool
) -> None:
    leave_free(monkeypatch, free)
    space = DiskSpace(folder=outputs)
    if fits:
        space.require(5_000_000, outputs)
        return
    with pytest.raises(NoRoomError) as caught:
        space.require(5_000_000, outputs)
    assert str(caught.value) == f"{outputs} has 6 MB free, and 5 MB are needed"
    assert is_full(caught.value)


@pytest.mark.parametrize(("most_gb", "fits"), [(0.007, True), (0.0069, False)])
def test_an_output_folder_takes_no_more_than_it_may(
    outputs: Path, most_gb: float, fits: bool
) -> None:
    space = DiskSpace(folder=outputs, most_gb=most_gb)
    if fits:
        space.require(5_000_000, outputs)
        return
    with pytest.raises(NoRoomError) as caught:
        space.require(5_000_000, outputs)
    assert str(caught.value) == (
        f"{outputs} takes 2 MB of max_disk_gb=0.0069, and 5 MB are needed"
    )


def test_nothing_is_started_where_there_is_no_room(outputs: Path) -> None:
    assert DiskSpace(folder=outputs).find_obstacle() is None
    full = DiskSpace(folder=outputs, most_gb=0.002).find_obstacle()
    assert full is not None
    assert str(full).startswith(f"want of room: {outputs} takes 2 MB")
    assert full.advice == "Make room, or allow more; then the same command continues."


def test_a_folder_that_is_gone_is_no_want_of_room(tmp_path: Path) -> None:
    assert DiskSpace(folder=tmp_path / "gone").find_obstacle() is None


@pytest.mark.parametrize(
    ("number", "full"),
    [(errno.ENOSPC, True), (errno.EDQUOT, True), (errno.EROFS, False)],
)
def test_a_full_disk_and_a_quota_may_have_room_again(number: int, full: bool) -> None:
    assert is_full(OSError(number, "no")) == full
