"""What cannot be written is told, and nothing is left by asking."""

from pathlib import Path

import pytest

from experiments.disk_space import DiskSpace
from experiments.doctor.machine import check_machine, check_writable


def test_asking_leaves_nothing(tmp_path):
    assert check_writable("results", tmp_path / "not" / "there").level == "ok"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("what", "level"), [("results", "error"), ("cache", "warning")]
)
def test_a_folder_that_refuses(tmp_path, monkeypatch, what, level):
    def refuse(self, *_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "touch", refuse)
    found = check_writable(what, tmp_path)
    assert found.level == level
    assert "Permission denied" in found.told


def test_a_share_that_is_used_up(tmp_path):
    (tmp_path / "large").write_bytes(bytes(2_000_000))
    space = DiskSpace(folder=tmp_path, most_gb=0.001)
    levels = {
        one.told: one.level
        for one in check_machine(tmp_path, space)
        if "max_disk_gb" in one.told
    }
    assert list(levels.values()) == ["error"]
