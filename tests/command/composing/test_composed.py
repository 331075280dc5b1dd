"""Configs composed in Python are those of the command line, and disturb nobody."""

import threading
from pathlib import Path
from typing import Any

import pytest
import yaml
from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf

from experiments.command.composing.composed import check, compose
from experiments.config.validation import resolve
from experiments.errors import ConfigError
from tests.conftest import ROOT

EXAMPLE = ROOT / "examples" / "own_components" / "conf"
ALLOWED = "allowed_targets=[experiments,keras.optimizers,keras.callbacks,my_components]"
WORDS = ["experiment=cifar10_resnet18", "trainer.epochs=7", "seed=3"]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_config_is_what_the_command_line_would_run(check: Any) -> None:
    plan = check(*WORDS)
    config = compose(WORDS)
    assert config.run == plan.run
    assert config.data == resolve(plan.config)
    assert config.folder == plan.folder
    assert config.overrides == tuple(WORDS)
    assert config.choices["experiment"] == "cifar10_resnet18"
    assert not [group for group in config.choices if group.startswith("hydra/")]


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        compose(["model.dept=3", "optimizer.lr=fast", "trainer.epochs=0"])
    keys = [problem.key for problem in caught.value.problems]
    assert keys == ["model.dept", "optimizer.lr", "trainer.epochs"]


def test_what_would_not_be_used_is_refused() -> None:
    with pytest.raises(ConfigError, match="run_id"):
        compose(["run_id=abc"])


@pytest.mark.parametrize("word", ["hydra.mode=MULTIRUN", "seed=1,2"])
def test_sweep_is_refused(word: str) -> None:
    with pytest.raises(ConfigError):
        compose([word])


@pytest.mark.parametrize("function", [compose, check, compose().with_overrides])
def test_one_text_is_not_taken_for_a_list(function: Any) -> None:
    with pytest.raises(TypeError, match=r"Write \['seed=1'\]"):
        function("seed=1")


def test_check_returns_what_compose_raises() -> None:
    assert check(["seed=1"]) == []
    (problem,) = check(["trainer.epochs=0"])
    assert (problem.key, "Received: 0" in problem.message) == ("trainer.epochs", True)
    (unused,) = check(["run_id=abc"])
    assert unused.key == "run_id"


def test_check_looks_at_every_job_of_a_sweep() -> None:
    assert check(["seed=1,2"]) != []
    assert check(["seed=1,2"], multirun=True) == []
    (problem,) = check(["seed=1,2", "optimizer.lr=1e-3,-1"], multirun=True)
    assert problem.key == "optimizer.lr"


def test_own_folder_brings_its_choices_and_no_permission(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLE.parent))
    with pytest.raises(ConfigError, match="To build your own, add its package"):
        compose(["model=my_net"], config_dir=EXAMPLE)
    config = compose(["model=my_net", ALLOWED], config_dir=EXAMPLE)
    assert config.choices["model"] == "my_net"
    with pytest.raises(ConfigError, match=r"--config-dir must be a folder"):
        compose(config_dir="nowhere")


def test_hydra_of_a_notebook_goes_on_as_before(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("a: 1\n")
    with initialize_config_dir(str(tmp_path), version_base="1.2"):
        known, base = GlobalHydra.instance().hydra, _base()
        HydraConfig.instance().cfg = marked = OmegaConf.create({"hydra": {}})
        compose(["seed=1"]).with_overrides(["seed=2"])
        check(["trainer.epochs=0"])
        assert GlobalHydra.instance().hydra is known
        assert HydraConfig.instance().cfg is marked
        assert _base() == base
        assert hydra_compose("own") == {"a": 1}
    assert not GlobalHydra.instance().is_initialized()


def _base() -> Any:
    from hydra import version

    return version.getbase()


def test_changed_config_is_that_of_all_its_overrides() -> None:
    config = compose(["model=resnet18", "optimizer=adam", "optimizer.lr=1e-3"])
    changed = config.with_overrides(["optimizer=sgd", "seed=4"])
    words = ("model=resnet18", "optimizer.lr=1e-3", "optimizer=sgd", "seed=4")
    assert changed.overrides == words
    assert changed.run == compose(words).run
    assert config.run == compose(config.overrides).run  # as it was


def test_config_that_is_changed_is_made_of_the_files_as_they_were(
    tmp_path: Path,
) -> None:
    own = tmp_path / "own" / "schedule"
    own.mkdir(parents=True)
    text = (ROOT / "conf" / "schedule" / "cosine.yaml").read_text()
    (own / "mine.yaml").write_text(text)
    config = compose(["schedule=mine"], config_dir=tmp_path / "own")
    (own / "mine.yaml").write_text(text.replace("warmup_epochs:", "warm:"))
    assert config.with_overrides(["seed=1"]).run.schedule == config.run.schedule


def test_config_prints_as_the_yaml_of_all_its_keys() -> None:
    config = compose(["model=resnet18"])
    assert yaml.safe_load(str(config)) == config.data
    assert repr(config) == "compose(['model=resnet18'])"


def test_secrets_are_shown_nowhere() -> None:
    config = compose(["+tags.api_token=abc123xyz789"])
    assert config.run.tags["api_token"] == "abc123xyz789"
    assert "abc123xyz789" not in str(config) + repr(config)
    with pytest.raises(ConfigError) as caught:
        compose(["tracking.uri=ftp://h/?token=qwe456rty012", "trainer.epochs=0"])
    assert "qwe456rty012" not in str(caught.value)


def test_threads_compose_side_by_side() -> None:
    found: dict[int, int] = {}

    def work(number: int) -> None:
        found[number] = compose([f"seed={number}"]).run.seed

    threads = [threading.Thread(target=work, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {0: 0, 1: 1, 2: 2}
