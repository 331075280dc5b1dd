import gc
import inspect
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from experiments import launch
from experiments.command.composing.loader import CheckedHydra, Loader
from experiments.command.plan import Plan
from experiments.disk_space import DiskSpace
from experiments.errors import (
    ConfigError,
    DataError,
    Preempted,
    Problem,
    RestartNeeded,
)
from experiments.jobs import running
from experiments.jobs.folder import claim_folder
from experiments.jobs.job import JobResult
from tests.conftest import CONF

pytestmark = pytest.mark.usefixtures("own_log")
assert running  # knows `${job_folder:}`, as in `run.py`
WRONG = ConfigError([Problem("seed", "is missing.")])


@pytest.fixture(autouse=True)
def _own_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gives back the command line, streams and variables that the tests change."""
    for variable in (launch.PROCESS_VARIABLE, launch.SCRIPT_VARIABLE):
        monkeypatch.setenv(variable, "")
    monkeypatch.setenv(launch.SAFE_PATH_VARIABLE, "")
    monkeypatch.setenv("EXPERIMENTS_LOCAL_KEYS", "")
    monkeypatch.setattr(sys, "argv", ["run.py"])
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, getattr(sys, name))
        # Of others absl's log handler takes it that it may close them.
        monkeypatch.setattr(sys, f"__{name}__", getattr(sys, name))


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The plan that checking any command line gives."""
    config = OmegaConf.create({"seed": 5, "copy": "${seed}"})
    plan = Plan(
        run=SimpleNamespace(  # type: ignore[arg-type]
            model=None,
            fresh=False,
            sweep=SimpleNamespace(
                max_hours=None, job_minutes=None, silent_minutes=None, keep_top=None
            ),
            task=None,
            gpu="cpu",
            from_search=None,
            run_id=None,
            plan=False,
            allowed_targets=["experiments"],
            disk_space=lambda: DiskSpace(folder=tmp_path),
        ),
        config=config,
        folder=tmp_path / "it's here",
        overrides=(),
        jobs=(),
        job_folders=(),
        swept_keys=("model", "seed"),
    )

    def check(*_: Any, multirun: bool, **__: Any) -> Plan:
        settings = ("hydra.mode=MULTIRUN",) if multirun else ()
        return replace(plan, multirun=multirun, settings=settings)

    monkeypatch.setattr(launch, "check", check)
    return plan


def start(run: Callable[[DictConfig], Any], *arguments: str) -> int:
    sys.argv = ["run.py", *arguments]
    return launch.main(run, config_path=str(CONF))


def refuse_to_run(_: Any) -> None:
    pytest.fail("nothing may run")


def do_nothing(_: Any) -> None:
    """A job that leaves no result."""


def raising(error: BaseException) -> Callable[..., Any]:
    def run(*_: Any, **__: Any) -> None:
        raise error

    return run


@pytest.mark.parametrize("place", range(4))
def test_flags_may_stand_anywhere_among_the_overrides(
    capsys: pytest.CaptureFixture[str], place: int
) -> None:
    words = ["optimizer=sgd", "seed=3", "trainer.epochs=2"]
    words[place:place] = ["--cfg", "job", "--package", "optimizer"]
    assert start(refuse_to_run, *words) == 0
    assert "momentum: 0.9" in capsys.readouterr().out


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
        monkeypatch.setattr(launch, "check", raising(error))
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


def test_command_line_is_checked_as_it_was_typed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen: list[Any] = []

    def check(overrides: list[str], loader: Any, **options: Any) -> None:
        folders = [source.path for source in loader.get_sources()]
        assert (str(tmp_path) in folders) == (overrides != [])
        seen.append((overrides, options))
        raise WRONG

    monkeypatch.setattr(launch, "check", check)
    start(refuse_to_run, "-m", f"--config-dir={tmp_path}", "seed=1,2", "model=a")
    start(refuse_to_run, "--config-name=other")
    assert seen == [
        (["seed=1,2", "model=a"], {"config_name": "config", "multirun": True}),
        ([], {"config_name": "other", "multirun": False}),
    ]


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


def test_the_end_of_a_command_collects_no_garbage(
    plan: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_the_end: list[Any] = []
    monkeypatch.setattr(launch.atexit, "register", at_the_end.append)
    start(do_nothing)
    assert at_the_end == [gc.freeze]


@pytest.mark.parametrize("words", [["-m", "seed=1,2"], ["seed=1,2", "-m"]], ids=str)
def test_flags_may_stand_before_or_after_the_overrides(
    plan: Any, closed: list[Any], words: list[str]
) -> None:
    start(do_nothing, *words)
    assert closed == [None]


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
    monkeypatch.setattr(launch, "check", raising(WRONG))
    assert start(refuse_to_run, *flags) == 0
    assert shown in capsys.readouterr().out


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Why each sweep was closed; closing answers with the exit code 1."""
    closed: list[Any] = []

    def close(parent: Any, plan: Any, *, stopped_by: str | None = None) -> int:
        closed.append(stopped_by)
        return 1

    parent = SimpleNamespace(run_id="abc")
    monkeypatch.setattr("experiments.sweeps.closing.open_sweep", lambda plan: parent)
    monkeypatch.setattr("experiments.sweeps.closing.close_sweep", close)
    return closed


def test_jobs_of_a_sweep_are_told_folder_and_swept_keys(
    plan: Any, closed: list[Any]
) -> None:
    seen: list[Any] = []

    def run(_: Any) -> None:
        hydra = HydraConfig.get()
        seen.append((hydra.sweep.dir, dict(hydra.job.env_set)))

    assert start(run, "-m", "seed=1,2") == 1
    assert closed == [None]
    told = {
        "EXPERIMENTS_SWEPT_KEYS": "model seed",
        "EXPERIMENTS_SWEEP_FOLDER": str(plan.folder),
        "EXPERIMENTS_SWEEP_JOBS": "",
        "EXPERIMENTS_SCRIPT": "run.py",
    }
    assert seen == [(str(plan.folder), told)]


@pytest.mark.parametrize(
    ("error", "code", "reason"),
    [
        (KeyboardInterrupt(), 130, "stopped by Ctrl-C"),
        (Preempted("SIGTERM"), 75, "stopped by SIGTERM"),
        (DataError("No file."), 1, "No file."),
    ],
)
def test_sweep_that_ends_early_is_closed_with_its_reason(
    plan: Any,
    monkeypatch: pytest.MonkeyPatch,
    closed: list[Any],
    error: BaseException,
    code: int,
    reason: str,
) -> None:
    monkeypatch.setattr(CheckedHydra, "multirun", raising(error))
    assert start(refuse_to_run, "-m") == code
    assert closed == [reason]


@pytest.mark.parametrize("place", ["check", "run"])
def test_an_error_that_nobody_foresaw_is_a_sentence_and_a_file(
    plan: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    place: str,
) -> None:
    if place == "check":
        monkeypatch.setattr(launch, "check", raising(KeyError("odd")))
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
    monkeypatch.setattr(launch, "check", raising(KeyError("odd")))
    with pytest.raises(KeyError):
        start(refuse_to_run)


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
    other = replace(launch.check(multirun=False), folder=Path(folder.format(tmp_path)))
    monkeypatch.setattr(launch, "check", lambda *_, **__: other)
    assert start(refuse_to_run) == 2
    assert obstacle.format(tmp_path) in capsys.readouterr().err


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
    seen: list[str] = []
    start(lambda _: seen.append(HydraConfig.get().runtime.output_dir))
    assert seen == [f"{plan.folder}-2"]


def test_sweep_in_another_process_is_not_started_twice(
    plan: Any, closed: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    plan.folder.mkdir()
    with claim_folder(plan.folder):
        assert start(refuse_to_run, "-m") == 1
    assert "is being worked on by process" in capsys.readouterr().err
    assert closed == []


def test_exit_of_a_plugin_is_no_success(
    plan: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(CheckedHydra, "run", raising(SystemExit(0)))
    assert start(refuse_to_run) == 1
    assert capsys.readouterr().err == "Code of the job called sys.exit(0).\n"


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


def test_run_that_a_full_disk_does_not_show_succeeds_and_says_so(
    plan: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = "a line\n"
    monkeypatch.setattr(CheckedHydra, "run", lambda *_: print(shown))
    done = JobResult(name="a", status="FINISHED")
    monkeypatch.setattr(JobResult, "load", lambda _: done)
    monkeypatch.setattr(launch, "stored_result", lambda *_: None)
    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert start(refuse_to_run) == 0
    assert capsys.readouterr().err == (
        "What was printed is not all there: No space left on device.\n"
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
WALK = TOUCH.replace("os.", "experiments.launch.os.")


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


@pytest.mark.parametrize("done", [(), (0,), (0, 1)])
def test_images_of_finished_jobs_need_not_be_there(
    check: Any, tmp_path: Path, done: tuple[int, ...]
) -> None:
    words = ("dataset=folder", "dataset.path=/gone", "seed=0,1")
    plan = check(*words, f"output_dir={tmp_path}", multirun=True)
    for number in done:
        folder = plan.folder / plan.job_folders[number]
        folder.mkdir(parents=True)
        JobResult(name="a", status="FINISHED", output_dir=str(folder)).save()
    left = [run.dataset.known_place for run in launch._list_unfinished(plan)]
    assert left == ([] if len(done) == 2 else ["/gone"])


def test_images_of_a_finished_search_need_not_be_there(
    check: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from experiments.search.trials import journal

    words = ("hydra/sweeper=keras_tuner", "dataset=folder", "dataset.path=/gone")
    where = f"output_dir={tmp_path}"
    plan = check(*words, where, "optimizer.lr=interval(1e-4,1e-2)", multirun=True)
    assert [run.dataset.known_place for run in launch._list_unfinished(plan)]
    monkeypatch.setattr(journal, "is_complete", lambda folder, most: True)
    assert not list(launch._list_unfinished(plan))


def test_sweep_whose_weights_are_not_there_is_refused_before_it_starts(
    check: Any, tmp_path: Path
) -> None:
    (tmp_path / "a.pth").touch()
    values = f"model.weights=null,{tmp_path}/a.pth,{tmp_path}/b.pth"
    place = f"output_dir={tmp_path}/outputs"
    plan = launch.choose_place(check("model=resnet18", values, place, multirun=True))
    with pytest.raises(ConfigError, match=r"b\.pth is not there"):
        launch._check_weights(plan)
    (tmp_path / "b.pth").touch()
    launch._check_weights(plan)
