"""The main job, in this process, on a network of one block."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from experiments.errors import ConfigError, DataError, ExperimentError
from tests.tiny import TINY

LEARNABLE = [*TINY, "dataset=synthetic", "dataset.images=320", "dataset.classes=4"]
LEARNING = [*LEARNABLE, "optimizer.lr=1e-2", "trainer.epochs=4", "+tags.a=b"]


@pytest.fixture(scope="module")
def client() -> Any:
    from experiments.tracking.store.mlflow_import import import_mlflow

    mlflow = import_mlflow()
    return lambda folder: mlflow.MlflowClient(f"sqlite:///{folder}/mlflow.db")


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Holds the runs that several tests look at."""
    return tmp_path_factory.mktemp("outputs")


@pytest.fixture(scope="module")
def learnt(run_job_in: Any, outputs: Path) -> Any:
    """The result of a run that learns what it is given."""
    return run_job_in(outputs, *LEARNING)


@pytest.fixture(scope="module")
def untracked(run_job_in: Any, outputs: Path) -> Any:
    """The result of a run that writes for TensorBoard and nobody else."""
    folder = outputs / "untracked"
    written = ["callbacks=[default,tensorboard]", "tracking=off", "seed=1"]
    return run_job_in(folder, *TINY, "debug=one_step", *written)


def test_run_holds_all_that_is_needed_to_trust_and_repeat_it(
    learnt: Any, client: Any, outputs: Path
) -> None:
    result = learnt
    store = client(outputs)
    run = store.get_run(result.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params["optimizer.lr"] == "0.01"
    assert run.data.tags["derived.steps_per_epoch"] == "12"
    assert run.data.tags["a"] == "b"
    assert run.data.tags["device"] == "cpu"
    assert {
        "experiments.data.content",
        "experiments.data.split",
        "experiments.hardware.cpu",
    } <= set(run.data.tags)
    for metric in ("loss", "val_accuracy", "lr", "images_per_second", "epoch_seconds"):
        history = store.get_metric_history(result.run_id, metric)
        assert [point.step for point in history] == [1, 2, 3, 4]
    for what in ("data", "callbacks", "saving", "tracking"):
        history = store.get_metric_history(result.run_id, f"time/{what}")
        assert [point.step for point in history] == [1, 2, 3, 4]
        assert all(0 <= point.value <= 1 for point in history)
    assert run.data.metrics["test_accuracy"] == result.metrics["test_accuracy"]
    names = {file.path for file in store.list_artifacts(result.run_id)}
    assert {"config", "data", "environment.yaml", "learning_curves.png"} <= names
    assert {file.path for file in store.list_artifacts(result.run_id, "data")} == {
        "data/fingerprint.json",
        "data/training_images.png",
    }


def test_learnable_data_is_learnt_and_the_best_epoch_is_kept(learnt: Any) -> None:
    assert learnt.objective == learnt.metrics["best_val_accuracy"]
    assert learnt.metrics["best_val_accuracy"] > 0.5  # four classes: 0.25 by chance
    assert learnt.metrics["test_accuracy"] > 0.5


def test_best_epochs_weights_are_the_ones_that_are_tested(run_job: Any) -> None:
    """The rate explodes after the first epoch, so that the last epoch is worse."""
    result = run_job(
        *LEARNABLE,
        "optimizer=sgd",
        "optimizer.lr=0.05",
        "optimizer.global_clip_norm=1.0",
        "trainer.epochs=4",
        "task.picture_grid=false",
    )
    manifest = Path(result.output_dir) / "checkpoints" / "manifest.json"
    best = json.loads(manifest.read_text())["best"]
    assert best["epoch"] == result.metrics["best_epoch"]
    assert best["value"] == result.metrics["best_val_accuracy"]


def test_same_seed_gives_the_same_numbers_and_another_seed_others(
    run_job: Any, untracked: Any
) -> None:
    options = [*TINY, "debug=one_step", "tracking=off"]
    again, other = (run_job(*options, f"seed={s}").metrics for s in (1, 2))
    assert untracked.metrics == again
    assert again != other


def test_diverged_run_fails_with_its_reason(
    run_job: Any, client: Any, tmp_path: Path
) -> None:
    with pytest.raises(ExperimentError, match="oss became nan") as error:
        run_job(
            *TINY,
            "optimizer=sgd",
            "optimizer.lr=1e6",
            "schedule=constant",
            "model.bn_momentum=0.0",
            "trainer.epochs=3",
        )
    store = client(tmp_path / "outputs")
    (run,) = store.search_runs(["1"])
    assert run.info.status == "FAILED"
    assert run.data.tags["status.reason"] == str(error.value)


def test_tracking_off_leaves_local_files_only(untracked: Any, outputs: Path) -> None:
    assert untracked.run_id is None
    assert not (outputs / "untracked" / "mlflow.db").exists()


OVERFITTING = [*TINY, "model.width=32", "model.blocks=[1,1]", "debug=overfit"]


def test_batch_that_is_learnt_by_heart_ends_the_training(
    run_job: Any, capsys: Any
) -> None:
    result = run_job(*OVERFITTING, "optimizer.lr=1e-2", "tracking=off")
    assert result.metrics["best_train_loss"] < 0.01
    assert result.epochs < 2000
    words = f"learnt this batch by heart: loss {result.metrics['best_train_loss']:.3g}"
    assert str(result.reason).startswith(words)
    output = capsys.readouterr().out
    assert f"verdict        {words}" in output
    assert "Stopped early" not in output


def test_batch_that_cannot_be_learnt_fails_the_job(
    run_job: Any, client: Any, tmp_path: Path
) -> None:
    with pytest.raises(ExperimentError, match="Did not learn this batch") as error:
        run_job(*OVERFITTING, "optimizer.lr=1e-12", "trainer.epochs=3")
    assert error.value.exit_code == 1
    assert "in 3 steps, and not below 0.01." in str(error.value)
    assert "optimizer.lr" in str(error.value)


def test_weights_that_are_no_numbers_are_a_verdict_too(
    run_job: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from experiments.training.callbacks.monitors import LearningRateMonitor

    def diverge(self: Any, epoch: int, logs: Any = None) -> None:
        if epoch == 0:
            for weight in self.model.trainable_variables:
                weight.assign(weight * math.nan)

    monkeypatch.setattr(LearningRateMonitor, "on_epoch_end", diverge)
    with pytest.raises(ExperimentError, match="Did not learn this batch") as error:
        run_job(*OVERFITTING, "tracking=off")
    assert error.value.exit_code == 1
    assert "in 2 steps, and not below 0.01; then it was no number" in str(error.value)


def test_tensorboard_writes_events_when_asked(untracked: Any) -> None:
    assert list(Path(untracked.output_dir).rglob("events.out.tfevents.*"))


def test_diverged_run_goes_back_with_a_lower_rate(
    run_job: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loss of the second epoch is made to diverge until the rate is low enough."""
    from experiments.training.callbacks.monitors import (
        DivergedError,
        LearningRateMonitor,
    )

    rates = []

    def diverge(self: Any, epoch: int, logs: Any = None) -> None:
        rates.append((epoch, float(self.model.optimizer.learning_rate)))
        if epoch == 1 and rates[-1][1] > 0.03:
            raise DivergedError("The loss became nan.")

    monkeypatch.setattr(LearningRateMonitor, "on_epoch_begin", diverge, raising=False)
    result = run_job(
        *TINY,
        "optimizer=sgd",
        "optimizer.lr=0.1",
        "schedule=constant",
        "trainer.epochs=3",
        "trainer.on_nan=rollback",
        "trainer.rollback_factor=0.5",
        "tracking=off",
    )
    assert rates == [
        (epoch, pytest.approx(rate))
        for epoch, rate in ((0, 0.1), (1, 0.1), (1, 0.05), (1, 0.025), (2, 0.025))
    ]
    assert result.status == "FINISHED"
    record = json.loads((Path(result.output_dir) / "rollbacks.json").read_text())
    assert record["count"] == 2
    assert "Rollback 2: back to the last checkpoint, with 0.25 times the rate." in (
        caplog.text
    )


def test_rollbacks_are_limited(run_job: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from experiments.training.callbacks.monitors import (
        DivergedError,
        LearningRateMonitor,
    )

    calls = []

    def diverge(self: Any, epoch: int, logs: Any = None) -> None:
        calls.append(epoch)
        raise DivergedError("The loss became nan.")

    monkeypatch.setattr(LearningRateMonitor, "on_epoch_begin", diverge, raising=False)
    with pytest.raises(DivergedError):
        run_job(
            *TINY,
            "trainer.on_nan=rollback",
            "trainer.max_rollbacks=2",
            "tracking=off",
            "schedule=constant",
        )
    assert calls == [0, 0, 0]


def test_paused_job_has_a_result_and_goes_on_to_that_of_training_at_once(
    run_job: Any, learnt: Any, client: Any, tmp_path: Path
) -> None:
    paused = run_job(*LEARNING, "trainer.until_epoch=2")
    assert (paused.end, paused.epochs, paused.status) == ("paused", 2, "FINISHED")
    result = run_job(*LEARNING, folder=Path(paused.output_dir))
    assert (result.end, result.epochs) == ("complete", 4)
    assert result.state_sha256 == learnt.state_sha256
    assert result.metrics == learnt.metrics
    run = client(tmp_path / "outputs").get_run(paused.run_id)
    assert result.run_id == paused.run_id
    assert (run.info.status, run.data.tags["run.end"]) == ("FINISHED", "complete")


@pytest.mark.parametrize(
    ("split", "options"),
    [
        ("train", ["task.picture_grid=true", "dataset.cache=none"]),
        ("train", ["dataset.mean=null", "dataset.std=null"]),
        ("test", ["dataset.cache=none"]),
        pytest.param(
            "train",
            ["task.picture_grid=false", "dataset.cache=none"],
            marks=pytest.mark.slow,
        ),
        pytest.param("train", ["dataset.cache=memory"], marks=pytest.mark.slow),
        pytest.param("val", ["dataset.cache=none"], marks=pytest.mark.slow),
    ],
)
def test_file_that_does_not_decode_is_named_wherever_it_is_first_drawn(
    run_job: Any, tmp_path: Path, split: str, options: list[str]
) -> None:
    """Its first and last bytes, all that `verify=header` looks at, are in order."""
    noise = np.random.RandomState(0).randint(0, 256, (16, 80, 80, 3)).astype("uint8")
    for number, image in enumerate(noise):
        for part in ("train", "val", "test"):
            folder = tmp_path / "images" / part / f"class{number % 2}"
            folder.mkdir(parents=True, exist_ok=True)
            image[0, 0] = len(part)
            Image.fromarray(image).save(folder / f"{number}.png")
    victim = tmp_path / "images" / split / "class1" / "7.png"
    content = victim.read_bytes()
    victim.write_bytes(content[:9000] + bytes(100) + content[9100:])
    data = ["dataset=folder", f"dataset.path={tmp_path / 'images'}"]
    more = ["dataset.verify=header", "dataset.scan_cache=null", "trainer.epochs=1"]
    small = ["trainer.batch_size=16", "schedule=constant", "tracking=off"]
    with pytest.raises(DataError, match=rf"1 image file .*{split}/class1/7\.png is"):
        run_job(*TINY[:-2], *data, "dataset.image_size=16", *more, *small, *options)


def test_a_doubt_is_told_before_anything_is_claimed(
    run_job: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(_: Any) -> None:
        raise DataError("so far")

    monkeypatch.setattr("experiments.tasks.train.claim_devices", refuse)
    with pytest.raises(DataError, match="so far"):
        run_job("optimizer.lr=1e-12")
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "optimizer.lr=1e-12 hardly changes a weight" in caplog.text


def test_images_that_are_not_there_are_told_before_anything_is_claimed(
    run_job: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Any) -> None:
        raise DataError("claimed")

    monkeypatch.setattr("experiments.tasks.train.claim_devices", refuse)
    with pytest.raises(ConfigError, match=r"dataset\.path does not exist: /gone"):
        run_job("dataset=folder", "dataset.path=/gone")


def test_a_job_that_does_not_fit_is_refused_before_its_run_is_opened(
    run_job: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("experiments.config.checks.machine.total_memory", lambda: 10**6)
    with pytest.raises(ConfigError, match="model would need about 282 MB of memory"):
        run_job("gpu=cpu")
    assert not (tmp_path / "outputs" / "mlflow.db").exists()
