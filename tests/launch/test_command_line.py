"""What ends a command, and with which exit code and words."""

import gc
import inspect
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from hydra._internal.config_loader_impl import ConfigLoaderImpl

from experiments.command.composing.loader import CheckedHydra, Loader
from experiments.errors import (
    DataError,
    Preempted,
)
from experiments.launch import command_line, execution
from tests.launch.starting import WRONG, do_nothing, raising, refuse_to_run, start


@pytest.mark.parametrize("place", range(4))
def test_flags_may_stand_anywhere_among_the_overrides(
    capsys: pytest.CaptureFixture[str], place: int
) -> None:
    words = ["optimizer=sgd", "seed=3", "trainer.epochs=2"]
    words[place:place] = ["--cfg", "job", "--package", "optimizer"]
    assert start(refuse_to_run, *words) == 0
    assert "momentum: 0.9" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["-m", "seed=1,2"], ["seed=1,2", "-m"]], ids=str)
def test_flags_may_stand_before_or_after_the_overrides(
    plan: Any, closed: list[Any], words: list[str]
) -> None:
    start(do_nothing, *words)
    assert closed == [None]


def test_command_line_is_checked_as_it_was_typed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen: list[Any] = []

    def check(overrides: list[str], loader: Any, **options: Any) -> None:
        folders = [source.path for source in loader.get_sources()]
        assert (str(tmp_path) in folders) == (overrides != [])
        seen.append((overrides, options))
        raise WRONG

    monkeypatch.setattr(execution, "check", check)
    start(refuse_to_run, "-m", f"--config-dir={tmp_path}", "seed=1,2", "model=a")
    start(refuse_to_run, "--config-name=other")
    assert seen == [
        (["seed=1,2", "model=a"], {"config_name": "config", "multirun": True}),
        ([], {"config_name": "other", "multirun": False}),
    ]


def test_one_composition_by_hydra_is_checked_and_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    composed: list[Any] = []
    plain = Loader._load_configuration_impl

    def compose(self: Any, *given: Any, **named: Any) -> Any:
        composed.append(given)
        return plain(self, *given, **named)

    # The tests share compositions.
    load = inspect.unwrap(ConfigLoaderImpl.load_configuration)
    monkeypatch.setattr(ConfigLoaderImpl, "load_configuration", load)
    monkeypatch.setattr(Loader, "_load_configuration_impl", compose)
    ran: list[Any] = []
    start(
        lambda config: ran.append(config),
        f"output_dir={tmp_path}",
        "model=resnet18",
        "optimizer.lr=0.125",
    )
    assert [config.optimizer.lr for config in ran] == [0.125]
    assert len(composed) == 1


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (WRONG, 2, "The configuration has 1 problem:\n  - seed is missing.\n"),
        (DataError("No file."), 1, "No file.\n"),
        (KeyboardInterrupt(), 130, "Stopped by Ctrl-C.\n"),
        (Preempted("SIGTERM"), 75, "Stopped by SIGTERM. The same command continues.\n"),
        (
            Preempted("max_steps=3", advice="Add steps."),
            75,
            "Stopped by max_steps=3. Add steps.\n",
        ),
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
        monkeypatch.setattr(execution, "check", raising(error))
    else:
        monkeypatch.setattr(CheckedHydra, "run", raising(error))
    assert start(refuse_to_run) == code
    assert capsys.readouterr() == ("", line)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR2])
def test_signal_stops_what_runs_with_the_code_of_a_temporary_failure(
    plan: Any, number: int
) -> None:
    handler = signal.getsignal(number)
    assert start(lambda _: signal.raise_signal(number)) == 75
    assert signal.getsignal(number) is handler


def test_exit_of_a_plugin_is_no_success(
    plan: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(CheckedHydra, "run", raising(SystemExit(0)))
    assert start(refuse_to_run) == 1
    assert capsys.readouterr().err == "Code of the job called sys.exit(0).\n"


def test_the_end_of_a_command_collects_no_garbage(
    plan: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_the_end: list[Any] = []
    monkeypatch.setattr(command_line.atexit, "register", at_the_end.append)
    start(do_nothing)
    assert at_the_end == [gc.freeze]


@pytest.mark.parametrize("place", ["check", "run"])
def test_an_error_that_nobody_foresaw_is_a_sentence_and_a_file(
    plan: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    place: str,
) -> None:
    if place == "check":
        monkeypatch.setattr(execution, "check", raising(KeyError("odd")))
    else:
        monkeypatch.setattr(CheckedHydra, "run", raising(KeyError("odd")))
    assert start(refuse_to_run) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("Something went wrong that this program did not fore")
    assert "KeyError: 'odd'. Its traceback is in " in shown.err
    assert "Traceback" not in shown.err


def test_whoever_asks_for_it_gets_the_whole_traceback(
    plan: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    monkeypatch.setattr(execution, "check", raising(KeyError("odd")))
    with pytest.raises(KeyError):
        start(refuse_to_run)


@pytest.mark.parametrize(
    ("words", "key"),
    [
        (["hydra.job_logging.root.level=NOPE"], "root.level must be one of CRITICAL"),
        (["hydra.verbose=[a,1]"], "hydra.verbose"),
        (["+hydra.callbacks.a._target_=nope.Nope"], "nope.Nope"),
        (
            [
                "-m",
                "seed=1,2",
                "hydra/launcher=joblib",
                "hydra.launcher._target_=nope.N",
            ],
            "nope.N",
        ),
    ],
    ids=str,
)
def test_wrong_value_of_hydras_own_key_is_told_in_a_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, words: list[str], key: str
) -> None:
    off = [f"output_dir={tmp_path}", "tracking=off"]
    assert start(refuse_to_run, *words, *off) == 2
    assert key in capsys.readouterr().err


TOUCH = "{_target_: os.system, command: touch CANARY}"
WALK = TOUCH.replace("os.", "experiments.launch.command_line.os.")


@pytest.mark.parametrize(
    "words",
    [
        [f"+callbacks.x={WALK}"],
        [f"model={WALK}"],
        [f"+model.head=[{WALK}]"],
        [f"+hydra.callbacks.x={TOUCH}"],
        [f"+hydra.callbacks.x={WALK}"],
        ["hydra.job_logging.handlers.file.filename=CANARY"],
        ["hydra.output_subdir=CANARY"],
        ["-m", "seed=0,1", f"+hydra.launcher.x={TOUCH}"],
        ["-m", "seed=0,1", f"hydra.sweeper={TOUCH}"],
        ["-m", "seed=0,1", "hydra.output_subdir=CANARY"],
        ["hydra.searchpath=[pkg://tests.trap]"],
        ["--config-path", "pkg://tests.trap"],
        ["--info", "config", "hydra.searchpath=[pkg://tests.trap]"],
        ["--shell-completion", "query=bash", "hydra.searchpath=[pkg://tests.trap]"],
        ["--cfg", "all", "hydra.searchpath=[pkg://tests.trap]"],
    ],
    ids=str,
)
def test_nothing_that_nobody_allowed_is_called_imported_or_written(
    tmp_path: Path, words: list[str]
) -> None:
    canary = tmp_path / "canary"
    off = [f"output_dir={tmp_path / 'outputs'}", "tracking=off"]
    given = [word.replace("CANARY", str(canary)) for word in words]
    assert start(refuse_to_run, *given, *off) in (2, 0)
    assert not canary.exists()
    assert "tests.trap" not in sys.modules
