"""The real command as a process: what it prints, leaves behind and exits with."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.tiny import TINY
from tests.warm import start_command

SMALL = [*TINY, "debug=one_step"]
ENDLESS = [*TINY, "trainer.epochs=100000", "callbacks.early_stopping=null"]


def results(folder: Path) -> list[dict[str, Any]]:
    paths = sorted(folder.glob("outputs/**/result.json"))
    return [json.loads(path.read_text()) for path in paths]


def start_endless(folder: Path) -> subprocess.Popen[str]:
    """Starts a run that only a signal ends, and waits for its first epoch."""
    process = start_command(
        [sys.executable, str(ROOT / "run.py"), *ENDLESS],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("epoch "):
            break
    return process


def statuses(folder: Path) -> list[tuple[str, str]]:
    """Returns name and status of every run in the record."""
    from experiments.tracking.store.mlflow_import import import_mlflow

    client = import_mlflow().MlflowClient(f"sqlite:///{folder}/outputs/mlflow.db")
    ids = [experiment.experiment_id for experiment in client.search_experiments()]
    runs = client.search_runs(ids)
    return sorted((run.info.run_name, run.info.status) for run in runs)


def test_run_prints_what_it_does_and_where_to_look(
    run_command: Any, tmp_path: Path
) -> None:
    done = run_command(*SMALL, cold=True)
    assert done.returncode == 0, done.stderr
    for word in (
        "device ",
        "data ",
        "model ",
        "epoch 1/1",
        "held-out test",
        "mlflow ui",
    ):
        assert word in done.stdout
    assert done.stderr == ""
    (result,) = results(tmp_path)
    assert result["status"] == "FINISHED"
    assert statuses(tmp_path) == [("resnet on synthetic_small", "FINISHED")]


def test_sweep_has_a_parent_comparable_children_and_a_sorted_table(
    run_command: Any, tmp_path: Path
) -> None:
    done = run_command("-m", *SMALL, "optimizer.lr=1e-1,1e-4", "seed=1,2")
    assert done.returncode == 0, done.stderr
    table = done.stdout.rpartition("\n\n|")[2]
    assert table.count("| FINISHED |") == 2  # two seeds a row
    assert "compareRunsMode=CHART" in done.stdout
    names = {
        f"optimizer.lr={lr} seed={seed}" for lr in ("0.1", "0.0001") for seed in (1, 2)
    }
    runs = statuses(tmp_path)
    assert names <= {name for name, _ in runs}
    assert [status for _, status in runs] == ["FINISHED"] * 5
    page = re.search(r"^compare +(\S+)$", done.stdout, re.MULTILINE)
    assert page is not None
    shown = (tmp_path / page[1]).read_text()
    assert "4 runs in 2 rows. The best val_accuracy is that of A" in shown


def test_failed_job_is_told_in_the_table_and_the_others_still_run(
    run_command: Any, tmp_path: Path
) -> None:
    done = run_command("-m", *SMALL, "trainer.batch_size=50,4")
    assert done.returncode == 1
    statuses_left = sorted(result["status"] for result in results(tmp_path))
    assert statuses_left == ["FAILED", "FINISHED"]
    assert "FAILED: The split has 40 images, fewer than one batch of 50" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    log = next(tmp_path.glob("outputs/sweeps/*/*_50-*/run.log")).read_text()
    assert "Traceback" in log
    ended = sorted(status for _, status in statuses(tmp_path))
    assert ended == ["FAILED", "FAILED", "FINISHED"]  # a job, the sweep, the other job


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["trainer.progress=rich"],
        ["-m", "seed=1,2"],
        # One job, in a worker: each of them imports everything anew.
        ["-m", "seed=1", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2"],
    ],
)
def test_run_and_its_record_end_truly_when_the_screen_is_closed(
    tmp_path: Path, words: list[str]
) -> None:
    process = start_command(
        [sys.executable, str(ROOT / "run.py"), *SMALL, *words],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    first = next(line for line in process.stdout if line.strip())
    assert first.startswith(("experiment ", "job 1 of 2", "1 job, 1 at a time"))
    process.stdout.close()
    process.stderr.close()
    assert process.wait(timeout=240) == 0
    count = 2 if "seed=1,2" in words else 1
    assert [result["status"] for result in results(tmp_path)] == ["FINISHED"] * count
    assert {status for _, status in statuses(tmp_path)} == {"FINISHED"}
    for log in tmp_path.glob("outputs/**/run.log"):
        assert "Traceback" not in log.read_text()


LEAVING = """
import keras, sys

class Leaving(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        sys.exit(0)
"""


def test_code_that_ends_the_process_fails_its_job(
    run_command: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.py").write_text(LEAVING)
    path = os.pathsep.join([str(tmp_path), os.environ["PYTHONPATH"]])
    monkeypatch.setenv("PYTHONPATH", path)
    allowed = "allowed_targets=[experiments,keras.optimizers,keras.callbacks,mine]"
    done = run_command(*SMALL, allowed, "+callbacks.mine={_target_:mine.Leaving}")
    assert done.returncode == 1
    (result,) = results(tmp_path)
    assert (result["status"], result["exit_code"]) == ("FAILED", 1)
    assert result["reason"] == "Code of the job called sys.exit(0)"
    assert [status for _, status in statuses(tmp_path)] == ["FAILED"]


def test_config_error_exits_with_2_without_a_traceback(
    run_command: Any, tmp_path: Path
) -> None:
    done = run_command("model.dept=3", "optimizer.lr=fast")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "The configuration has 2 problems:",
        "  - model.dept is not a key of this configuration. Did you mean "
        "`model.depth=3`?",
        "  - optimizer.lr must be a number > 0. Received: 'fast'.",
    ]
    assert not (tmp_path / "outputs").exists()


def test_sweep_with_one_bad_job_starts_none(run_command: Any, tmp_path: Path) -> None:
    done = run_command("-m", *SMALL, "optimizer.lr=1e-3,-1")
    assert done.returncode == 2
    assert "(job 2: optimizer.lr=-1)" in done.stderr
    assert not (tmp_path / "outputs").exists()


def test_data_that_is_not_there_is_one_sentence(run_command: Any) -> None:
    done = run_command("dataset=folder", "dataset.path=/no/such/folder")
    assert done.returncode == 2
    assert "/no/such/folder" in done.stderr
    assert "Traceback" not in done.stderr


def test_stopped_run_is_killed_in_the_record(tmp_path: Path) -> None:
    process = start_endless(tmp_path)
    process.send_signal(signal.SIGINT)  # the other signals: tests/faults
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 75, errors
    assert "Traceback" not in errors
    (result,) = results(tmp_path)
    assert (result["status"], result["reason"]) == ("KILLED", "stopped by Ctrl-C")
    assert [status for _, status in statuses(tmp_path)] == ["KILLED"]


def test_run_of_a_killed_process_is_closed_at_the_next_start(
    run_command: Any, tmp_path: Path
) -> None:
    process = start_endless(tmp_path)
    deadline = time.monotonic() + 60  # a thread sends records while the job trains
    while not (tmp_path / "outputs" / "mlflow.db").exists() or not statuses(tmp_path):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    process.kill()
    process.communicate()
    assert [status for _, status in statuses(tmp_path)] == ["RUNNING"]
    assert run_command(*SMALL).returncode == 0
    ended = [status for _, status in statuses(tmp_path)]
    assert ended == ["FINISHED", "KILLED"]


def test_jax_trains_the_same_job(run_command: Any, tmp_path: Path) -> None:
    pytest.importorskip("jax")
    done = run_command(*SMALL, "backend=jax", cold=True)
    assert done.returncode == 0, done.stderr
    (result,) = results(tmp_path)
    assert result["metrics"]["test_loss"] > 0
    assert "CPU, jax" in done.stdout
    cache = Path(os.environ["XDG_CACHE_HOME"], "experiments")
    assert list(cache.glob("jax-*/jit_train_step-*-cache"))


def test_help_and_config_are_shown_without_running(
    run_command: Any, tmp_path: Path
) -> None:
    shown = run_command("--help").stdout
    assert "resnet50_notebook" in shown
    assert "lr: 0.0001" in shown
    shown = run_command("--cfg", "job", "model=resnet18").stdout
    assert "depth: 18" in shown
    assert "hydra:" not in shown
    assert os.listdir(tmp_path) == []  # noqa: PTH208


def test_python_without_the_packages_says_how_to_get_them() -> None:
    bare = [sys.executable, "-I", "-S", str(ROOT / "run.py")]  # nothing is installed
    done = subprocess.run(bare, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    (told,) = done.stderr.splitlines()
    assert "lacks the package omegaconf" in told
    assert "source .venv/bin/activate" in told
