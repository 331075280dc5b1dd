"""A training in somebody's process is that of the command and leaves no trace."""

import logging
import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from experiments.api.training import train
from experiments.command.composing.composed import Config, compose
from experiments.errors import ConfigError, ExperimentError, Preempted
from experiments.jobs.job import JobResult
from experiments.training.callbacks.checkpoint import Checkpoint
from tests.api.conftest import WORDS, small

pytestmark = [
    pytest.mark.usefixtures("eager"),
    pytest.mark.filterwarnings("ignore:.*does not apply to tf.data functions"),
]


@pytest.mark.parametrize("eager", [False], indirect=True)
def test_result_is_that_of_the_command(
    run_command: Any, tmp_path: Path, here: Path
) -> None:
    """In the same folder, to the same bits, with the same files."""
    config = compose(WORDS)
    result = train(config, quiet=True)
    ours = _list(config.folder)
    (here / "outputs").rename(here / "ours")
    shown = run_command(*WORDS)
    assert shown.returncode == 0, shown.stderr
    former = JobResult.load(config.folder)
    assert former is not None
    assert result.state_sha256 == former.state_sha256
    assert result.metrics == former.metrics
    assert (result.status, result.name) == (former.status, former.name)
    assert result.overrides == tuple(former.overrides)
    assert ours == _list(config.folder)


def _list(folder: Path) -> set[str]:
    paths = (path.relative_to(folder) for path in folder.rglob("*"))
    # The name of a state ends in its hash, and how fast it went is in it.
    names = {str(path).partition("-step-")[0] for path in paths}
    # Somebody may be working on the code while it is tested.
    return names - {"tracking/artifacts/code.diff"}


def test_finished_job_is_shown_and_not_run_again(
    config: Config, result: JobResult, capsys: pytest.CaptureFixture[str]
) -> None:
    again = train(config)
    shown = capsys.readouterr().out
    assert "finished before, not run again" in shown
    assert "best epoch" in shown
    assert (again.metrics, again.run_id) == (result.metrics, result.run_id)


def test_quiet_training_prints_nothing(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(small(output_dir=here), quiet=True).status == "FINISHED"
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "")


def test_settings_of_the_process_are_given_back(here: Path) -> None:
    random.seed(5)
    np.random.seed(5)
    keras.config.set_dtype_policy("float64")
    logging.getLogger("mlflow").setLevel(logging.INFO)
    before = random.getstate(), np.random.get_state()[1].tolist()
    streams, levels = (sys.stdout, sys.stderr), _list_levels()
    handlers = list(logging.getLogger().handlers)
    formatters = [handler.formatter for handler in handlers]
    signals = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
    try:
        train(small(output_dir=here))
        assert keras.config.dtype_policy().name == "float64"
    finally:
        keras.config.set_dtype_policy("float32")
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before
    assert (sys.stdout, sys.stderr) == streams
    assert {name: _list_levels()[name] for name in levels} == levels
    assert logging.getLogger().handlers == handlers
    assert [handler.formatter for handler in handlers] == formatters
    assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == signals
    assert logging.raiseExceptions


def _list_levels() -> dict[str, int]:
    names = ["", *logging.Logger.manager.loggerDict]
    return {name: logging.getLogger(name or None).level for name in names}


def test_first_training_of_a_process_changes_no_random_number_of_it(
    here: Path,
) -> None:
    """Nothing heavy is imported before it, as in a notebook's fresh kernel."""
    script = f"""
import logging, random, sys
import experiments
config = experiments.compose({[*WORDS, "trainer.epochs=1"]!r})
random.seed(5)
logging.getLogger("mlflow").setLevel(logging.INFO)
assert not {{"keras", "mlflow", "numpy"}} & sys.modules.keys()
experiments.train(config, quiet=True)
numbers = [random.random() for _ in range(3)]
expected = random.Random(5)
assert numbers == [expected.random() for _ in range(3)], numbers
import keras
assert keras.config.dtype_policy().name == keras.config.floatx() == "float32"
assert logging.getLogger().level == logging.WARNING
assert logging.getLogger("experiments").level == logging.NOTSET
assert logging.getLogger("mlflow").level == logging.INFO
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_models_of_others_can_still_be_trained(here: Path) -> None:
    """TensorFlow finds their custom gradients by name, in one list of the process."""
    import tensorflow as tf
    from tensorflow.python.framework import ops

    tf.config.run_functions_eagerly(False)

    @tf.custom_gradient
    def double(x: Any) -> Any:
        return 2 * x, lambda upstream: 5 * upstream

    forward = tf.function(double).get_concrete_function(tf.TensorSpec((), tf.float32))
    names = set(ops.gradient_registry._registry)
    train(small(output_dir=here), quiet=True)
    assert names <= set(ops.gradient_registry._registry)
    x = tf.constant(3.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = forward(x)
    assert float(tape.gradient(y, x)) == 5.0


def test_two_configs_one_after_the_other_give_what_each_gives_alone(
    here: Path, config: Config, result: JobResult
) -> None:
    other = train(small("seed=1", output_dir=here), quiet=True)
    again = train(small(output_dir=here), quiet=True)
    assert other.metrics != result.metrics
    assert again.metrics == result.metrics
    assert again.state_sha256 == result.state_sha256


def test_paths_mean_what_they_meant_where_the_config_was_composed(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = compose(WORDS)
    (here / "elsewhere").mkdir()
    monkeypatch.chdir(here / "elsewhere")
    result = train(config, quiet=True)
    assert Path(result.output_dir).parent == here / "outputs" / "runs"
    assert (here / "outputs" / "mlflow.db").is_file()
    assert not list((here / "elsewhere").iterdir())


def test_training_runs_in_a_thread_and_not_in_two(here: Path) -> None:
    found: list[object] = []
    began, go_on = threading.Event(), threading.Event()

    def wait(*_: Any) -> None:
        began.set()
        assert go_on.wait(60)

    def work() -> None:
        found.append(train(small(output_dir=here), quiet=True).status)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("experiments.tasks.train.find_doubts", lambda run: wait() or ())
        thread = threading.Thread(target=work)
        thread.start()
        assert began.wait(60)
        with pytest.raises(ExperimentError, match="Another training runs in this"):
            train(small("seed=9", output_dir=here), quiet=True)
        go_on.set()
        thread.join()
    assert found == ["FINISHED"]


def test_ctrl_c_saves_the_state_and_the_same_call_continues(
    here: Path, result: JobResult, capsys: pytest.CaptureFixture[str]
) -> None:
    config = small(output_dir=here)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Checkpoint, "end_epoch", _then_signal(signal.SIGINT))
        with pytest.raises(KeyboardInterrupt, match=r"same call of train\(\) contin"):
            train(config, quiet=True)
    stored = JobResult.load(config.folder)
    assert stored is not None
    assert (stored.status, stored.exit_code) == ("KILLED", 75)
    assert list((config.folder / "checkpoints").glob("epoch-0001-*"))
    continued = train(config)
    assert "it continues after epoch 1" in capsys.readouterr().out
    assert continued.metrics == result.metrics
    assert continued.state_sha256 == result.state_sha256


def _then_signal(number: int) -> Any:
    plain = Checkpoint.end_epoch

    def end_epoch(self: Any, *args: Any, **options: Any) -> None:
        plain(self, *args, **options)
        os.kill(os.getpid(), number)

    return end_epoch


def test_other_signals_stop_with_what_python_programs_do_not_swallow(
    here: Path,
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Checkpoint, "end_epoch", _then_signal(signal.SIGTERM))
        with pytest.raises(Preempted, match="SIGTERM"):
            train(small(output_dir=here), quiet=True)


def test_limit_of_the_config_ends_it_without_an_error(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stopped = train(small("trainer.max_steps=2", output_dir=here))
    assert stopped.status == "KILLED"
    assert "trainer.max_steps=2" in str(stopped.reason)
    assert "Stopped by trainer.max_steps=2." in capsys.readouterr().out


def test_error_is_raised_with_its_traceback_and_the_job_is_stored_as_failed(
    here: Path,
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("by my own code")

    config = small(output_dir=here)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("experiments.tasks.train.build_pipelines", fail)
        with pytest.raises(ZeroDivisionError, match="by my own code") as caught:
            train(config, quiet=True)
    names = [entry.name for entry in caught.traceback]
    assert "fail" in names
    stored = JobResult.load(config.folder)
    assert stored is not None
    assert (stored.status, stored.exit_code) == ("FAILED", 1)
    log = (config.folder / "run.log").read_text()
    assert "INFO experiments.api.training: The job failed." in log
    assert "ZeroDivisionError: by my own code" in log


@pytest.mark.parametrize("words", [["task=sync"], ["task=reproduce", "run_id=abc"]])
def test_another_task_is_not_for_train(words: list[str], here: Path) -> None:
    with pytest.raises(ConfigError, match="is another command"):
        train(compose([*words, f"output_dir={here}"]))


def test_memory_that_needs_a_fresh_process_says_so_and_ends_no_process(
    here: Path,
) -> None:
    def exhaust(*_: Any, **__: Any) -> None:
        raise MemoryError

    config = small("trainer.oom=accumulate", output_dir=here)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("experiments.fitting.fitting.Fitting.run", exhaust)
        with pytest.raises(ExperimentError, match="4 at the next start"):
            train(config, quiet=True)
    assert train(config, quiet=True).status == "FINISHED"
