"""A run by its records: the same from its folder, by its id, and from MLflow alone."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from scipy.special import softmax

from experiments.api import run
from experiments.api.run import load_run
from experiments.api.training import train
from experiments.command.composing.composed import Config
from experiments.errors import (
    ConfigError,
    DataError,
    ExperimentError,
    TrackingError,
)
from experiments.jobs.job import JobResult
from tests.api.conftest import small
from tests.jobs.left import leave_run

pytestmark = [
    pytest.mark.usefixtures("eager"),
    pytest.mark.filterwarnings("ignore:.*does not apply to tf.data functions"),
]


@pytest.fixture
def moved(result: JobResult, place: Path, tmp_path: Path) -> Path:
    """A copy of `outputs/` in another place, as after a move."""
    shutil.copytree(place / "outputs", tmp_path / "moved")
    return tmp_path / "moved"


def test_run_is_what_was_trained(config: Config, result: JobResult) -> None:
    run = load_run(result)
    assert run.id == result.run_id
    assert (run.name, run.folder) == (result.name, Path(result.output_dir))
    assert run.metrics == result.metrics
    assert run.result == result
    assert run.data == {**config.data}
    assert run.params["optimizer.lr"] == "0.01"
    assert run.tags["derived.steps_per_epoch"] == "2"
    assert run.tags["a"] == "b"


def test_history_has_the_metrics_of_each_epoch(result: JobResult) -> None:
    run = load_run(result)
    best = int(result.metrics["best_epoch"])
    assert len(run.history) == 3
    assert run.history[best - 1]["val_accuracy"] == result.metrics["best_val_accuracy"]
    assert {"loss", "val_loss", "lr"} <= run.history[0].keys()
    assert not [name for name in run.history[0] if name.startswith(("best", "test"))]


def test_checkpoints_are_the_best_and_the_last_ones(result: JobResult) -> None:
    run = load_run(result)
    best = [found for found in run.checkpoints if found.is_best]
    assert [found.epoch for found in best] == [result.metrics["best_epoch"]]
    assert best[0].value == result.metrics["best_val_accuracy"]
    assert run.checkpoints[0].epoch == 3
    assert all(found.path.is_file() for found in run.checkpoints)


def test_model_has_the_best_epochs_weights(result: JobResult) -> None:
    run = load_run(result)
    test = run.dataset().test
    assert test is not None
    model = run.model()
    loss, accuracy = model.evaluate(test.images, test.labels, batch_size=8, verbose=0)
    assert accuracy == pytest.approx(result.metrics["test_accuracy"])
    assert loss == pytest.approx(result.metrics["test_loss"], rel=1e-5)


def test_pipelines_give_what_the_job_was_tested_on(result: JobResult) -> None:
    run = load_run(result)
    loss, _ = run.model().evaluate(run.pipelines().test, verbose=0)
    assert loss == pytest.approx(result.metrics["test_loss"], rel=1e-6)


def test_model_of_another_epoch_is_another_one(result: JobResult) -> None:
    run = load_run(result)
    best = int(run.metrics["best_epoch"])
    images = run.dataset().validation.images
    scores = {
        found.epoch: run.model(found.epoch).predict(images, verbose=0)
        for found in run.checkpoints
    }
    np.testing.assert_array_equal(scores[best], run.model().predict(images, verbose=0))
    other = next(epoch for epoch in scores if epoch != best)
    assert not np.array_equal(scores[best], scores[other])
    with pytest.raises(ExperimentError, match=r"epoch 7 .* not kept\. Kept are: 3, "):
        run.model(7)


def test_model_needs_no_images(
    result: JobResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "build_dataset", None)
    assert load_run(result).model().output_shape == (None, 10)


def test_id_finds_the_folder_wherever_outputs_are_now(
    result: JobResult, moved: Path
) -> None:
    run = load_run(str(result.run_id), output_dir=moved)
    assert run.folder == moved / "runs" / Path(result.output_dir).name
    assert run.metrics == result.metrics
    by_folder = load_run(run.folder)
    assert (by_folder.id, by_folder.history) == (run.id, run.history)


def test_first_characters_of_an_id_are_enough(result: JobResult, moved: Path) -> None:
    run = load_run(str(result.run_id)[:12], output_dir=moved)
    assert run.id == result.run_id
    assert run.folder == moved / "runs" / Path(result.output_dir).name


def test_folder_is_found_where_no_store_knows_its_run(
    result: JobResult, moved: Path, tmp_path: Path
) -> None:
    away = tmp_path / "away"
    shutil.copytree(moved / "runs", away / "runs")
    assert load_run(str(result.run_id), output_dir=away).folder == (
        away / "runs" / Path(result.output_dir).name
    )
    assert [path.name for path in away.iterdir()] == ["runs"]


def test_copies_of_a_run_are_told(
    result: JobResult, moved: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(moved, copy)
    name = Path(result.output_dir).name
    for other in ("one", "two"):
        shutil.copytree(copy / "runs" / name, copy / other)
    shutil.rmtree(copy / "runs" / name)
    with pytest.raises(TrackingError, match="2 folders, copies of each other"):
        load_run(str(result.run_id), output_dir=copy)


def test_run_without_a_folder_is_what_mlflow_has(
    result: JobResult, moved: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    near = load_run(result)
    images = near.dataset().validation.images
    shutil.rmtree(moved / "runs")
    far = load_run(str(result.run_id), output_dir=moved)
    assert (far.folder, far.result, far.checkpoints) == (None, None, [])
    assert (far.id, far.name, far.metrics) == (near.id, near.name, near.metrics)
    assert (far.history, far.params, far.data) == (near.history, near.params, near.data)
    assert {**near.tags, **far.tags} == far.tags
    np.testing.assert_allclose(
        far.model().predict(images, verbose=0),
        near.model().predict(images, verbose=0),
        rtol=1e-5,
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["moved"]
    with pytest.raises(ExperimentError, match=r"epoch 1 .* No checkpoint is there"):
        far.model(1)


def test_run_without_a_tracker_is_known_by_its_folder(here: Path) -> None:
    result = train(small("tracking=off", output_dir=here), quiet=True)
    run = load_run(result.output_dir)
    assert (run.id, run.params, run.tags) == (None, {}, {})
    assert run.name == result.name
    assert run.config.optimizer.lr == 0.01
    assert len(run.history) == 3
    assert run.model().output_shape == (None, 10)


def test_best_run_is_the_best_by_what_is_asked_for(tmp_path: Path) -> None:
    scores = {"a": (0.75, 0.5), "b": (0.5, 0.25), "c": (0.25, 1.0)}
    for name, (accuracy, loss) in scores.items():
        folder = tmp_path / "runs" / name
        leave_run(folder, name=name, score=accuracy)
        config = folder / "tracking" / "artifacts" / "config" / "config.yaml"
        config.parent.mkdir(parents=True)
        config.write_text("tags: {}\ntrainer: {}\n")
        stored = JobResult.load(folder)
        metrics = {"best_val_accuracy": accuracy, "best_val_loss": loss}
        replace(stored, metrics=metrics).save()
    options: dict[str, Any] = {"output_dir": tmp_path}
    assert load_run("best", **options).name == "a"
    assert load_run("best", monitor="val_loss", **options).name == "b"
    with pytest.raises(ConfigError, match="val_speed"):
        load_run("best", monitor="val_speed", **options)


def test_curves_are_a_picture_that_a_notebook_shows(result: JobResult) -> None:
    figure = load_run(result).draw_curves()
    assert len(figure.axes) == 2
    assert figure._repr_png_()[:4] == b"\x89PNG"


def test_record_may_build_only_what_is_allowed_here(
    result: JobResult, moved: Path
) -> None:
    folder = moved / "runs" / Path(result.output_dir).name
    path = folder / "tracking" / "artifacts" / "config" / "config.yaml"
    config = yaml.safe_load(path.read_text())
    config["model"]["_target_"] = "subprocess.getoutput"
    config["allowed_targets"].append("subprocess")
    path.write_text(yaml.safe_dump(config))
    run = load_run(folder)
    assert run.metrics == result.metrics  # what is no code is read
    with pytest.raises(ConfigError, match=r"(?s)The record of .* model\._target_ must"):
        run.model()


def test_package_of_the_user_is_allowed_by_the_user(
    result: JobResult, moved: Path
) -> None:
    folder = moved / "runs" / Path(result.output_dir).name
    path = folder / "tracking" / "artifacts" / "config" / "config.yaml"
    config = yaml.safe_load(path.read_text())
    config["model"] = {"_target_": "my_components.model.build_my_net", "width": 8}
    path.write_text(yaml.safe_dump(config))
    with pytest.raises(ConfigError, match="my_components"):
        _ = load_run(folder).config
    allowed = load_run(folder, allowed_targets=["my_components"]).config
    assert allowed.allowed_targets[-1] == "my_components"


def test_link_to_the_environment_in_a_record_is_not_followed(here: Path) -> None:
    result = train(small("tracking=off", output_dir=here), quiet=True)
    path = Path(result.output_dir) / ".hydra" / "config.yaml"
    path.write_text(path.read_text() + "\nname: ${oc.env:HOME}\n")
    path.write_text(path.read_text().replace("name: null\n", ""))
    with pytest.raises(ConfigError, match="name must be recorded as a value"):
        load_run(result.output_dir)


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("name", "${oc.env:HOME}", "name must be recorded as a value"),
        ("tags", {"a": "of ${seed}"}, r"tags\.a must be recorded as a value"),
    ],
)
def test_artifact_that_was_changed_is_told(
    result: JobResult, moved: Path, key: str, value: object, told: str
) -> None:
    folder = moved / "runs" / Path(result.output_dir).name
    path = folder / "tracking" / "artifacts" / "config" / "config.yaml"
    config = {**yaml.safe_load(path.read_text()), key: value}
    path.write_text(yaml.safe_dump(config))
    with pytest.raises(ConfigError, match=told):
        _ = load_run(folder).config


@pytest.mark.parametrize("name", ["nowhere/at/all", Path("nowhere")])
def test_folder_that_is_not_there_is_told(name: Any, here: Path) -> None:
    with pytest.raises(ExperimentError, match="There is no folder nowhere"):
        load_run(name)


def test_folder_of_no_run_is_told(here: Path) -> None:
    with pytest.raises(ExperimentError, match="is no folder of a run"):
        load_run(here)


def test_id_of_no_run_is_told(result: JobResult, place: Path) -> None:
    with pytest.raises(TrackingError, match="no run 0123"):
        load_run("0123", output_dir=place / "outputs")


def test_looking_for_an_id_leaves_nothing(here: Path) -> None:
    with pytest.raises(TrackingError, match=r"There is no database .*/outputs/mlflow"):
        load_run("0123")
    assert list(here.iterdir()) == []


def test_run_shows_what_its_model_says_and_where(result: JobResult) -> None:
    run = load_run(result)
    split = run.dataset().test
    assert split is not None
    images = np.asarray(split.images)[:2]
    name = run.dataset().class_names[3]
    found = run.explain(images, name)
    shares = run.model().predict(images, verbose=0)
    for one, scores in zip(found, shares, strict=True):
        likeliest = run.dataset().class_names[int(scores.argmax())]
        names = [view.class_name for view in one.views]
        assert names == list(dict.fromkeys([likeliest, name]))
        assert one.views[0].heat.shape == images.shape[1:3]
        assert one.method == "cam"


def test_files_are_taken_for_what_the_model_says_of_their_pixels(
    result: JobResult, here: Path
) -> None:
    from PIL import Image

    found = load_run(result)
    images = found.dataset().test.images[:3]  # type: ignore[union-attr]
    (here / "photos").mkdir()
    for number, pixels in enumerate(images):
        Image.fromarray(pixels).save(here / "photos" / f"{number}.png")
    (here / "photos" / "text.jpg").write_text("no image")

    rows = found.predict("photos", top=2)

    names = ["photos/0.png", "photos/1.png", "photos/2.png", "photos/text.jpg"]
    assert [row["file"] for row in rows] == names
    shares = softmax(found.model().predict(images, verbose=0), axis=1)
    for row, expected in zip(rows, shares, strict=False):
        assert row["label"] == f"class_{expected.argmax()}"
        assert row["probability"] == pytest.approx(expected.max(), abs=1e-5)
        assert row["fault"] is None
        assert row.keys() == {
            *("file", "label", "probability", "label_2", "probability_2", "fault")
        }
    assert (rows[3]["label"], rows[3]["fault"]) == (None, "is no image")
    several = [Path("photos/1.png"), "photos/*.jpg"]
    assert [row["label"] for row in found.predict(several)] == [rows[1]["label"], None]
    with pytest.raises(DataError, match="gone is not there"):
        found.predict("gone")
