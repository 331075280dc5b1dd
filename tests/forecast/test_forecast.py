"""A plan as it is typed: what it says, what it leaves and how it ends."""

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from experiments import launch
from experiments.forecast import measure as measuring
from experiments.forecast import page, past
from experiments.forecast.measure import lengthen, shorten
from experiments.forecast.past import describe_run, is_alike, list_past
from experiments.forecast.words import about
from experiments.jobs.job import JobResult
from experiments.launch import command_line, processes
from experiments.records import stamp
from experiments.tracking.spool.flatten import flatten_config
from tests.conftest import CONF

SMALL = ("model=resnet20_cifar", "dataset=synthetic_small", "gpu=cpu")
Typed = Callable[..., tuple[int, str]]


@pytest.fixture
def typed(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Typed:
    """Types a command line in an empty folder; returns exit code and output."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command_line, "guard_screen", lambda: None)
    for name in (processes.SAFE_PATH_VARIABLE, processes.PROCESS_VARIABLE):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv(processes.SCRIPT_VARIABLE, "run.py")
    monkeypatch.setenv("EXPERIMENTS_LOCAL_KEYS", "")

    def run(*words: str) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["run.py", *words])
        code = launch.main(_never, config_path=str(CONF))
        output = capsys.readouterr()
        return code, output.out + output.err

    return run


def _never(_: Any) -> None:
    raise AssertionError("A job was started.")


def list_files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def folders(output: str) -> list[str]:
    """Returns the folders of the jobs that a plan lists."""
    lines = [line for line in output.splitlines() if line.startswith("  ")]
    return [line.partition("  (")[0].split()[-1] for line in lines]


@pytest.fixture
def sweep(typed: Typed, check: Any) -> Path:
    """The folder of a sweep over three seeds, which nobody has run."""
    plan = check(*SMALL, "seed=0,1,2", multirun=True)
    return Path(plan.folder)


def keep_result(folder: Path, **changes: Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    values = {"name": "job", "status": "FINISHED", "epochs": 5, **changes}
    JobResult(output_dir=str(folder), **values).save()


def keep_manifest(folder: Path, epoch: int, step: int = 0) -> None:
    record = {"epoch": epoch, "step": step, "file": "a.safetensors", "sha256": "0"}
    content = {"monitor": "val_accuracy", "mode": "max", "best": None, "last": [record]}
    path = folder / "checkpoints" / "manifest.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(stamp(content)))


def test_a_plan_lists_the_jobs_and_leaves_nothing(typed: Typed, tmp_path: Path) -> None:
    code, output = typed("-m", *SMALL, "seed=0,1", "plan=true")
    assert code == 0
    assert "2 jobs in outputs/sweeps/seed-" in output
    assert "nothing was started" in output
    assert [folder[:6] for folder in folders(output)] == ["seed_0", "seed_1"]
    assert "time         unknown: no job like them has run on this machine" in output
    assert list_files(tmp_path) == set()


def test_a_job_and_its_plan_have_the_same_folder(typed: Typed, check: Any) -> None:
    _, output = typed(*SMALL, "plan=true")
    assert folders(output) == [check(*SMALL).folder.name]


def test_each_job_is_told_with_what_it_has_come_to(
    typed: Typed, sweep: Path, check: Any
) -> None:
    first, second, third = check(*SMALL, "seed=0,1,2", multirun=True).job_folders
    keep_result(sweep / first)
    keep_manifest(sweep / second, 3, step=4)
    keep_result(sweep / third, status="FAILED", reason="loss is NaN")
    before = list_files(sweep)
    code, output = typed("-m", *SMALL, "seed=0,1,2", "plan=true")
    assert code == 0
    assert f"finished     1 job\n  seed=0  {first}\n" in output
    assert f"  seed=1  {second}  (after epoch 3 and 4 steps)\n" in output
    assert f"  seed=2  {third}  (failed before: loss is NaN)\n" in output
    assert list_files(sweep) == before
    _, output = typed(
        "-m", *SMALL, "seed=0,1,2", "plan=true", "sweep.retry_failed=false"
    )
    assert "failed       1 job" in output


def test_a_job_that_another_process_holds_ends_the_plan_with_1(
    typed: Typed, sweep: Path, check: Any
) -> None:
    first, *_ = check(*SMALL, "seed=0,1,2", multirun=True).job_folders
    (sweep / first).mkdir(parents=True)
    holder = {"pid": 7, "host": "elsewhere", "since": "2026-01-01 00:00:00"}
    (sweep / first / "job.holder.json").write_text(json.dumps(stamp(holder)))
    with FileLock(sweep / first / "job.lock"):
        code, output = typed("-m", *SMALL, "seed=0,1,2", "plan=true")
    assert code == 1
    assert "held by process 7 on elsewhere since 2026-01-01 00:00:00" in output


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("gpu=1", "gpu names a GPU, and this machine shows none. Received: 1."),
        ("trainer.batch_size=10000000", "would need about"),
        ("optimizer.lr=-1", "optimizer.lr must be a number > 0."),
    ],
)
def test_what_is_in_the_way_ends_the_plan_with_2(
    typed: Typed, monkeypatch: pytest.MonkeyPatch, word: str, message: str
) -> None:
    monkeypatch.setattr(
        "experiments.forecast.obstacles.may_have_accelerator", lambda: False
    )
    words = ["model=resnet20_cifar", "dataset=synthetic_small", word]
    if word.startswith("trainer"):
        words += ["dataset.images=10000000", "dataset.image_size=1024"]
    code, output = typed("-m", *words, "seed=0,1", "plan=true")
    assert code == 2
    assert message in output
    assert word == "optimizer.lr=-1" or "(2 jobs)" in output


@pytest.mark.parametrize("more", [(), ("-m", "seed=0,1")])
def test_images_that_are_not_there_end_the_plan_with_2(
    typed: Typed, tmp_path: Path, more: tuple[str, ...]
) -> None:
    words = ("dataset=folder", "dataset.path=photos", "plan=true")
    code, output = typed(*more, SMALL[0], *words)
    assert code == 2
    assert "dataset.path" in output
    assert list_files(tmp_path) == set()


def test_a_plan_that_nothing_would_follow_is_refused(typed: Typed) -> None:
    code, output = typed("task=sync", "plan=true")
    assert code == 2
    assert "plan is not used by task=sync." in output


def test_jobs_that_another_sweeper_decides_on_are_not_known(
    typed: Typed, tmp_path: Path
) -> None:
    own = tmp_path / "own" / "hydra" / "sweeper" / "mine.yaml"
    own.parent.mkdir(parents=True)
    own.write_text("_target_: guest.Sweeper\n")
    words = ("--config-dir", "own", "hydra/sweeper=mine", "seed=0,1", *SMALL)
    allowed = "allowed_targets=[experiments,keras.optimizers,keras.callbacks,guest]"
    code, output = typed("-m", *words, allowed, "plan=true")
    assert code == 2
    assert "plan knows no jobs: a sweeper of your own decides on them" in output


def test_a_long_plan_is_counted_and_shown_on_request(typed: Typed) -> None:
    words = ("-m", *SMALL, "seed=range(0,50)")
    _, output = typed(*words, "plan=true")
    assert len(folders(output)) == 6
    assert "new          50 jobs" in output
    assert "... and 45 more; plan=all shows them" in output
    assert len(folders(typed(*words, "plan=all")[1])) == 50


def test_a_search_says_how_many_trials_are_left(typed: Typed, tmp_path: Path) -> None:
    code, output = typed(
        "-m", "hydra/sweeper=keras_tuner", *SMALL, "seed=0,1", "plan=true"
    )
    assert code == 0
    assert "trials       0 trials ended, 20 left" in output
    assert list_files(tmp_path) == set()


# What jobs of before took.


def write_past(folder: Path, values: dict[str, str], **changes: Any) -> None:
    """Leaves the journal of a job with three epochs of 10 s and 7 s around them."""
    tags = {
        "experiments.process.host": changes.get("host", socket.gethostname()),
        "device": changes.get("device", "cpu"),
    }
    target = {
        "uri": None,
        "experiment": "a",
        "ui_url": None,
        "server_timeout": 30,
    }
    opening = {
        "job_id": "0" * 32,
        "resumed": 0,
        "name": "job",
        "tags": tags,
        "parent": None,
        "target": target,
    }
    lines = [("session", 0, opening), ("planned", 0, {"values": values})]
    for epoch in (1, 2, 3):
        metrics = {"step": epoch, "values": {"epoch_seconds": 8.0, "loss": 1.0}}
        lines.append(("metrics", 4 + 10 * epoch, metrics))
    lines.append(("end", 37, {"status": "FINISHED", "reason": None}))
    path = folder / "tracking" / "journal.jsonl"
    path.parent.mkdir(parents=True)
    written = [
        stamp({"kind": kind, "time": 1_790_000_000_000 + 1000 * t, "content": content})
        for kind, t, content in lines
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in written))


def recorded(check: Any, *words: str) -> dict[str, str]:
    """Returns a config as a journal has it."""
    from experiments.config.validation import resolve

    return flatten_config(resolve(check(*words).config))


def test_time_and_disk_are_those_of_jobs_like_it(
    typed: Typed, check: Any, tmp_path: Path
) -> None:
    values = recorded(check, *SMALL, "seed=9", "optimizer.lr=1e-2")
    folder = tmp_path / "outputs" / "runs" / "before"
    write_past(folder, values)
    (folder / "weights").write_bytes(bytes(5_000_000))
    keep_result(folder, run_id="abc")
    stored = tmp_path / "outputs" / "artifacts" / "1" / "abc" / "model"
    stored.parent.mkdir(parents=True)
    stored.write_bytes(bytes(4_000_000))
    (found,) = list_past(tmp_path / "outputs")
    # 37 s from start to end, of which three epochs took 10 s each.
    assert (found.epoch_seconds, found.other_seconds) == (10, 7)
    _, output = typed("-m", *SMALL, "seed=0,1", "trainer.epochs=20", "plan=true")
    # Two jobs of 7 s and 20 epochs.
    assert "time         about 6.9 min, judged by 1 earlier job" in output
    assert "disk         about 18 MB; " in output
    _, output = typed(
        "-m", *SMALL, "seed=0,1", "trainer.epochs=20", "plan=true",
        "hydra/launcher=joblib", "hydra.launcher.n_jobs=2",
    )  # fmt: skip
    assert "time         about 3.5 min with 2 side by side" in output
    _, output = typed(
        "-m", *SMALL, "seed=0,1,2,3", "trainer.epochs=20", "plan=true",
        "hydra/launcher=submitit_slurm", "hydra.launcher.array_parallelism=2",
    )  # fmt: skip
    assert "time         about 6.9 min with 2 side by side" in output


@pytest.mark.parametrize(
    ("words", "changes"),
    [
        (["trainer.batch_size=8"], {}),
        (["model=plain20_cifar"], {}),
        (["dataset.images=70"], {}),
        ([], {"host": "elsewhere"}),
        ([], {"device": "gpu"}),
    ],
)
def test_other_jobs_say_nothing(
    typed: Typed, check: Any, tmp_path: Path, words: list[str], changes: dict[str, str]
) -> None:
    values = recorded(check, *SMALL, *words)
    write_past(tmp_path / "outputs" / "runs" / "before", values, **changes)
    assert "time         unknown" in typed(*SMALL, "plan=true")[1]


def test_what_is_left_of_a_job_is_what_it_takes(
    typed: Typed, check: Any, tmp_path: Path
) -> None:
    write_past(tmp_path / "outputs" / "runs" / "before", recorded(check, *SMALL))
    keep_manifest(check(*SMALL, "trainer.epochs=9").folder, 7)
    _, output = typed(*SMALL, "trainer.epochs=9", "plan=true")
    assert "to continue  1 job" in output
    assert "time         about 27 s" in output


def test_a_config_is_like_the_record_of_itself(check: Any) -> None:
    """Every trained option: numbers, lists and what a schema fills in included."""
    for words in (
        ("experiment=imagenet_resnet50", "dataset.path=/data"),
        ("experiment=cifar10_resnet110",),
        ("augment=inception_crop", "optimizer=sgd", "schedule=step"),
    ):
        plan = check(*words)
        found = past.Past(
            values=recorded(check, *words),
            host="",
            device=None,
            epoch_seconds=1,
            train_seconds=1,
            other_seconds=1,
            bytes=1,
        )
        assert is_alike(describe_run(plan.run), found)


# Steps that are measured.


def make_past(**changes: Any) -> past.Past:
    values = {
        "values": {},
        "host": socket.gethostname(),
        "device": "cpu",
        "epoch_seconds": 6.0,
        "train_seconds": 4.0,
        "other_seconds": 20.0,
        "bytes": 10**6,
        **changes,
    }
    return past.Past(**values)


def test_measured_steps_are_lengthened_to_whole_epochs(check: Any) -> None:
    run = check(*SMALL, "trainer.batch_size=10").run
    # 8 steps of 100 took 4 s, and 8 of 20 steps of validation 2 s.
    whole = lengthen(make_past(), run, {"train": 1009, "validation": 195})
    assert whole.train_seconds == pytest.approx(50)
    assert whole.epoch_seconds == pytest.approx(55)
    # Fewer steps than are measured have been measured whole.
    small = lengthen(make_past(), run, {"train": 40, "validation": 20})
    assert (small.train_seconds, small.epoch_seconds) == (4, 6)


def test_what_is_measured_is_the_job_in_another_folder(check: Any) -> None:
    job = (
        *SMALL,
        "output_dir=mine",
        "tracking=off",
        "trainer.epochs=90",
        "plan=measure",
    )
    words = shorten(job, check(*job).run)
    shortened = check(*words).run
    assert shortened.trainer.epochs == 2
    assert shortened.trainer.max_steps_per_epoch == 8
    assert shortened.tracking.enabled
    assert shortened.model == check(*SMALL).run.model
    assert not any(word.startswith(("output_dir", "plan")) for word in words)


def test_each_kind_of_job_is_measured_once(
    typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def measure(job: Any, run: Any, flags: Any) -> Any:
        asked.append(job)
        return make_past()

    monkeypatch.setattr("experiments.forecast.forecast.measure", measure)
    words = ("-m", "model=resnet20_cifar,plain20_cifar", "seed=0,1,2", *SMALL[1:])
    code, output = typed(*words, "trainer.epochs=10", "plan=measure")
    assert code == 0
    assert ["model=resnet20_cifar" in job for job in asked] == [True, False]
    # Six jobs of 20 s and ten epochs of 6 s.
    assert "time         about 8.0 min, measured on some steps of each kind" in output


def test_a_job_whose_steps_fail_is_told(
    check: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script = "import sys; sys.exit('The images are gone.')"
    monkeypatch.setattr(measuring, "command_words", lambda: ["python3", "-c", script])
    assert measuring.measure(SMALL, check(*SMALL).run, ()) is None
    assert "could not be measured: The images are gone." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "1 s"), (119, "119 s"), (120, "2.0 min"), (3600, "60 min"), (9000, "2.5 h"),
     (100_000, "28 h"), (260_000, "3.0 days")],
)  # fmt: skip
def test_a_time_is_said_as_it_is_known(seconds: float, text: str) -> None:
    assert about(seconds) == text


def test_too_full_a_disk_ends_the_plan_with_1(
    typed: Typed, check: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "outputs" / "runs" / "before"
    write_past(folder, recorded(check, *SMALL, "seed=9"))
    monkeypatch.setattr(page, "find_free", lambda _: 100)
    code, output = typed(*SMALL, "plan=true")
    assert code == 1
    assert os.sep in output
