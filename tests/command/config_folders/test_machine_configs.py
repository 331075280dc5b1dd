"""The configs of a machine, by the commands of which they are a part."""

import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import setuptools
from omegaconf import OmegaConf
from setuptools.dist import Distribution

from experiments import launch
from experiments.command.config_folders.machine_configs import (
    list_choices,
    remember_set,
)
from experiments.command.config_folders.trust import trust
from experiments.command.printed import describe_output, describe_store
from experiments.jobs import running
from experiments.launch import command_line, processes
from tests.conftest import CONF, ROOT

assert running  # knows `${job_folder:}`, as in `run.py`
MACHINE = """
# @package _global_
defaults:
  - override /tracking: server
  - override /hydra/launcher: joblib
output_dir: /data/outputs
tracking:
  uri: http://records:5000
tags: {api_token: hunter22hunter}
hydra:
  launcher:
    n_jobs: 3
"""
SMALL = ("model=resnet20_cifar", "dataset=synthetic_small")
Typed = Callable[..., str]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that its user trusts, with the configs of this machine in it."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    for name in (processes.SAFE_PATH_VARIABLE, processes.PROCESS_VARIABLE):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv(processes.SCRIPT_VARIABLE, "experiments")
    monkeypatch.setenv("EXPERIMENTS_LOCAL_KEYS", "")
    folder = tmp_path / "project"
    write(folder / "conf" / "local" / "default.yaml", MACHINE)
    trust(folder)
    monkeypatch.chdir(folder)
    return folder


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.lstrip())


@pytest.fixture
def typed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Typed:
    """What a command line shows."""
    monkeypatch.setattr(command_line, "guard_screen", lambda: None)

    def run(*words: str) -> str:
        monkeypatch.setattr(sys, "argv", ["experiments", *words])
        launch.main(lambda _: None, config_path=str(CONF))
        output = capsys.readouterr()
        return output.out + output.err

    return run


def config(typed: Typed, *words: str) -> Any:
    return OmegaConf.create(typed("--cfg", "job", *words))


def test_what_belongs_to_the_machine_is_part_of_every_command(
    folder: Path, typed: Typed
) -> None:
    found = config(typed, "experiment=cifar10_resnet18")
    assert found.output_dir == "/data/outputs"
    assert found.tracking.uri == "http://records:5000"


def test_what_is_typed_wins_and_null_leaves_it_out(folder: Path, typed: Typed) -> None:
    assert config(typed, "output_dir=here").output_dir == "here"
    assert config(typed, "local=null").output_dir == "outputs"


def test_what_it_set_is_said_without_secrets(folder: Path, typed: Typed) -> None:
    output = typed(*SMALL, "plan=true", "output_dir=here")
    (line,) = [line for line in output.splitlines() if line.startswith("machine ")]
    assert "conf/local/default.yaml: tracking=server, hydra/launcher=joblib" in line
    assert "output_dir=/data/outputs" in line
    assert "hydra.launcher.n_jobs=3" in line
    assert "hunter22" not in output
    assert "configs     of conf/" not in output


def test_a_job_is_the_same_one_on_each_machine(folder: Path, typed: Typed) -> None:
    def name(*words: str) -> str:
        lines = typed(*SMALL, "plan=true", "output_dir=here", *words).splitlines()
        return next(line for line in lines if line.startswith("  resnet20"))

    assert name() == name("local=null")
    write(folder / "conf" / "local" / "other.yaml", "# @package _global_\nseed: 3\n")
    assert name("local=other") != name()


def test_another_machine_is_chosen_by_its_name(folder: Path, typed: Typed) -> None:
    text = "# @package _global_\noutput_dir: /scratch\n"
    write(folder / "conf" / "local" / "cluster.yaml", text)
    assert config(typed, "local=cluster").output_dir == "/scratch"
    refused = typed("local=clustre")
    assert "local must be one of cluster, default." in refused
    assert "Did you mean `cluster`?" in refused


def test_a_folder_that_nobody_trusts_has_no_say(
    folder: Path, typed: Typed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "nobody"))
    refused = typed(*SMALL, "plan=true")
    assert "output_dir is set by" in refused
    assert "nobody has trusted that folder" in refused


def test_a_folder_of_configs_from_elsewhere_has_no_say_unasked(
    typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is added for its experiments; nobody has typed `local=...`."""
    monkeypatch.chdir(tmp_path)
    theirs = tmp_path / "theirs"
    text = "# @package _global_\noutput_dir: /elsewhere\n"
    write(theirs / "local" / "default.yaml", text)
    refused = typed("--config-dir", str(theirs), "--cfg", "job")
    assert "output_dir is set by" in refused
    asked = config(typed, "--config-dir", str(theirs), "local=default")
    assert asked.output_dir == "/elsewhere"


def test_commands_that_are_printed_say_what_the_machine_would_change(
    folder: Path,
) -> None:
    assert describe_output("outputs") == describe_store(None) == []
    remember_set(["output_dir", "tracking.uri"])
    assert describe_output("outputs") == [f"output_dir={folder / 'outputs'}"]
    assert describe_store(None) == ["tracking=sqlite"]
    assert describe_store(None, "task.uri") == []


def test_no_wheel_takes_them_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("conf/config.yaml", "conf/local/default.yaml"):
        write(tmp_path / name, "a: 1")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(setuptools, "setup", lambda **_: None)
    build = runpy.run_path(str(ROOT / "setup.py"))["BuildWithFiles"](Distribution())
    build.build_lib = "build"
    assert [str(source) for source, _ in build._list_shipped()] == ["conf/config.yaml"]


def test_choice_is_told_of_where_there_is_its_file(tmp_path: Path) -> None:
    """Every command names `local: default`; hardly any machine has such a file."""
    choices = {"model": "resnet18", "debug": None, "local": "default"}
    sources = [
        SimpleNamespace(schema="pkg", path="hydra.conf"),
        SimpleNamespace(schema="file", path=str(tmp_path)),
        SimpleNamespace(schema="structured", path=""),
    ]
    runtime = SimpleNamespace(choices=choices, config_sources=sources)
    assert list_choices(runtime) == {"model": "resnet18"}
    write(tmp_path / "local" / "default.yaml", "seed: 1")
    assert list_choices(runtime) == {"model": "resnet18", "local": "default"}
