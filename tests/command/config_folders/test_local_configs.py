"""Configs beside which a command was typed, by the command itself."""

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from experiments import launch
from experiments.command.config_folders.trust import trust
from experiments.jobs import running
from experiments.launch import processes
from tests.conftest import CONF

assert running  # knows `${job_folder:}`, as in `run.py`
MODEL = "_target_: {0}.build\nwidth: 16\n"
FIRST = """
# @package _global_
defaults: [override /model: mine]
trainer: {{epochs: 7}}
{0}
"""
Shown = Callable[..., Any]


@pytest.fixture(autouse=True)
def _own_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    monkeypatch.setenv(processes.SAFE_PATH_VARIABLE, "")
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, getattr(sys, name))
        monkeypatch.setattr(sys, f"__{name}__", getattr(sys, name))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a package `mine` and configs that name it."""
    folder = tmp_path / "project"
    write(folder, "mine/__init__.py", "raise SystemExit('imported')")
    write(folder, "conf/model/mine.yaml", MODEL.format("mine"))
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def shown(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shown:
    """The config of a command line, or what is said when it is refused."""

    def show(*words: str) -> Any:
        monkeypatch.setattr(sys, "argv", ["experiments", "--cfg", "job", *words])
        code = launch.main(lambda _: None, config_path=str(CONF))
        output = capsys.readouterr()
        assert (code == 0) is (output.err == "")
        return output.err or OmegaConf.create(output.out)

    return show


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)


def test_file_beside_is_a_new_option(folder: Path, shown: Shown) -> None:
    write(folder, "conf/trainer/long.yaml", "defaults: [default]\nepochs: 99\n")
    assert shown("trainer=long").trainer.epochs == 99


def test_file_of_a_shipped_name_replaces_it_and_the_others_stay(
    folder: Path, shown: Shown
) -> None:
    adam = (CONF / "optimizer/adam.yaml").read_text()
    write(folder, "conf/optimizer/adam.yaml", adam + "clip_norm: 0.25\n")
    assert shown().optimizer.clip_norm == 0.25
    assert shown("optimizer=sgd").optimizer.momentum == 0.9


def test_config_dir_that_is_typed_adds_files_and_replaces_none(
    folder: Path, shown: Shown
) -> None:
    for name, epochs in (("conf/trainer/long", 98), ("typed/trainer/long", 99)):
        write(folder, f"{name}.yaml", f"defaults: [default]\nepochs: {epochs}\n")
    write(folder, "typed/trainer/short.yaml", "defaults: [default]\nepochs: 97\n")
    assert shown("--config-dir", "typed", "trainer=long").trainer.epochs == 98
    assert shown("--config-dir", "typed", "trainer=short").trainer.epochs == 97


def test_folder_without_configs_changes_nothing(
    tmp_path: Path, shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    plain = shown()
    (tmp_path / "conf").mkdir()
    assert shown() == plain


def test_primary_config_is_not_replaced_unless_it_is_named(
    folder: Path, shown: Shown
) -> None:
    write(folder, "conf/config.yaml", "seed: 3\n")
    assert "conf/config.yaml would replace the whole configuration" in shown()
    (folder / "conf/config.yaml").rename(folder / "conf/other.yaml")
    other = (CONF / "config.yaml").read_text().replace("seed: 0", "seed: 3")
    write(folder, "conf/other.yaml", other)
    trust(folder)
    assert shown("--config-name", "other").seed == 3


def test_copy_of_the_shipped_configs_may_stand_beside(
    tmp_path: Path, shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(CONF, tmp_path / "conf")
    monkeypatch.chdir(tmp_path)
    assert shown().model.depth == 50


def test_own_model_runs_only_in_a_trusted_folder_and_is_not_imported_to_check_it(
    folder: Path, shown: Shown
) -> None:
    refused = shown("model=mine")
    assert "model._target_ must begin with one of experiments" in refused
    assert refused.endswith("may run, type: experiments trust\n")
    trust(folder)
    config = shown("model=mine")
    assert config.model._target_ == "mine.build"
    assert config.allowed_targets[-1] == "mine"


def test_typed_list_of_what_may_be_called_is_not_widened(
    folder: Path, shown: Shown
) -> None:
    trust(folder)
    assert "model._target_" in shown("model=mine", "allowed_targets=[experiments]")


def test_trusted_folder_counts_as_the_project_own(folder: Path, shown: Shown) -> None:
    first = FIRST.format(
        "allowed_targets: [experiments, keras, other]\noutput_dir: /x\n"
    )
    write(folder, "conf/experiment/first.yaml", first)
    refused = shown("experiment=first", "model=resnet18")
    assert "allowed_targets may be widened" in refused
    trust(folder)
    config = shown("experiment=first", "model=resnet18")
    assert config.allowed_targets == ["experiments", "keras", "other", "mine"]
    assert (config.trainer.epochs, config.output_dir) == (7, "/x")


LEADING_OUT = {
    "output_dir": "output_dir: /elsewhere",
    "tracking.uri": "tracking: {uri: 'http://elsewhere'}",
    "hydra.run": "hydra: {run: {dir: '/elsewhere/${hydra.job.name}'}}",
    "hydra.output_subdir": "hydra: {output_subdir: ../../elsewhere}",
    "hydra.job_logging": "hydra: {job_logging: {root: {level: DEBUG}}}",
    "hydra.callbacks": "hydra: {callbacks: {log: {_target_: a.b}}}",
    "tracking": "tracking: ${tags}\ntags: {uri: 'http://elsewhere'}",
}

# What a file has a sweep set counts as typed for its jobs.
SWEPT = {
    "output_dir": "sweep: {zip: {output_dir: [/elsewhere]}}",
    "tracking.uri": "sweep: {list: [{seed: 1}, {+tracking.uri: 'http://elsewhere'}]}",
    "task.uri": "hydra: {sweeper: {params: {task.uri: 'http://elsewhere'}}}",
    "hydra.callbacks": "sweep: {zip: '${tags}'}",
}


@pytest.mark.parametrize("key", SWEPT)
def test_untrusted_folder_has_no_sweep_say_it_either(
    folder: Path, shown: Shown, key: str
) -> None:
    text = f"# @package _global_\n{SWEPT[key]}\n"
    write(folder, "conf/experiment/first.yaml", text)
    refused = shown("-m", "experiment=first", "seed=1,2")
    assert f"{key} is set by" in refused
    assert "may not say where files and records go" in refused


@pytest.mark.parametrize("key", LEADING_OUT)
def test_untrusted_folder_does_not_say_where_files_and_records_go(
    folder: Path, shown: Shown, key: str
) -> None:
    text = f"# @package _global_\n{LEADING_OUT[key]}\n"
    write(folder, "conf/experiment/first.yaml", text)
    refused = shown("experiment=first")
    assert f"{key} is set by" in refused or f"- {key}." in refused
    assert "may not say where files and records go" in refused


def test_typed_place_is_the_users_word(folder: Path, shown: Shown) -> None:
    text = "# @package _global_\noutput_dir: /elsewhere\n"
    write(folder, "conf/experiment/first.yaml", text)
    assert shown("experiment=first", "output_dir=mine").output_dir == "mine"


def test_untrusted_folder_sets_no_environment(folder: Path, shown: Shown) -> None:
    text = "# @package _global_\nhydra: {job: {env_set: {LD_PRELOAD: /x.so}}}\n"
    write(folder, "conf/experiment/first.yaml", text)
    assert "hydra.job.env_set.LD_PRELOAD is set by" in shown("experiment=first")


def test_folder_that_cannot_be_trusted_by_a_broken_memory_is_not(
    folder: Path, shown: Shown, tmp_path: Path
) -> None:
    trust(folder)
    memory = tmp_path / "settings/experiments/trusted.json"
    known = json.loads(memory.read_text())
    known["folders"] = dict.fromkeys(known["folders"], 1)
    memory.write_text(json.dumps(known))
    assert "model._target_" in shown("model=mine")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_folder_that_cannot_be_read_is_told(folder: Path, shown: Shown) -> None:
    (folder / "conf").chmod(0)
    assert "conf/ cannot be read" in shown()
    (folder / "conf").chmod(0o700)
