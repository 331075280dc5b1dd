import gc
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hydra._internal.config_repository import ConfigRepository
from hydra._internal.hydra import Hydra
from hydra._internal.utils import get_args_parser
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from experiments import launch
from experiments.config.job import JobResult
from experiments.config.preflight import Plan
from experiments.errors import (
    ConfigError,
    DataError,
    ExperimentError,
    Preempted,
    Problem,
    RestartNeeded,
)
from experiments.folders import claim_folder
from tests.conftest import CONF

WRONG = ConfigError([Problem("seed", "is missing.")])


@pytest.fixture(autouse=True)
def _own_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gives back the command line that `main` changes."""
    monkeypatch.setattr(sys, "argv", ["run.py"])


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The plan that checking any command line gives."""
    config = OmegaConf.create({"seed": 5, "copy": "${seed}"})
    plan = Plan(
        run=SimpleNamespace(fresh=False, sweep=None, task=None),  # type: ignore[arg-type]
        config=config,
        folder=tmp_path / "it's here",
        overrides=(),
        jobs=(),
        job_folders=(),
        swept_keys=("model", "seed"),
    )
    monkeypatch.setattr(launch, "check_command_line", lambda *_, **__: plan)
    return plan


def start(run: Callable[[], Any], *arguments: str) -> int:
    sys.argv = ["run.py", *arguments]
    return launch.main(run, config_dir=CONF)


def refuse_to_run() -> None:
    pytest.fail("nothing may run")


def raising(error: BaseException) -> Callable[..., Any]:
    def run(*_: Any, **__: Any) -> None:
        raise error

    return run


def unquote(override: str) -> tuple[str, Any]:
    parsed = OverridesParser.create().parse_override(override)
    return parsed.key_or_group, parsed.value()


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (WRONG, 2, "The configuration has 1 problem:\n  - seed is missing.\n"),
        (DataError("No file."), 1, "No file.\n"),
        (KeyboardInterrupt(), 130, "Stopped by Ctrl-C.\n"),
        (Preempted("SIGTERM"), 75, "Stopped by SIGTERM. The same command continues.\n"),
    ],
)
@pytest.mark.parametrize("place", ["check", "run"])
def test_exit_code_and_message_tell_why_it_ended(
    plan: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    place: str,
    error: BaseException,
    code: int,
    line: str,
) -> None:
    if place == "check":
        monkeypatch.setattr(launch, "check_command_line", raising(error))
    run = refuse_to_run if place == "check" else raising(error)
    assert start(run) == code
    assert capsys.readouterr() == ("", line)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR2])
def test_signal_stops_what_runs_with_the_code_of_a_temporary_failure(
    plan: Any, number: int
) -> None:
    handler = signal.getsignal(number)
    assert start(lambda: signal.raise_signal(number)) == 75
    assert signal.getsignal(number) is handler


def test_command_line_is_checked_as_it_was_typed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen: list[Any] = []

    def check(overrides: list[str], **options: Any) -> None:
        seen.append((overrides, options))
        raise WRONG

    monkeypatch.setattr(launch, "check_command_line", check)
    start(refuse_to_run, "-m", f"--config-dir={tmp_path}", "seed=1,2", "model=a")
    start(refuse_to_run, "--config-name=other")
    options = {"config_dir": CONF, "config_name": "config", "multirun": True}
    assert seen == [
        (["seed=1,2", "model=a"], {**options, "extra_config_dir": tmp_path}),
        (
            [],
            {
                "config_dir": CONF,
                "config_name": "other",
                "multirun": False,
                "extra_config_dir": None,
            },
        ),
    ]


@pytest.mark.parametrize("code", [0, 1, 2])
def test_single_run_exits_with_the_code_of_its_job(plan: Any, code: int) -> None:
    def run() -> None:
        folder = str(plan.folder)
        JobResult(name="a", status="FAILED", output_dir=folder, exit_code=code).save()

    assert start(run) == code


def test_run_that_left_no_result_has_failed(plan: Any) -> None:
    assert start(lambda: None) == 1


def test_hydra_is_told_the_planned_folder(plan: Any) -> None:
    start(lambda: None, "seed=1")
    assert sys.argv[:2] == ["run.py", "seed=1"]
    assert unquote(sys.argv[2]) == ("hydra.run.dir", str(plan.folder))


def test_the_end_of_a_command_collects_no_garbage(
    plan: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_the_end: list[Any] = []
    monkeypatch.setattr(launch.atexit, "register", at_the_end.append)
    start(lambda: None, "seed=1")
    assert at_the_end == [gc.freeze]


def test_a_job_is_composed_from_the_files_that_were_checked(
    plan: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = ConfigRepository.load_config

    def look(*_: Any, **__: Any) -> Any:
        seen.append(ConfigRepository.load_config)
        return plan

    seen: list[Any] = []
    monkeypatch.setattr(launch, "check_command_line", look)
    start(lambda: seen.append(ConfigRepository.load_config), "seed=1")
    checked, run = seen
    assert checked is run is not plain
    assert ConfigRepository.load_config is plain


@pytest.mark.parametrize(
    "words",
    [
        ["-m", "seed=1,2"],
        ["-m"],
        ["seed=1,2", "-m"],
        ["seed=1", "--config-dir=conf"],
    ],
    ids=" ".join,
)
def test_flags_may_stand_before_or_after_the_overrides(
    plan: Any, closed: list[Any], words: list[str]
) -> None:
    start(lambda: None, *words)
    overrides = get_args_parser().parse_args(sys.argv[1:]).overrides
    folders = [word for word in overrides if word.startswith("hydra.")]
    assert unquote(folders[0])[1] == str(plan.folder)


@pytest.mark.parametrize(
    ("flags", "shown"),
    [
        (["--cfg", "job"], "seed: 5\ncopy: ${seed}\n\n"),
        (["--cfg", "job", "--resolve"], "seed: 5\ncopy: 5\n\n"),
    ],
)
def test_config_is_shown_without_running(
    plan: Any, capsys: pytest.CaptureFixture[str], flags: list[str], shown: str
) -> None:
    assert start(refuse_to_run, *flags) == 0
    assert capsys.readouterr().out == shown


def test_help_is_shown_without_running(
    plan: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start(refuse_to_run, "--help") == 0
    assert "seed: 5\n" in capsys.readouterr().out


@pytest.mark.parametrize("flags", [["--cfg", "hydra"], ["--cfg", "job", "-p", "model"]])
def test_other_views_of_the_config_are_hydras(plan: Any, flags: list[str]) -> None:
    called: list[int] = []
    assert start(lambda: called.append(1), *flags) == 0
    assert called == [1]


def test_a_view_that_hydra_has_of_a_single_run_only_is_told(
    plan: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start(refuse_to_run, "-m", "--cfg", "hydra") == 2
    assert "drop -m" in capsys.readouterr().err


@pytest.mark.parametrize("flag", ["--hydra-help", "--shell-completion", "--info"])
def test_hydras_own_pages_need_no_good_config(
    monkeypatch: pytest.MonkeyPatch, flag: str
) -> None:
    monkeypatch.setattr(launch, "check_command_line", raising(WRONG))
    called: list[int] = []
    assert start(lambda: called.append(1), flag) == 0
    assert called == [1]


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Why each sweep was closed; closing answers with the exit code 1."""
    closed: list[Any] = []

    def close(parent: Any, plan: Any, *, stopped_by: str | None = None) -> int:
        closed.append(stopped_by)
        return 1

    parent = SimpleNamespace(run_id="abc")
    monkeypatch.setattr("experiments.tasks.sweep.open_sweep", lambda plan: parent)
    monkeypatch.setattr("experiments.tasks.sweep.close_sweep", close)
    return closed


def test_jobs_of_a_sweep_are_told_folder_and_swept_keys(
    plan: Any, closed: list[Any]
) -> None:
    assert start(lambda: None, "-m", "seed=1,2") == 1
    assert closed == [None]
    assert [unquote(word) for word in sys.argv[3:]] == [
        ("hydra.sweep.dir", str(plan.folder)),
        ("hydra.job.env_set.EXPERIMENTS_SWEPT_KEYS", "model seed"),
        ("hydra.job.env_set.EXPERIMENTS_SWEEP_FOLDER", str(plan.folder)),
    ]


@pytest.mark.parametrize(
    ("error", "code", "reason"),
    [
        (KeyboardInterrupt(), 130, "stopped by Ctrl-C"),
        (Preempted("SIGTERM"), 75, "stopped by SIGTERM"),
        (DataError("No file."), 1, "No file."),
    ],
)
def test_sweep_that_ends_early_is_closed_with_its_reason(
    plan: Any, closed: list[Any], error: BaseException, code: int, reason: str
) -> None:
    assert start(raising(error), "-m") == code
    assert closed == [reason]


def test_folder_that_cannot_be_created_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ExperimentError, match="output_dir=") as error:
        launch._create_folder(tmp_path / "file" / "runs")
    assert str(tmp_path / "file" / "runs") in str(error.value)


def test_finished_run_is_shown_and_not_run_again(
    plan: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan.folder.mkdir()
    JobResult(name="a", status="FINISHED", output_dir=str(plan.folder)).save()
    shown: list[Any] = []
    monkeypatch.setattr(launch, "show_stored", lambda *given: shown.append(given))
    assert start(refuse_to_run) == 0
    ((result, run),) = shown
    assert (result.name, run) == ("a", plan.run)


def test_fresh_run_gets_a_new_folder(plan: Any) -> None:
    plan.folder.mkdir()
    JobResult(name="a", status="FINISHED", output_dir=str(plan.folder)).save()
    plan.run.fresh = True
    start(lambda: None)
    assert unquote(sys.argv[1])[1] == f"{plan.folder}-2"


def test_sweep_in_another_process_is_not_started_twice(
    plan: Any, closed: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    plan.folder.mkdir()
    with claim_folder(plan.folder):
        assert start(refuse_to_run, "-m") == 1
    assert "is being worked on by process" in capsys.readouterr().err
    assert closed == []


def test_flag_without_what_it_belongs_to_is_told(
    plan: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start(refuse_to_run, "--resolve") == 2
    assert capsys.readouterr().err == (
        "--resolve needs --cfg, such as --cfg job --resolve.\n"
    )


def test_restart_repeats_the_command_but_starts_nothing_anew(
    plan: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class ReplacedError(Exception):
        pass

    replaced: list[Any] = []

    def replace(program: str, words: list[str]) -> None:
        replaced.append((program, words))
        raise ReplacedError

    monkeypatch.setattr(launch.os, "execv", replace)
    typed = ["python", "-X", "dev", "run.py", "seed=1", "fresh=true", "--config-dir=a"]
    monkeypatch.setattr(sys, "orig_argv", typed)
    with pytest.raises(ReplacedError):
        start(raising(RestartNeeded("Out of memory.")))
    ((program, words),) = replaced
    assert program == sys.executable
    assert words[1:] == [
        *typed[1:5],
        "fresh=false",
        "--config-dir=a",
    ]
    assert "Out of memory." in capsys.readouterr().err


def test_hydra_does_not_compose_to_find_its_mode(plan: Plan) -> None:
    plain = Hydra.get_mode

    def run() -> None:
        mode = Hydra.get_mode(None, config_name="absent", overrides=[])  # type: ignore[arg-type]
        assert mode is None
        assert Hydra.get_mode is not plain

    start(run)
    assert Hydra.get_mode is plain
