from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from experiments.config.kinds.destination import Destination
from experiments.errors import DataError, Preempted, RestartNeeded
from experiments.fitting import record
from experiments.runtime.devices import Devices
from experiments.tracking.spool.inputs import DatasetInput

PLACE = Destination(output_dir=Path("outputs"), uri="http://server")
DATASET = SimpleNamespace(
    name="digits",
    class_names=("zero", "one"),
    image_shape=(8, 8, 1),
    mean=(0.25,),
    std=(0.5,),
    fingerprint=SimpleNamespace(
        as_dict=lambda: {"content": "c0ffee", "split": "5eed", "counts": {"train": [1]}}
    ),
    skipped_files=(),
    findings={},
)


@dataclass
class Cost:
    parameters: int = 10
    flops_per_image: int = 20


class Recorder:
    """A tracker that only notes its calls, and files by their path."""

    def __init__(self, run_id: str | None = "run") -> None:
        self.run_id = run_id
        self.enabled = run_id is not None
        self.resumed = 0
        self.opened: dict[str, Any] = {}
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *args, **more: self.calls.append((name, args, more))

    def calls_of(self, name: str) -> list[Any]:
        return [args for called, args, _ in self.calls if called == name]

    def files(self) -> dict[str, Any]:
        logged = ("log_dict", "log_text", "log_figure")
        return {args[1]: args[0] for name in logged for args in self.calls_of(name)}


class Batches:
    """A pipeline of endless batches, of which only the first may be drawn."""

    def take(self, count: int) -> "Batches":
        assert count == 1
        return self

    def as_numpy_iterator(self) -> Iterator[tuple[list[str], list[int]]]:
        yield ["image0", "image1", "image2"], [0, 1, 0]


@pytest.fixture
def tracker(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    recorder = Recorder()

    def open_tracker(**given: Any) -> Recorder:
        recorder.opened = given
        return recorder

    environment = SimpleNamespace(
        tags=lambda: {"python": "3.11"},
        as_dict=lambda: {"packages": {}},
        code=SimpleNamespace(diff="+line"),
    )
    monkeypatch.setattr(record, "open_tracker", open_tracker)
    monkeypatch.setattr(record, "describe_environment", lambda: environment)
    return recorder


@pytest.fixture
def job(tmp_path: Path) -> Any:
    run = SimpleNamespace(
        destination=lambda: PLACE,
        tracking=SimpleNamespace(drain_seconds=7),
        seed=3,
        tags={"note": "first"},
    )
    return SimpleNamespace(
        run=run,
        resolved={"seed": 3, "model": {"depth": 18}},
        overrides=("seed=3",),
        choices={"dataset": "digits", "model": "resnet18", "mine": "one"},
        links={},
        name="mine",
        output_dir=tmp_path / "job",
        sweep_dir=tmp_path / "sweep",
    )


def test_run_is_opened_with_name_parent_and_tags(tracker: Recorder, job: Any) -> None:
    with record.open_run(job) as opened:
        assert opened is tracker
    assert tracker.opened == {
        "destination": PLACE,
        "drain_seconds": 7,
        "folder": job.output_dir,
        "run_name": "mine",
        "parent_dir": job.sweep_dir,
        "tags": {
            "choice.model": "resnet18",
            "choice.dataset": "digits",
            "choice.mine": "one",
            "note": "first",
            "seed": 3,
        },
    }
    # MLflow's pages show them in the order in which they come.
    assert list(tracker.opened["tags"])[:3] == [
        "choice.model",
        "choice.dataset",
        "choice.mine",
    ]


@pytest.mark.parametrize(
    ("devices", "resumed", "tags"),
    [
        (Devices(("0",)), 0, {"device": "gpu"}),
        (Devices((), "No GPU."), 0, {"device": "cpu", "device.note": "No GPU."}),
        # What an earlier process ran on must not be told of this one.
        (Devices(("0",)), 1, {"device": "gpu", "device.note": "none"}),
    ],
)
def test_device_and_why_it_was_taken_are_tags(
    devices: Devices, resumed: int, tags: dict[str, str]
) -> None:
    tracker = Recorder()
    tracker.resumed = resumed
    record.log_devices(tracker, devices)  # type: ignore[arg-type]
    assert tracker.calls_of("set_tags") == [(tags,)]


def test_origin_is_recorded_before_the_job_starts(tracker: Recorder, job: Any) -> None:
    with record.open_run(job):
        params = {**job.choices, "seed": "3", "model.depth": "18"}
        assert tracker.calls_of("plan_params") == [(params,)]
        assert tracker.calls_of("set_tags") == [({"python": "3.11"},)]
        assert tracker.files() == {
            "config/config.yaml": {"seed": 3, "model": {"depth": 18}},
            "config/overrides.yaml": {"overrides": ["seed=3"]},
            "config/choices.yaml": job.choices,
            "environment.yaml": {"packages": {}},
            "code.diff": "+line",
        }


def test_untracked_run_does_not_describe_the_machine(
    tracker: Recorder, job: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracker.enabled = False
    monkeypatch.setattr(record, "describe_environment", lambda: pytest.fail("asked"))
    with record.open_run(job):
        assert "environment.yaml" not in tracker.files()


def test_finished_run_is_closed_once_and_only_at_the_end(
    tracker: Recorder, job: Any
) -> None:
    with record.open_run(job):
        assert tracker.calls_of("finish") == []
    assert tracker.calls_of("finish") == [("FINISHED",)]


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (KeyboardInterrupt(), "KILLED", "stopped by Ctrl-C"),
        (Preempted("SIGTERM"), "KILLED", "stopped by SIGTERM"),
        (DataError("No file."), "FAILED", "No file."),
        (ValueError("odd"), "FAILED", "ValueError: odd"),
        (SystemExit(0), "FAILED", "Code of the job called sys.exit(0)"),
        (GeneratorExit(), "FAILED", "GeneratorExit"),
    ],
)
def test_run_that_does_not_finish_is_closed_with_its_reason(
    tracker: Recorder, job: Any, error: BaseException, status: str, reason: str
) -> None:
    with pytest.raises(type(error)), record.open_run(job):
        raise error
    assert tracker.calls[-1] == ("finish", (status, reason), {})
    told = [text for (text,) in tracker.calls_of("describe")]
    # What is stopped goes on by the same command, and its plan still holds.
    assert len(told) == (status == "FAILED")
    assert all(f"failed: {reason.rstrip('.')}. The same" in text for text in told)


def test_settings_of_a_run_that_a_fresh_process_continues_stay_open(
    tracker: Recorder, job: Any
) -> None:
    with pytest.raises(RestartNeeded), record.open_run(job):
        raise RestartNeeded("Out of memory.")
    reason = "stopped by Out of memory."
    assert tracker.calls[-1] == ("finish", ("KILLED", reason), {"settled": False})


def test_run_whose_origin_cannot_be_recorded_is_closed_too(
    tracker: Recorder, job: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise OSError("disk full")

    monkeypatch.setattr(record, "describe_environment", fail)
    with pytest.raises(OSError, match="disk full"), record.open_run(job):
        pytest.fail("the job must not start")
    assert tracker.calls_of("finish") == [("FAILED", "OSError: disk full")]


def test_what_model_and_data_turned_out_to_be_is_recorded() -> None:
    tracker = Recorder()
    choices = {"jit": True, "onednn": False}
    record.log_start(tracker, DATASET, Cost(), choices, 78)  # type: ignore[arg-type]
    derived = {
        "derived.parameters": "10",
        "derived.flops_per_image": "20",
        "derived.steps_per_epoch": "78",
        "derived.jit": "true",
        "derived.onednn": "false",
    }
    tags = {"experiments.data.content": "c0ffee", "experiments.data.split": "5eed"}
    assert tracker.calls_of("set_tags") == [(derived,), (tags,)]
    assert not tracker.calls_of("plan_params")
    assert tracker.files() == {
        "data/fingerprint.json": {
            "content": "c0ffee",
            "split": "5eed",
            "counts": {"train": [1]},
            "classes": ["zero", "one"],
            "image": {"shape": [8, 8, 1], "mean": [0.25], "std": [0.5]},
        }
    }


def test_skipped_files_are_recorded_with_their_reasons() -> None:
    tracker = Recorder()
    file = SimpleNamespace(path="a.png", reason="is cut")
    dataset = SimpleNamespace(**{**vars(DATASET), "skipped_files": (file,)})
    record.log_start(tracker, dataset, Cost(), {}, 1)  # type: ignore[arg-type]
    assert tracker.files()["data/skipped_files.json"] == {"a.png": "is cut"}


def test_what_was_found_in_a_folder_is_recorded() -> None:
    tracker = Recorder()
    findings = {"unused": ["extra"], "in_several_splits": [["a.png", "b.png"]]}
    dataset = SimpleNamespace(**{**vars(DATASET), "findings": findings})
    record.log_start(tracker, dataset, Cost(), {}, 1)  # type: ignore[arg-type]
    assert tracker.files()["data/findings.json"] == findings


def test_picture_grid_shows_the_first_batch_with_class_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tracker = Recorder()
    monkeypatch.setattr(
        "experiments.pictures.image_grid.draw_grid", lambda *given: given
    )
    record.log_picture_grid(tracker, DATASET, Batches())  # type: ignore[arg-type]
    drawn = (["image0", "image1", "image2"], [0, 1, 0], ("zero", "one"))
    assert tracker.files() == {"data/training_images.png": drawn}


def test_learning_curves_mark_the_best_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    tracker = Recorder()
    monkeypatch.setattr(
        "experiments.pictures.learning_curves.draw_learning_curves",
        lambda epochs, **given: (epochs, given),
    )
    epochs = [{"loss": 2.0}, {"loss": 1.0}]
    record.log_learning_curves(tracker, epochs, 2, 0.1, ["it"], [1])  # type: ignore[arg-type]
    options = {"label_smoothing": 0.1, "loss": ["it"], "borders": [1]}
    drawn = (epochs, {"best_epoch": 2, **options})
    assert tracker.files() == {"learning_curves.png": drawn}


def test_metrics_of_an_epoch_are_one_request_at_its_step() -> None:
    tracker = Recorder()
    log = record.epoch_logger(tracker, "val_loss")  # type: ignore[arg-type]
    log(4, {"loss": 1.0, "accuracy": 0.5})
    metrics = {"loss": 1.0, "accuracy": 0.5}
    assert tracker.calls == [("log_metrics", (metrics,), {"step": 4})]


def test_what_is_compared_is_the_first_metric_of_an_epoch() -> None:
    tracker = Recorder()
    log = record.epoch_logger(tracker, "val_accuracy")  # type: ignore[arg-type]
    log(1, {"accuracy": 0.5, "val_accuracy": 0.25})
    ((metrics,),) = tracker.calls_of("log_metrics")
    assert list(metrics.items()) == [("val_accuracy", 0.25), ("accuracy", 0.5)]


def test_only_what_a_person_can_set_is_a_parameter(tracker: Recorder, job: Any) -> None:
    job.choices = {"model": "resnet18"}
    job.resolved = {
        "trainer": {"batch_size": 32},
        "model": {"_target_": "a.b", "depth": 18},
        "callbacks": {"timing": {"batch_size": 32}, "other": {"batch_size": 8}},
    }
    link = "${trainer.batch_size}"
    job.links = {f"callbacks.{name}.batch_size": link for name in ("timing", "other")}
    with record.open_run(job):
        pass
    # A value of `other` is its own by now, as a recorded one may be.
    assert tracker.calls_of("plan_params") == [
        (
            {
                "model": "resnet18",
                "trainer.batch_size": "32",
                "model.depth": "18",
                "callbacks.other.batch_size": "8",
            },
        )
    ]


def test_final_scores_belong_to_the_best_epoch() -> None:
    tracker = Recorder()
    metrics = {"best_epoch": 3.0, "test_accuracy": 0.9}
    record.log_result(tracker, metrics)  # type: ignore[arg-type]
    told = {"step": 3, "of_model": True}
    assert tracker.calls == [("log_metrics", (metrics,), told)]


def test_splits_are_data_sets_with_digest_source_and_context() -> None:
    tracker = Recorder()
    fingerprint = SimpleNamespace(
        parts={"train": "c0ffee", "test": "5eed"},
        counts={"train": [3, 4], "test": [1, 1]},
    )
    dataset = SimpleNamespace(
        name="flowers",
        num_classes=2,
        image_shape=(8, 8, 1),
        fingerprint=fingerprint,
    )
    config = SimpleNamespace(path="/data/flowers", _target_="load_folder")
    record.log_datasets(tracker, dataset, config)  # type: ignore[arg-type]
    common: Any = {"name": "flowers", "folder": "/data/flowers", "code": "load_folder"}
    figures = {"classes": 2, "image": [8, 8, 1]}
    train = DatasetInput(
        digest="c0ffee", context="training", profile={"images": 7, **figures}, **common
    )
    test = DatasetInput(
        digest="5eed", context="test", profile={"images": 2, **figures}, **common
    )
    assert tracker.calls_of("log_datasets") == [([train, test],)]


def test_model_is_recorded_with_class_names_and_two_images_as_example() -> None:
    tracker = Recorder()
    metrics = {"best_epoch": 3.0}
    record.log_model(tracker, "model", DATASET, Batches(), metrics)  # type: ignore[arg-type]
    wanted = {
        "example": ["image0", "image1"],
        "metadata": {"class_names": ["zero", "one"], "dataset": "digits"},
        "step": 3,
    }
    assert tracker.calls == [("log_model", ("model",), wanted)]


@pytest.mark.parametrize("error", [None, DataError("gone"), Preempted("SIGTERM")])
def test_log_goes_to_the_run_before_it_is_closed(
    tracker: Recorder, job: Any, error: BaseException | None
) -> None:
    job.output_dir.mkdir()
    (job.output_dir / "run.log").write_text("epoch 1/1\n")

    with suppress(DataError, Preempted), record.open_run(job):
        if error is not None:
            raise error

    names = [name for name, _, _ in tracker.calls]
    assert names.index("log_file") < names.index("finish")
    assert tracker.calls_of("log_file") == [(job.output_dir / "run.log",)]


def test_log_that_is_a_link_is_nobody_s_record(tracker: Recorder, job: Any) -> None:
    job.output_dir.mkdir()
    secret = job.output_dir / "elsewhere"
    secret.write_text("secret")
    (job.output_dir / "run.log").symlink_to(secret)

    with record.open_run(job):
        pass

    assert tracker.calls_of("log_file") == []
