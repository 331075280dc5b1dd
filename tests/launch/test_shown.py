"""Pages of flags are shown, and what is wrong with a flag, and nothing runs."""

import sys
from pathlib import Path
from typing import Any

import pytest

from experiments.launch import execution
from tests.conftest import CONF
from tests.launch.starting import WRONG, raising, refuse_to_run, start


@pytest.mark.parametrize(
    ("flags", "shown"),
    [
        (["--cfg", "job", "-p", "callbacks.timing"], "batch_size: ${trainer.batch_s"),
        (["--cfg", "job", "-p", "callbacks.timing", "--resolve"], "batch_size: 16\n"),
        (["--cfg", "job", "-p", "seed"], "5\n"),
        (["--cfg", "hydra", "-p", "hydra.overrides.task"], "- seed=5\n"),
        (["--cfg", "job", "-p", "_global_", "-m"], "model:\n"),
    ],
    ids=lambda value: " ".join(value),
)
def test_config_is_shown_without_running(
    capsys: pytest.CaptureFixture[str], flags: list[str], shown: str
) -> None:
    assert start(refuse_to_run, *flags, "seed=5") == 0
    assert shown in capsys.readouterr().out


def test_help_is_shown_without_running(
    plan: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start(refuse_to_run, "--help") == 0
    assert "seed: 5\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("flags", "line"),
    [
        (["-m", "--cfg", "hydra"], "Hydra shows this of a single run only: drop -m."),
        (["--cfg", "all", "--run"], "--run cannot go together with --cfg."),
        (["--resolve"], "--resolve needs --cfg, such as --cfg job --resolve."),
        (["--package", "a"], "--package needs --cfg, such as --cfg job --package"),
        (["--cfg", "job", "-p", "nope"], "--package names nothing: nope."),
        (["--cfg", "hydra", "-p", "hydra.nope"], "--package names nothing: hydra.nope"),
        (["--experimental-rerun", "a.pickle"], "--experimental-rerun is not supported"),
        (["--config-path", "a/config.yaml"], "--config-path must be a folder."),
        (["--config-path", "/nowhere"], "Primary config directory not found."),
        (["--config-dir", "/nowhere"], "--config-dir must be a folder."),
        (
            ["--config-name", "nope"],
            "--config-name names no file of the folders of configs. Received: 'nope'.",
        ),
        (
            ["--shell-completion", "nope=1"],
            "--shell-completion needs one of install=bash",
        ),
        (["--info", "defaults", "model=nope"], "model must be one of "),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_flag_is_honoured_or_refused_in_a_sentence(
    capsys: pytest.CaptureFixture[str], flags: list[str], line: str
) -> None:
    assert start(refuse_to_run, *flags) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert line in shown.err
    assert len(shown.err.splitlines()) == 2


@pytest.mark.parametrize(
    ("flags", "shown"),
    [
        (["--hydra-help"], "Hydra"),
        (["--info", "searchpath"], str(CONF)),
        (["--info", "defaults"], "model/resnet50"),
    ],
    ids=str,
)
def test_hydras_own_pages_need_no_good_config(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    flags: list[str],
    shown: str,
) -> None:
    monkeypatch.setattr(execution, "check", raising(WRONG))
    assert start(refuse_to_run, *flags) == 0
    assert shown in capsys.readouterr().out


@pytest.mark.parametrize("words", [["--help"], ["--cfg", "job"], ["--info", "all"]])
def test_page_that_a_full_disk_does_not_take_is_no_success(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
) -> None:
    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert start(refuse_to_run, *words) == 1
    told = "Standard output cannot be written: No space left on device."
    assert capsys.readouterr().err.startswith(told)
