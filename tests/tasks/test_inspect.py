"""What `task=inspect` shows is what the training does."""

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from omegaconf import OmegaConf
from PIL import Image

from experiments import job_files
from experiments.forecast.past import Past, describe_run
from experiments.jobs.job import Job
from experiments.tasks import inspect as module
from experiments.tracking.spool.process import host_name
from experiments.training.checkpoints.store import load_last
from tests.data.pictures import all_forms
from tests.tiny import TINY

WORDS = [
    *TINY,
    "dataset=digits",
    "dataset.image_size=8",
    "model.blocks=[1,1]",
    "augment=flip_crop",
    "augment.flip_crop.pad=1",
    "optimizer=sgd",
    "optimizer.lr=0.01",
    "schedule.warmup_epochs=1",
    "trainer.epochs=3",
    "trainer.batch_size=32",
    "trainer.max_steps_per_epoch=4",
    "trainer.max_validation_steps=1",
    "task.evaluate_test=false",
    "task.picture_grid=false",
    "task.predictions=none",
    "tracking=off",
]


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("outputs")


@pytest.fixture(scope="module")
def make_job(check: Any, outputs: Path) -> Any:
    def make(*overrides: str) -> Job:
        words = (*overrides, "task=inspect", f"output_dir={outputs}")
        plan = check(*words)
        plan.folder.mkdir(parents=True, exist_ok=True)
        return Job(
            resolved=OmegaConf.to_container(plan.config, resolve=True),
            output_dir=plan.folder,
            overrides=words,
            name="inspect a network on digits",
        )

    return make


@pytest.fixture(scope="module")
def seen(make_job: Any) -> Any:
    return module.look(make_job(*WORDS, "task.images=8"))


@pytest.fixture(scope="module")
def trained(run_job_in: Any, outputs: Path) -> Any:
    """The first batch that Keras was given, and the metrics of each epoch."""
    import keras

    batches: list[Any] = []
    plain = keras.Model.fit

    def fit(self: Any, x: Any, **options: Any) -> Any:
        batches.append(next(iter(x.take(1).as_numpy_iterator())))
        return plain(self, x, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras.Model, "fit", fit)
        result = run_job_in(outputs / "trained", *WORDS)
    state = load_last(Path(result.output_dir) / job_files.CHECKPOINTS)
    assert state is not None
    return batches[0], state.history


def test_rates_are_those_that_a_training_records(seen: Any, trained: Any) -> None:
    _, history = trained
    recorded = {number: epoch["lr"] for number, epoch in enumerate(history, start=1)}
    assert seen.rates.epochs == recorded
    assert len(recorded) == 3
    assert seen.rates.first == pytest.approx(0.001)  # a tenth of the peak
    assert seen.rates.peak == (4, pytest.approx(0.01))  # after one epoch of four steps


def test_batch_is_the_first_of_the_training(seen: Any, trained: Any) -> None:
    (images, labels), _ = trained
    np.testing.assert_array_equal(seen.batch.images, images)
    np.testing.assert_array_equal(seen.batch.labels, labels)
    # The same images, not augmented; a shift by a pixel is seen.
    assert seen.batch.plain.shape == images.shape
    assert (seen.batch.plain != images).any()
    mean, std = seen.dataset.mean[0], seen.dataset.std[0]
    expected = (images.astype(np.float64) / 255 - mean) / std
    np.testing.assert_allclose(seen.batch.normalised, expected, atol=1e-5)


def test_counts_are_those_of_the_data_set(seen: Any) -> None:
    for split, part in seen.dataset.splits.items():
        counted = Counter(part.labels.tolist())
        assert list(seen.balance.counts[split]) == [counted[n] for n in range(10)]


def test_layers_are_those_of_the_network_that_is_trained(seen: Any) -> None:
    kinds = Counter(layer.kind for layer in seen.layers)
    assert kinds["Conv2D"] == 6  # the stem, two a block, and one on a shortcut
    assert {layer.path for layer in seen.layers} == {(), ("resnet",)}
    assert sum(layer.parameters for layer in seen.layers) == int(
        re.match(r"([\d,]+) parameters", seen.rows["model"])[1].replace(",", "")
    )


def test_screen_and_page_say_it_and_end_with_the_command(
    seen: Any, outputs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = outputs / "inspect.html"
    module.show(seen, page)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 25
    assert lines[0] == "Before training: a network on digits"
    assert lines[-2].split() == ["page", str(page)]
    assert lines[-1].startswith("to train it")
    assert "task=inspect" not in lines[-1]
    assert "task.images" not in lines[-1]
    assert "task.evaluate_test=false" in lines[-1]
    text = page.read_text()
    for heading in ("first batch", "Learning rate", "Classes", "Network", "Config"):
        assert heading in text
    assert text.count("<figure>") == 8 * 2  # with and without augmentation
    assert not re.search(r'(?:src|href)="(?!data:)', text)


def test_nothing_is_trained_or_recorded(make_job: Any) -> None:
    job = make_job(*WORDS, "seed=1", "tracking=sqlite")
    assert module.inspect(job).status == "FINISHED"
    assert [path.name for path in job.output_dir.iterdir()] == [job_files.INSPECTION]
    assert not (Path(job.run.output_dir) / job_files.DATABASE).exists()


def test_photographs_are_measured_as_they_stand_and_doubts_are_told(
    make_job: Any, tmp_path: Path
) -> None:
    forms = all_forms()  # of 60 x 40
    for name, kinds in {"lying": ["jpeg"] * 12, "turned": ["rotated_by_exif"]}.items():
        for split in ("train", "val"):
            (tmp_path / split / name).mkdir(parents=True)
            for number, kind in enumerate(kinds):
                image = tmp_path / split / name / f"{number}.jpg"
                image.write_bytes(forms[kind])
    words = ["dataset=folder", f"dataset.path={tmp_path}", "dataset.image_size=64"]
    changed = ["trainer.batch_size=4", "model.blocks=[1]", "dataset.scan_cache=null"]
    changed.append("model.preprocessing=tf")
    plain = [w for w in WORDS if not w.startswith(("dataset", "augment"))]
    found = module.look(make_job(*plain, *words, *changed, "optimizer.lr=50"))
    assert set(found.sizes.sizes) == {(60, 40)}
    assert found.sizes.total == 26
    assert found.batch.plain is None
    assert found.batch.images.shape == (4, 64, 64, 3)
    # From -1 to 1, and not by the mean of the data set.
    expected = found.batch.images / 127.5 - 1
    np.testing.assert_allclose(found.batch.normalised, expected, atol=1e-5)
    assert found.images.mean == found.images.std == (0.5, 0.5, 0.5)
    told = "\n".join(found.doubts)
    assert "optimizer.lr=50 will throw the weights about" in told
    assert "lying has 12 training images and turned 1" in told
    assert "100 % of the images are enlarged to 64 x 64" in told
    assert "13 images decide which epoch is the best: one image is 7.7 points" in told
    assert "several splits, which makes scores too good: 2" in told
    with Image.open(tmp_path / "train/turned/0.jpg") as image:
        assert image.size == (40, 60)


def test_other_backend_is_looked_at_and_commands_have_pages_of_their_own(
    run_command: Any, tmp_path: Path
) -> None:
    words = [word for word in WORDS if not word.startswith("trainer.")]
    done = run_command("task=inspect", "backend=jax", *words, cold=True)
    assert done.returncode == 0, done.stderr
    assert "CPU, jax, float32, jit on" in done.stdout
    (page,) = tmp_path.glob("outputs/runs/inspect-*/inspect.html")
    assert str(page.relative_to(tmp_path)) in done.stdout
    assert not (tmp_path / "outputs" / job_files.DATABASE).exists()


def test_time_is_judged_by_jobs_like_it(
    make_job: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_job(*WORDS, "gpu=cpu").run
    monkeypatch.setattr(module, "list_past", lambda _: [])
    assert module._describe_time(run).startswith("unknown: no job like it")
    past = Past(
        values=describe_run(run),
        host=host_name(),
        device="cpu",
        epoch_seconds=60.0,
        train_seconds=50.0,
        other_seconds=30.0,
        bytes=1,
    )
    other = replace(past, values={**past.values, "trainer.batch_size": "1"})
    monkeypatch.setattr(module, "list_past", lambda _: [past, other])
    told = "about 60 s an epoch, 3.5 min in all, judged by 1 earlier job"
    assert module._describe_time(run) == told
