import json
from pathlib import Path

import pytest

from experiments.command.config_folders.trust import (
    distrust,
    is_trusted,
    settings_file,
    trust,
)
from experiments.errors import ExperimentError


@pytest.fixture(autouse=True)
def _own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    return folder


def test_nothing_is_trusted_unasked(folder: Path) -> None:
    assert not is_trusted(folder)


def test_trusted_folder_stays_so_whatever_is_in_it_and_by_every_way_to_it(
    folder: Path, tmp_path: Path
) -> None:
    trust(folder)
    (folder / "new.py").touch()
    (tmp_path / "link").symlink_to(folder)
    assert is_trusted(folder)
    assert is_trusted(tmp_path / "link")
    assert not is_trusted(tmp_path)
    assert not is_trusted(folder / "inside")


def test_trust_is_taken_back(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    trust(folder)
    trust(other)
    assert distrust(folder)
    assert not is_trusted(folder)
    assert is_trusted(other)
    assert not distrust(folder)


def test_another_folder_that_takes_the_place_of_a_trusted_one_is_not_trusted(
    folder: Path, tmp_path: Path
) -> None:
    trust(folder)
    folder.rename(tmp_path / "moved")  # which keeps its inode from being used again
    folder.mkdir()
    assert not is_trusted(folder)


@pytest.mark.parametrize(
    "content", ["", "[]", "{", '{"folders": []}', '{"folders": {"FOLDER": true}}']
)
def test_broken_settings_trust_nobody_and_can_be_mended(
    folder: Path, content: str
) -> None:
    settings_file().parent.mkdir(parents=True)
    settings_file().write_text(content.replace("FOLDER", str(folder)))
    assert not is_trusted(folder)
    trust(folder)
    assert is_trusted(folder)
    assert json.loads(settings_file().read_text())["version"] == 1


def test_settings_that_cannot_be_written_are_told(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "settings").touch()
    with pytest.raises(ExperimentError, match="XDG_CONFIG_HOME"):
        trust(folder)
