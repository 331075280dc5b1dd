import math
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hydra._internal.utils import get_args_parser
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.types import RunMode
from omegaconf import OmegaConf

from experiments import launch
from experiments.config.job import Job, JobResult
from experiments.errors import (
    ConfigError,
    DataError,
    ExperimentError,
    Problem,
    Terminated,
)
from tests.conftest import CONF

WRONG = ConfigError([Problem("seed", "is missing.")])


@pytest.fixture(autouse=True)
def _own_process_state(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Gives back the signal handler and the command line that `main` changes."""
    handler = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(sys, "argv", ["run.py"])
    monkeypatch.delenv(launch.PARENT_VARIABLE, raising=False)
    monkeypatch.delenv(launch.SWEPT_VARIABLE, raising=False)
    yield
    signal.signal(signal.SIGTERM, handler)


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The plan that checking any command line gives."""
    config = OmegaConf.create({"seed": 5, "copy": "${seed}"})
    plan = SimpleNamespace(
        folder=tmp_path / "it's here", config=config, swept_keys=("model", "seed")
    )
    plan.folder.mkdir()
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
    "text",
    [
        "",
        "/a folder/b",
        "it's",
        'say "x"',
        "a,b",
        "a=b",
        "[1, {a: b}]",
        "null",
        "~/x#%?",
        "é",
        "ends in \\",
        "ends in \\\\",
        "a\\'b",
        "a\\\\'b",
        "C:\\a\\b",
        "a\\,b=c d",
    ],
)
def test_quoted_text_is_read_back_by_hydra(text: str) -> None:
    assert unquote(f"key={launch._quote(text)}") == ("key", text)


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (WRONG, 2, "The configuration has 1 problem:\n  - seed is missing.\n"),
        (DataError("No file."), 1, "No file.\n"),
        (KeyboardInterrupt(), 130, "Stopped by Ctrl-C.\n"),
        (Terminated(), 143, "Stopped by SIGTERM.\n"),
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


def test_sigterm_stops_a_run(plan: Any) -> None:
    signal.signal(signal.SIGTERM, lambda *_: pytest.fail("SIGTERM was not handled"))
    assert start(lambda: signal.raise_signal(signal.SIGTERM)) == 143


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


def test_jobs_of_a_sweep_are_told_folder_swept_keys_and_parent(
    plan: Any, closed: list[Any]
) -> None:
    assert start(lambda: None, "-m", "seed=1,2") == 1
    assert closed == [None]
    assert [unquote(word) for word in sys.argv[3:]] == [
        ("hydra.sweep.dir", str(plan.folder)),
        ("hydra.job.env_set.EXPERIMENTS_SWEPT_KEYS", "model seed"),
        ("hydra.job.env_set.EXPERIMENTS_PARENT_RUN", "abc"),
    ]


def test_untracked_sweep_passes_no_parent_on(
    plan: Any, closed: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    parent = SimpleNamespace(run_id=None)
    monkeypatch.setattr("experiments.tasks.sweep.open_sweep", lambda plan: parent)
    start(lambda: None, "-m")
    assert not any(launch.PARENT_VARIABLE in word for word in sys.argv)


@pytest.mark.parametrize(
    ("error", "code", "reason"),
    [
        (KeyboardInterrupt(), 130, "stopped by Ctrl-C"),
        (Terminated(), 143, "stopped by SIGTERM"),
        (DataError("No file."), 1, "No file."),
    ],
)
def test_sweep_that_ends_early_is_closed_with_its_reason(
    plan: Any, closed: list[Any], error: BaseException, code: int, reason: str
) -> None:
    assert start(raising(error), "-m") == code
    assert closed == [reason]


@pytest.fixture
def hydra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What Hydra knows of the job that it runs."""
    choices = {"model": "resnet18", "dataset": "digits", "debug": None}
    hydra = SimpleNamespace(
        runtime=SimpleNamespace(
            choices={**choices, "hydra/launcher": "basic"}, output_dir=str(tmp_path)
        ),
        overrides=SimpleNamespace(task=["model=resnet18", "+tags.a=b", "seed=1"]),
        mode=RunMode.RUN,
    )
    monkeypatch.setattr(HydraConfig, "get", staticmethod(lambda: hydra))
    run = SimpleNamespace(name=None, task=SimpleNamespace(_target_="task"))
    monkeypatch.setattr(launch, "validate", lambda _: run)
    hydra.run = run
    return hydra


def describe() -> Job:
    return launch._describe_job(OmegaConf.create({"seed": 1, "copy": "${seed}"}))


@pytest.mark.parametrize(
    ("swept", "given", "name"),
    [
        ("", None, "resnet18 on digits"),
        ("", "mine", "mine"),
        ("seed", None, "seed=1"),
        ("seed", "mine", "seed=1"),
        ("seed model", None, "model=resnet18 seed=1"),
        ("tags.a", None, "+tags.a=b"),
        ("optimizer.lr", None, "resnet18 on digits"),
    ],
)
def test_job_is_named_after_what_is_swept_then_its_name_then_its_choices(
    hydra: Any,
    monkeypatch: pytest.MonkeyPatch,
    swept: str,
    given: str | None,
    name: str,
) -> None:
    monkeypatch.setenv(launch.SWEPT_VARIABLE, swept)
    hydra.run.name = given
    assert describe().name == name


def test_job_knows_its_config_folder_choices_and_overrides(
    hydra: Any, tmp_path: Path
) -> None:
    job = describe()
    assert job.run is hydra.run
    assert job.resolved == {"seed": 1, "copy": 1}
    assert job.output_dir == tmp_path
    assert job.choices == {"model": "resnet18", "dataset": "digits"}
    assert job.overrides == ("model=resnet18", "+tags.a=b", "seed=1")


@pytest.mark.parametrize("parent", [None, "abc"])
def test_job_of_a_sweep_knows_its_parent(
    hydra: Any, monkeypatch: pytest.MonkeyPatch, parent: str | None
) -> None:
    if parent is not None:
        monkeypatch.setenv(launch.PARENT_VARIABLE, parent)
    assert describe().parent_run_id == parent


@pytest.fixture
def run_task(hydra: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a job of the given task; returns its objective and what it left."""

    def run_task(task: Callable[[Job], JobResult]) -> tuple[float, JobResult | None]:
        monkeypatch.setattr(launch, "resolve_target", lambda *_, **__: task)
        objective = launch.run_job(OmegaConf.create({"seed": 1}))
        return objective, JobResult.load(tmp_path)

    return run_task


@pytest.mark.parametrize("objective", [0.5, 0.0, None])
def test_job_returns_its_objective_and_leaves_its_result(
    run_task: Any, objective: float | None
) -> None:
    def task(job: Job) -> JobResult:
        folder = str(job.output_dir)
        return JobResult(
            name="a", status="FINISHED", objective=objective, output_dir=folder
        )

    returned, result = run_task(task)
    assert math.isnan(returned) if objective is None else returned == objective
    assert (result.status, result.objective) == ("FINISHED", objective)


@pytest.mark.parametrize(
    ("error", "reason", "code"),
    [
        (DataError("No file."), "No file.", 1),
        (WRONG, "The configuration has 1 problem: - seed is missing.", 2),
        (ValueError("odd"), "ValueError: odd", 1),
    ],
)
def test_failed_job_returns_nan_and_leaves_its_reason(
    run_task: Any, error: Exception, reason: str, code: int
) -> None:
    objective, result = run_task(raising(error))
    assert math.isnan(objective)
    assert (result.name, result.status) == ("resnet18 on digits", "FAILED")
    assert (result.reason, result.exit_code) == (reason, code)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (KeyboardInterrupt(), "stopped by Ctrl-C"),
        (Terminated(), "stopped by SIGTERM"),
    ],
)
def test_stopped_job_leaves_its_reason_and_stops_the_rest(
    run_task: Any, tmp_path: Path, error: BaseException, reason: str
) -> None:
    with pytest.raises(type(error)):
        run_task(raising(error))
    result = JobResult.load(tmp_path)
    assert result is not None
    assert (result.status, result.reason) == ("KILLED", reason)


@pytest.mark.parametrize(
    ("mode", "error", "shown", "level"),
    [
        (RunMode.RUN, DataError("No file."), "No file.\n", "INFO"),
        (RunMode.RUN, ValueError("odd"), "", "ERROR"),
        (RunMode.MULTIRUN, DataError("No file."), "", "INFO"),
        (RunMode.MULTIRUN, ValueError("odd"), "", "INFO"),
    ],
)
def test_failure_is_logged_whole_and_shown_where_it_helps(
    run_task: Any,
    hydra: Any,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    mode: RunMode,
    error: Exception,
    shown: str,
    level: str,
) -> None:
    caplog.set_level("INFO")
    hydra.mode = mode
    run_task(raising(error))
    (record,) = caplog.records
    assert record.levelname == level
    assert record.exc_info is not None
    assert record.exc_info[1] is error
    assert capsys.readouterr().err == shown


def test_folder_that_cannot_be_created_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ExperimentError, match="output_dir=") as error:
        launch._create_folder(tmp_path / "file" / "runs")
    assert str(tmp_path / "file" / "runs") in str(error.value)
