"""One job runs in its folder, or its folder is shown."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from experiments.command.composing.loader import CheckedHydra
from experiments.jobs.job import JobResult
from experiments.launch import execution, single
from tests.launch.starting import do_nothing, raising, refuse_to_run, start


@pytest.mark.parametrize("code", [0, 1, 2])
def test_single_run_exits_with_the_code_of_its_job(plan: Any, code: int) -> None:
    def run(_: Any) -> None:
        folder = str(plan.folder)
        JobResult(name="a", status="FAILED", output_dir=folder, exit_code=code).save()

    assert start(run) == code


def test_run_that_left_no_result_has_failed(plan: Any) -> None:
    assert start(do_nothing) == 1


def test_hydra_runs_in_the_planned_folder_and_the_config_knows_nothing_of_it(
    plan: Any,
) -> None:
    seen: list[Any] = []

    def run(config: DictConfig) -> None:
        seen.append((config, HydraConfig.get().runtime.output_dir))
        assert list(HydraConfig.get().overrides.hydra) == []

    start(run)
    ((config, folder),) = seen
    assert folder == str(plan.folder)
    assert "hydra" not in config


def test_finished_run_is_shown_and_not_run_again(
    plan: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan.folder.mkdir()
    JobResult(name="a", status="FINISHED", output_dir=str(plan.folder)).save()
    shown: list[Any] = []
    monkeypatch.setattr(single, "show_stored", lambda *given: shown.append(given))
    assert start(refuse_to_run) == 0
    ((result, run),) = shown
    assert (result.name, run) == ("a", plan.run)


def test_fresh_run_gets_a_new_folder(plan: Any) -> None:
    plan.folder.mkdir()
    JobResult(name="a", status="FINISHED", output_dir=str(plan.folder)).save()
    plan.run.fresh = True
    seen: list[str] = []
    start(lambda _: seen.append(HydraConfig.get().runtime.output_dir))
    assert seen == [f"{plan.folder}-2"]


def test_what_no_memory_could_hold_is_refused_before_there_is_a_folder(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    words = ["model.width=60000", "gpu=cpu", "tracking=off"]
    assert start(refuse_to_run, f"output_dir={tmp_path / 'out'}", *words) == 2
    assert "The job has 1 problem:\n  - model would need about 247 TB of memory" in (
        capsys.readouterr().err
    )
    assert not (tmp_path / "out").exists()


def test_folder_with_an_impossible_name_is_one_sentence(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert start(refuse_to_run, f"output_dir={'a/' * 5000}") == 2
    assert "output_dir must not be longer than 4095 bytes" in capsys.readouterr().err


def test_folder_that_cannot_be_created_is_one_sentence(
    plan: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    plan.run.output_dir = str(tmp_path / "file")
    made = tmp_path / "it's here"
    monkeypatch.setattr(
        Path, "mkdir", raising(PermissionError(13, "Permission denied"))
    )
    for words in ([], ["-m"]):
        assert start(refuse_to_run, *words) == 2
        assert capsys.readouterr().err == (
            "The configuration has 1 problem:\n"
            "  - output_dir must be a folder that can "
            f"be written: {made} cannot be created (Permission denied). Received: "
            f"{tmp_path}/file. Name another one.\n"
        )


@pytest.mark.parametrize(
    ("folder", "obstacle"),
    [
        ("/dev/null/runs/a", "/dev/null is a device"),
        ("{}/file/runs/a", "{}/file is a file"),
        ("{}/link/runs/a", "{}/link is a link that leads nowhere"),
        ("/proc/runs/a", "/proc holds no files"),
        ("/sys/kernel/runs", "/sys holds no files"),
    ],
)
def test_place_that_is_no_folder_is_named(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    plan: Any,
    tmp_path: Path,
    folder: str,
    obstacle: str,
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "absent")
    plan.run.output_dir = "x"
    path = Path(folder.format(tmp_path))
    other = replace(execution.check(multirun=False), folder=path)
    monkeypatch.setattr(execution, "check", lambda *_, **__: other)
    assert start(refuse_to_run) == 2
    assert obstacle.format(tmp_path) in capsys.readouterr().err


def test_run_that_a_full_disk_does_not_show_succeeds_and_says_so(
    plan: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = "a line\n"
    monkeypatch.setattr(CheckedHydra, "run", lambda *_: print(shown))
    done = JobResult(name="a", status="FINISHED")
    monkeypatch.setattr(JobResult, "load", lambda _: done)
    monkeypatch.setattr(single, "stored_result", lambda *_: None)
    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert start(refuse_to_run) == 0
    assert capsys.readouterr().err == (
        "What was printed is not all there: No space left on device.\n"
    )
