"""`task=evaluate` through the command, its numbers against scikit-learn and SciPy."""

import csv
import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from filelock import FileLock
from scipy.special import log_softmax, softmax
from sklearn import metrics as sk

from tests.conftest import ROOT
from tests.tasks.photographs import cut_photographs
from tests.test_pages import Reader
from tests.warm import run_to_the_end

SMALL = [
    "model=resnet20_cifar",
    "model.depth=null",
    "model.block=basic",
    "model.blocks=[1,1,1]",
    "model.width=4",
    "gpu=cpu",
    "trainer.epochs=1",
    "schedule.warmup_epochs=0",
]
Command = Callable[..., subprocess.CompletedProcess[str]]


def type_in(folder: Path) -> Command:
    """Returns what runs `run.py` in a folder."""

    def run(*words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        args = [sys.executable, str(ROOT / "run.py"), *words]
        done = run_to_the_end(args, cwd=folder, timeout=240)
        assert done.returncode == code, done.stdout + done.stderr
        return done

    return run


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where all commands of this module are typed."""
    return tmp_path_factory.mktemp("typed")


@pytest.fixture(scope="module")
def run(place: Path) -> Command:
    return type_in(place)


@pytest.fixture(scope="module")
def digits(place: Path, run: Command) -> Path:
    """The folder of a run on digits that has ended."""
    run(*SMALL, "trainer.max_steps_per_epoch=16", "name=digits")
    run("task=sync")  # what a busy machine had no time to record
    (folder,) = (place / "outputs" / "runs").glob("digits-*")
    return folder


@pytest.fixture(scope="module")
def photos(place: Path, run: Command, digits: Path) -> Path:
    """The folder of a run on photographs, which knows `flower` and `temple`."""
    cut_photographs(place / "photos", {"temple": 24, "flower": 24}, seed=0)
    words = ["dataset=folder", "dataset.path=photos", "dataset.image_size=32"]
    words += ["trainer.batch_size=8", "tracking.log_model=none", "name=photos"]
    run(*SMALL, *words)
    (folder,) = (place / "outputs" / "runs").glob("photos-*")
    return folder


def read_run(place: Path, name: str) -> Any:
    """Returns the row of a run in MLflow's database."""
    query = "SELECT run_uuid, status, start_time, end_time FROM runs WHERE name = ?"
    with closing(sqlite3.connect(place / "outputs" / "mlflow.db")) as database:
        return database.execute(query, [name]).fetchone()


def read_points(place: Path, run_id: str) -> dict[str, float]:
    """Returns the points of evaluations in MLflow's database; each name once."""
    query = "SELECT key, value FROM metrics WHERE run_uuid = ? AND key LIKE 'eval%'"
    with closing(sqlite3.connect(place / "outputs" / "mlflow.db")) as database:
        rows = database.execute(query, [run_id]).fetchall()
    assert len(dict(rows)) == len(rows)
    return dict(rows)


def read_table(path: Path) -> tuple[Any, Any, Any]:
    """Returns truth, outputs and class names, as whoever reads Parquet has them."""
    table = pq.read_table(path)
    facts = json.loads(table.schema.metadata[b"experiments"])
    outputs = np.array(table["outputs"].to_pylist(), np.float64)
    return table["truth"].to_pylist(), outputs, facts["class_names"]


def check_scores(folder: Path) -> dict[str, float]:
    """Compares what was found with scikit-learn's, from the table alone."""
    truth, outputs, names = read_table(folder / "predictions.parquet")
    rows = [row for row, label in enumerate(truth) if label is not None]
    labels = np.array([truth[row] for row in rows])
    logits = outputs[rows]
    shares, called = softmax(logits, axis=1), logits.argmax(axis=1)
    there = sorted(set(labels.tolist()))
    own = log_softmax(logits, axis=1)[np.arange(len(rows)), labels]
    counts = {"labels": there, "average": "macro", "zero_division": 0}
    expected = {
        "accuracy": sk.accuracy_score(labels, called),
        "balanced_accuracy": sk.recall_score(labels, called, **counts),
        "macro_precision": sk.precision_score(labels, called, **counts),
        "macro_f1": sk.f1_score(labels, called, **counts),
        "weighted_f1": sk.f1_score(labels, called, **{**counts, "average": "weighted"}),
        "log_loss": -own.mean(),
        "brier": ((shares - np.eye(len(names))[labels]) ** 2).sum(1).mean(),
    }
    if len(there) > 1:
        areas = [sk.roc_auc_score(labels == n, shares[:, n]) for n in there]
        expected["roc_auc"] = np.mean(areas)
    found = json.loads((folder / "metrics.json").read_text())
    scores: dict[str, float] = found["metrics"]
    assert scores == pytest.approx({**scores, **expected}, rel=1e-6)
    with (folder / "errors.csv").open(newline="") as file:
        errors = list(csv.DictReader(file))
    assert len(errors) == int((called != labels).sum())
    assert found["images"] == len(rows)
    return scores


def test_test_split_is_scored_from_what_the_training_kept(
    digits: Path, place: Path, run: Command
) -> None:
    before = read_run(place, "digits")
    shown = run("task=evaluate", "run_id=last", "gpu=cpu").stdout
    folder = digits / "evaluation" / "digits-test"
    scores = check_scores(folder)
    assert f"accuracy           {scores['accuracy']:.4f}  " in shown
    assert "data   digits, test: 270 images" in shown
    assert "The predictions are those of the training" in shown
    assert f"report      {folder.relative_to(place)}/report.html" in shown
    assert f"/runs/{before[0]}?" in shown
    kept = pq.read_table(digits / "predictions" / "test.parquet")
    table = pq.read_table(folder / "predictions.parquet")
    assert table["outputs"].equals(kept["outputs"])
    result = json.loads((digits / "result.json").read_text())["metrics"]
    assert scores["accuracy"] == pytest.approx(result["test_accuracy"], rel=1e-6)
    assert read_run(place, "digits") == before
    points = read_points(place, before[0])
    named = {f"evaluation/digits-test/{name}": v for name, v in scores.items()}
    assert points == pytest.approx({**named, "evaluation/digits-test/images": 270})
    # The model was asked about validation, for the temperature, and that is kept.
    assert (
        digits / "evaluation" / "digits-validation" / "predictions.parquet"
    ).exists()
    journal = digits / "tracking" / "journal.jsonl"
    length = len(journal.read_text().splitlines())
    run("task=evaluate", f"run_id={before[0][:8]}", "gpu=cpu")
    assert len(journal.read_text().splitlines()) == length
    assert read_points(place, before[0]) == points


def test_model_is_asked_about_what_was_not_kept(
    digits: Path, place: Path, run: Command
) -> None:
    words = ["task.split=validation", "tracking=off", "task.batch_size=50"]
    shown = run("task=evaluate", f"run_id={digits}", "gpu=cpu", *words).stdout
    folder = digits / "evaluation" / "digits-validation"
    scores = check_scores(folder)
    result = json.loads((digits / "result.json").read_text())["metrics"]
    assert scores["accuracy"] == pytest.approx(result["best_val_accuracy"], rel=1e-6)
    assert scores["log_loss"] == pytest.approx(result["best_val_loss"], rel=1e-4)
    assert "MLflow" not in shown
    assert not any("validation" in name for name in read_points(place, _id(place)))
    page = Reader((folder / "report.html").read_text())
    assert any("and is told of other images" in text for text in page.texts)
    assert not any("divided by" in text for text in page.texts)  # it would be in-sample


def _id(place: Path) -> str:
    return str(read_run(place, "digits")[0])


def test_other_photographs_are_matched_by_the_names_of_their_classes(
    photos: Path, place: Path, run: Command
) -> None:
    cut_photographs(place / "new_photos", {"palace": 5, "flower": 8}, seed=1)
    words = ["dataset=folder", "dataset.path=new_photos", "dataset.cache=none"]
    shown = run("task=evaluate", f"run_id={photos}", "gpu=cpu", *words).stdout
    folder = photos / "evaluation" / "new_photos"
    scores = check_scores(folder)
    truth, outputs, names = read_table(folder / "predictions.parquet")
    assert names == ["flower", "temple"]
    assert sorted(truth, key=str) == [0] * 8 + [None] * 5
    assert "data   new_photos: 8 images" in shown
    assert "5 images of 1 class that the model does not know (palace)" in shown
    assert "Without an image, and in no mean over classes: temple." in shown
    with (folder / "unknown_classes.csv").open(newline="") as file:
        unknown = list(csv.DictReader(file))
    rows = [row for row, label in enumerate(truth) if label is None]
    assert [row["class"] for row in unknown] == ["palace"] * 5
    called = [names[outputs[row].argmax()] for row in rows]
    assert [row["prediction"] for row in unknown] == called
    assert all(row["file"].startswith("palace/") for row in unknown)
    assert "evaluation/new_photos/accuracy" in read_points(
        place, read_run(place, "photos")[0]
    )
    assert 0 <= scores["accuracy"] <= 1
    page = Reader((folder / "report.html").read_text())
    assert any("in no score" in text for text in page.texts)


def test_new_photographs_are_read_as_those_of_the_training(
    photos: Path, place: Path, run: Command
) -> None:
    """A copy of most of the images gets the logits that the training kept."""
    shutil.copytree(place / "photos", place / "copied")
    kept = pq.read_table(photos / "predictions" / "test.parquet").to_pylist()
    left_out = kept.pop(0)
    (place / "copied" / left_out["sample"]).unlink()
    words = ["dataset=folder", "dataset.path=copied", "tracking=off"]
    run("task=evaluate", f"run_id={photos}", "gpu=cpu", *words)
    found = pq.read_table(photos / "evaluation" / "copied" / "predictions.parquet")
    outputs = {row["sample"]: row["outputs"] for row in found.to_pylist()}
    assert len(outputs) == 47
    assert {Path(row["sample"]).suffix for row in kept} == {".jpg", ".png"}
    for row in kept:
        assert outputs[row["sample"]] == pytest.approx(row["outputs"], abs=1e-4)


def test_images_of_the_training_are_known_by_their_content(
    photos: Path, place: Path, run: Command
) -> None:
    """Wherever they lie: of all of them most were trained with."""
    shutil.copytree(place / "photos", place / "moved")
    words = ["dataset=folder", "dataset.path=moved", "tracking=off"]
    shown = run("task=evaluate", f"run_id={photos}", "gpu=cpu", *words).stdout
    assert "These are the images that the model was trained with" in shown
    kept = pq.read_table(photos / "predictions" / "test.parquet")
    table = pq.read_table(photos / "evaluation" / "moved-test" / "predictions.parquet")
    assert table["sample"].equals(kept["sample"])


def test_images_without_labels_are_predicted(
    photos: Path, place: Path, run: Command
) -> None:
    words = ["dataset=folder", "dataset.path=photos/flower"]
    done = run("task=evaluate", f"run_id={photos}", "gpu=cpu", *words, code=1)
    assert "24 images" in done.stderr
    assert "nothing says what they show" in done.stderr
    assert "task=predict" in done.stderr


def test_run_that_is_held_is_left_alone(digits: Path, run: Command) -> None:
    with FileLock(digits / "job.lock"):
        done = run("task=evaluate", f"run_id={digits}", "gpu=cpu", code=1)
    assert "is being worked on by" in done.stderr
    assert "Evaluate it when that has ended." in done.stderr


def test_run_that_only_mlflow_has_gets_its_scores(
    digits: Path, place: Path, run: Command
) -> None:
    alone = place / "alone"
    shutil.copytree(place / "outputs", alone / "outputs", symlinks=True)
    shutil.rmtree(alone / "outputs" / "runs")
    again = type_in(alone)
    again("task=sync")  # puts the places of its files right
    run_id = _id(place)
    done = again("task=evaluate", f"run_id={run_id}", "gpu=cpu", "dataset=digits")
    (folder,) = (alone / "outputs" / "runs").glob("evaluate*/evaluation/digits-test")
    scores = check_scores(folder)
    assert f"/runs/{run_id}?" in done.stdout
    points = read_points(alone, run_id)
    assert points["evaluation/digits-test/accuracy"] == pytest.approx(
        scores["accuracy"]
    )


def test_file_of_a_model_is_scored_on_what_is_typed(
    digits: Path, place: Path, run: Command
) -> None:
    (file,) = (place / "outputs" / "artifacts").rglob("data/model.keras")
    shutil.copy(file, place / "digits.keras")
    done = run("task=evaluate", "run_id=digits.keras", "gpu=cpu", code=2)
    assert "dataset must be typed" in done.stderr
    words = ["dataset=digits", "tracking=off"]
    run("task=evaluate", "run_id=digits.keras", "gpu=cpu", *words)
    (folder,) = (place / "outputs" / "runs").glob("evaluate*/evaluation/digits-test")
    scores = check_scores(folder)
    result = json.loads((digits / "result.json").read_text())["metrics"]
    assert scores["accuracy"] == pytest.approx(result["test_accuracy"], rel=1e-6)


@pytest.fixture(scope="module")
def champion(digits: Path, place: Path) -> str:
    """A registered version of the model that the run left in MLflow."""
    from experiments.config.kinds.destination import Destination
    from experiments.tracking.store.client import connect

    client = connect(Destination(output_dir=place / "outputs")).client
    (link,) = client.get_run(_id(place)).outputs.model_outputs
    model = client.get_logged_model(link.model_id)
    client.create_registered_model("digits")
    version = client.create_model_version(
        "digits", model.artifact_location, run_id=_id(place)
    )
    client.set_registered_model_alias("digits", "champion", version.version)
    return "models:/digits@champion"


def test_registered_model_is_scored_asked_and_explained(
    champion: str, digits: Path, place: Path, run: Command
) -> None:
    done = run("task=evaluate", f"run_id={champion}", "gpu=cpu")
    assert str(digits.relative_to(place)) in done.stdout  # as its run
    result = json.loads((digits / "result.json").read_text())["metrics"]
    scores = check_scores(digits / "evaluation" / "digits-test")
    assert scores["accuracy"] == pytest.approx(result["test_accuracy"], rel=1e-6)
    cut_photographs(place / "asked", {"flower": 3}, seed=1)
    words = [f"run_id={champion}", "input=asked", "gpu=cpu"]
    run("task=predict", *words)
    (folder,) = (place / "outputs" / "runs").glob("predict-*")
    with (folder / "predictions.csv").open(newline="") as file:
        answers = list(csv.DictReader(file))
    assert len(answers) == 3
    run("task=explain", *words)
    (folder,) = (place / "outputs" / "runs").glob("explain-*")
    assert len(list((folder / "explanations").iterdir())) == 3


def test_registered_model_is_compared_by_its_run(
    champion: str, digits: Path, place: Path, run: Command
) -> None:
    run(*SMALL, "trainer.max_steps_per_epoch=2", "name=short", "seed=5")
    (other,) = (place / "outputs" / "runs").glob("short-*")
    words = f"run_id=[{champion},{other}]"
    done = run("task=compare", words)
    assert "2 runs. The best val_accuracy" in done.stdout
    done = run("task=compare", f"run_id=[{champion},{digits}]", code=2)
    assert "must mean two runs or more" in done.stderr


@pytest.mark.parametrize("task", ["evaluate", "predict", "explain", "export"])
@pytest.mark.parametrize(
    "name", ["models:/nobody@champion", "deadbeef", "no.keras", "somebody"]
)
def test_model_that_is_not_there_leaves_no_folder(
    task: str, name: str, digits: Path, place: Path, run: Command
) -> None:
    before = set((place / "outputs" / "runs").iterdir())
    cut_photographs(place / f"{task}_{name[:3]}", {"flower": 1}, seed=1)
    words = [f"input={task}_{name[:3]}"] * (task in ("predict", "explain"))
    done = run(f"task={task}", f"run_id={name}", *words, code=1)
    assert name.removeprefix("models:/").partition("@")[0] in done.stderr
    assert set((place / "outputs" / "runs").iterdir()) == before


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["dataset=folder", "dataset.path=nowhere"], 1, "dataset.path does not exist"),
        (["dataset=folder", "dataset.path=flat"], 1, "task=predict run_id="),
        (["dataset=mnist", "dataset.path=nowhere"], 2, "dataset.path does not exist"),
    ],
)
def test_images_that_are_not_there_leave_no_folder(
    words: list[str], code: int, told: str, digits: Path, place: Path, run: Command
) -> None:
    if not (place / "flat").exists():
        cut_photographs(place / "classes", {"flower": 2}, seed=1)
        (place / "classes" / "flower").rename(place / "flat")
    before = set((place / "outputs" / "runs").iterdir())
    done = run("task=evaluate", f"run_id={digits}", *words, code=code)
    assert told in done.stderr
    assert set((place / "outputs" / "runs").iterdir()) == before


@pytest.mark.parametrize(
    "task", ["evaluate", "predict", "explain", "compare", "export"]
)
def test_run_that_is_not_named_is_told_before_anything(
    task: str, tmp_path: Path
) -> None:
    done = type_in(tmp_path)(f"task={task}", code=2)
    assert "run_id is missing. Type run_id=last" in done.stderr
    assert list(tmp_path.iterdir()) == []
