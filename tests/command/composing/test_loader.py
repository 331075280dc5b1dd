import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hydra._internal.utils import create_config_search_path
from hydra.errors import ConfigCompositionException, HydraException
from hydra.types import RunMode
from omegaconf import OmegaConf

from experiments.command.composing.composer import without_hydra
from experiments.command.composing.loader import open_hydra


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Holds a config that a file of a group is part of."""
    (tmp_path / "model").mkdir()
    (tmp_path / "config.yaml").write_text("defaults: [model: small, _self_]\nseed: 1\n")
    (tmp_path / "model" / "small.yaml").write_text("depth: 18\n")
    return tmp_path


@pytest.fixture
def read(folder: Path) -> Iterator[Any]:
    """Composes the configs of a folder, as one command does."""
    with open_hydra(create_config_search_path(str(folder))) as hydra:
        yield lambda *overrides: plain(hydra, *overrides)


def plain(hydra: Any, *overrides: str) -> Any:
    config = hydra.compose_config("config", list(overrides), RunMode.RUN)
    return OmegaConf.to_container(without_hydra(config))


def test_a_file_that_is_edited_meanwhile_stays_what_it_was(
    folder: Path, read: Any
) -> None:
    before = read()
    (folder / "model" / "small.yaml").write_text("depth: 34\n")
    (folder / "config.yaml").write_text("seed: 2\n")
    assert read() == before == {"model": {"depth": 18}, "seed": 1}


@pytest.mark.usefixtures("unshared_files")
def test_the_next_command_reads_a_file_anew(folder: Path, read: Any) -> None:
    read()
    (folder / "model" / "small.yaml").write_text("depth: 34\n")
    with open_hydra(create_config_search_path(str(folder))) as hydra:
        assert plain(hydra)["model"] == {"depth": 34}


def test_what_one_job_changes_is_not_in_the_next(read: Any) -> None:
    assert read("seed=2", "+model.width=8") == {
        "model": {"depth": 18, "width": 8},
        "seed": 2,
    }
    assert read() == {"model": {"depth": 18}, "seed": 1}


def test_files_of_the_same_name_in_two_folders_are_two(
    read: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("other")
    (other / "config.yaml").write_text("seed: 3\n")
    assert read()["seed"] == 1
    with open_hydra(create_config_search_path(str(other))) as hydra:
        assert plain(hydra) == {"seed": 3}


def test_a_worker_gets_what_was_read_and_not_the_other_jobs(folder: Path) -> None:
    with open_hydra(create_config_search_path(str(folder))) as hydra:
        loader = hydra.config_loader
        before = loader.load_configuration("config", ["seed=2"], RunMode.RUN)
        loader.remember(before, "config", ["seed=2"])
        data = pickle.dumps(loader)
        (folder / "model" / "small.yaml").write_text("depth: 34\n")
        worker = pickle.loads(data)
        assert worker._known == {}
        assert worker.load_configuration("config", ["seed=2"], RunMode.RUN) == before


def test_a_worker_leaves_out_what_the_check_has_left_out(folder: Path) -> None:
    job = ["seed=2", "model.dept=3", "model.width=9"]
    with open_hydra(create_config_search_path(str(folder))) as hydra:
        loader = hydra.config_loader
        with pytest.raises(HydraException, match="dept"):
            loader.load_configuration("config", job, RunMode.RUN)
        loader.left_out = frozenset(["model.dept=3", "model.width=9"])
        data = pickle.dumps(loader)
    config = pickle.loads(data).load_configuration("config", job, RunMode.RUN)
    assert (config.seed, "dept" in config.model) == (2, False)
    # What was typed is told whole: the job lays it over what it is made of.
    assert list(config.hydra.overrides.task) == job


def test_what_was_remembered_is_what_hydra_gets(folder: Path) -> None:
    with open_hydra(create_config_search_path(str(folder))) as hydra:
        loader = hydra.config_loader
        config = loader.load_configuration("config", ["seed=2"], RunMode.RUN)
        config.seed = 7  # as no composition would say
        loader.remember(config, "config", ["seed=2"])
        assert hydra.compose_config("config", ["seed=2"], RunMode.RUN).seed == 7
        assert hydra.compose_config("config", ["seed=3"], RunMode.RUN).seed == 3


def test_settings_are_in_each_config_unless_they_were_typed(folder: Path) -> None:
    with open_hydra(create_config_search_path(str(folder))) as hydra:
        hydra.config_loader.settings = {
            "hydra.run.dir": "/a",
            "hydra.job.env_set.A": "1",
        }
        typed = ["++hydra.job.env_set.A=2", "seed=3"]
        config = hydra.compose_config("config", typed, RunMode.RUN)
    assert (config.hydra.run.dir, config.hydra.job.env_set.A) == ("/a", "2")
    assert config.hydra.overrides.task == ["seed=3"]


@pytest.mark.parametrize(
    ("typed", "model"),
    [
        (["model=null"], None),
        (["model=null", "model=large"], "large"),
        (["model=large", "model=null"], None),
        (["model=large"], "large"),
    ],
    ids=str,
)
def test_null_means_no_file_of_a_group_and_the_last_choice_counts(
    folder: Path, typed: list[str], model: str | None
) -> None:
    (folder / "model" / "large.yaml").write_text("depth: 152\n")
    with open_hydra(create_config_search_path(str(folder))) as hydra:
        config = hydra.compose_config("config", typed, RunMode.RUN)
    assert config.hydra.runtime.choices.get("model") == model
    assert ("model" in config) == (model is not None)
    assert config.hydra.overrides.task[-1] == typed[-1]


def test_folder_that_hydra_would_warn_of_is_refused(folder: Path) -> None:
    words = ["hydra.searchpath=[file:///nowhere]"]
    with (
        open_hydra(create_config_search_path(str(folder))) as hydra,
        pytest.raises(ConfigCompositionException, match="path=/nowhere"),
    ):
        hydra.compose_config("config", words, RunMode.RUN)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("model=resnet18", "model=[resnet18]"),
        ("callbacks=default", "callbacks=[default]"),
    ],
)
def test_a_list_of_one_file_is_that_file(check: Any, one: str, other: str) -> None:
    first, second = check(one), check(other)
    assert second.config == first.config
    assert second.folder == first.folder
