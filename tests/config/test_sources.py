import inspect
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra._internal.config_repository import ConfigRepository
from omegaconf import OmegaConf

from experiments.config.sources import each_file_once


@pytest.fixture(autouse=True)
def _no_command_around(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = inspect.unwrap(ConfigRepository.load_config)
    monkeypatch.setattr(ConfigRepository, "load_config", plain)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Holds a config that a file of a group is part of."""
    (tmp_path / "model").mkdir()
    (tmp_path / "config.yaml").write_text("defaults: [model: small, _self_]\nseed: 1\n")
    (tmp_path / "model" / "small.yaml").write_text("depth: 18\n")
    return tmp_path


def read(folder: Path, *overrides: str) -> Any:
    with initialize_config_dir(str(folder), version_base="1.3"):
        return OmegaConf.to_container(compose("config", list(overrides)))


def test_a_file_that_is_edited_meanwhile_stays_what_it_was(folder: Path) -> None:
    with each_file_once():
        before = read(folder)
        (folder / "model" / "small.yaml").write_text("depth: 34\n")
        (folder / "config.yaml").write_text("seed: 2\n")
        assert read(folder) == before == {"model": {"depth": 18}, "seed": 1}


def test_a_file_is_read_anew_afterwards(folder: Path) -> None:
    with each_file_once():
        read(folder)
    (folder / "model" / "small.yaml").write_text("depth: 34\n")
    assert read(folder)["model"] == {"depth": 34}


def test_what_one_job_changes_is_not_in_the_next(folder: Path) -> None:
    with each_file_once():
        assert read(folder, "seed=2", "+model.width=8") == {
            "model": {"depth": 18, "width": 8},
            "seed": 2,
        }
        assert read(folder) == {"model": {"depth": 18}, "seed": 1}


def test_files_of_the_same_name_in_two_folders_are_two(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("other")
    (other / "config.yaml").write_text("seed: 3\n")
    with each_file_once():
        assert read(folder)["seed"] == 1
        assert read(other) == {"seed": 3}


def test_hydra_is_left_as_it_was() -> None:
    plain = ConfigRepository.load_config
    with each_file_once():
        assert ConfigRepository.load_config is not plain
    assert ConfigRepository.load_config is plain
