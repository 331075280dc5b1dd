"""`task=export` by its real command; each file is asked by its own run time."""

import json
import sqlite3
import sys
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import onnxruntime
import pytest
from PIL import Image
from scipy.special import softmax

from tests.conftest import ROOT
from tests.tiny import TINY
from tests.warm import run_to_the_end

OFF = "tracking=off"
FORMS = ["saved_model", "onnx", "litert", "litert_int8"]


def run(folder: Path, *words: str, cold: bool = False) -> CompletedProcess[str]:
    tracking = [] if any(word.startswith("tracking=") for word in words) else [OFF]
    tracking.append("tracking.experiment=debug")
    command = [sys.executable, str(ROOT / "run.py"), *words, *tracking]
    return run_to_the_end(command, cold=cold, cwd=folder)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a network that was trained for a step, on JAX."""
    folder = tmp_path_factory.mktemp("export")
    tracked = ["debug=one_step", "backend=jax", "tracking=sqlite"]
    done = run(folder, *TINY, *tracked, cold=True)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def exported(place: Path) -> CompletedProcess[str]:
    """What the command prints for all forms."""
    return run(
        place,
        "task=export",
        "run_id=last",
        f"task.formats=[{','.join(FORMS)}]",
        "task.calls=2",
        "task.agreement=0",
        "tracking=sqlite",
    )


def find_bundle(place: Path, done: CompletedProcess[str]) -> Path:
    """Returns the folder that a command has named."""
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("bundle ")]
    return place / line.split()[1]


def test_every_form_is_written_checked_and_shown(
    place: Path, exported: CompletedProcess[str]
) -> None:
    assert exported.returncode == 0, exported.stderr
    bundle = find_bundle(place, exported)
    report = json.loads((bundle / "export.json").read_text())
    assert list(report["files"]) == FORMS
    for name in FORMS[:3]:
        assert report["files"][name]["parity"]["agreement"] == 1
        assert report["files"][name]["parity"]["largest_difference"] < 1e-5
    assert report["files"]["litert_int8"]["parity"]["largest_difference"] > 0
    for one in report["files"].values():
        assert one["file"] in exported.stdout
        assert [time["batch"] for time in one["latency"]] == [1, 32]
    assert len((bundle / "labels.txt").read_text().splitlines()) == len(
        report["class_names"]
    )
    assert "XNNPACK" not in exported.stderr + exported.stdout


def test_the_run_has_report_and_samples_and_says_what_left(
    place: Path, exported: CompletedProcess[str]
) -> None:
    bundle = find_bundle(place, exported)
    assert "MLflow run  http" in exported.stdout
    kept = list((place / "outputs" / "artifacts").glob(f"**/{bundle.parent.name}"))
    (folder,) = kept
    found = {str(path.relative_to(folder)) for path in folder.rglob("*.*")}
    assert {"export.json", "README.md", "samples/expected.json"} <= found
    assert not {path for path in found if "model" in Path(path).name} - {
        "ask_saved_model.py"
    }
    with sqlite3.connect(place / "outputs" / "mlflow.db") as store:
        (note,) = store.execute(
            "select value from tags where key = 'mlflow.note.content'"
        ).fetchone()
    assert f"#### export/{bundle.parent.name}" in note
    for name in ("model.onnx", "model.tflite", "saved\\_model"):
        assert name in note


@pytest.mark.parametrize("form", [*FORMS, "encoded"])
def test_a_client_gives_the_expected_answers(
    place: Path, exported: CompletedProcess[str], form: str
) -> None:
    assert exported.returncode == 0, exported.stderr
    bundle = find_bundle(place, exported)
    expected = json.loads((bundle / "samples" / "expected.json").read_text())
    files = sorted(expected["samples"])
    assert len(files) == 3
    source = (bundle / f"ask_{form}.py").read_text()
    _, *code = filter(None, source.splitlines())  # below its docstring
    assert len(code) <= 10
    words = [f"ask_{form}.py", *(f"samples/{file}" for file in files)]
    done = run_to_the_end([sys.executable, *words], cwd=bundle)
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines()]
    for file, (name, label, score) in zip(files, rows, strict=True):
        assert name == f"samples/{file}"
        wanted = expected["samples"][file]
        if form == "litert_int8":
            assert abs(float(score) - max(wanted["probabilities"])) < 0.1
            continue
        assert label == wanted["label"]
        assert abs(float(score) - max(wanted["probabilities"])) < 1e-5


def test_any_size_says_of_a_photograph_what_predict_says(place: Path) -> None:
    done = run(
        place,
        "task=export",
        "run_id=last",
        "formats=[onnx]",
        "any_size=true",
        "task.output=logits",
        "task.calls=0",
    )
    assert done.returncode == 0, done.stderr
    assert "milliseconds" not in done.stdout
    bundle = find_bundle(place, done)
    report = json.loads((bundle / "export.json").read_text())
    channels = report["image_shape"][2]
    # Smooth, so that no pixel lies half way between two grey levels.
    ramp = np.linspace(0, 255, 90 * 60).reshape(60, 90, 1)
    pixels = np.repeat(ramp, channels, axis=2).astype("uint8")
    Image.fromarray(pixels.squeeze()).save(place / "photo.png")
    asked = ["task=predict", "run_id=last", "input=photo.png", "task.format=parquet"]
    answered = run(place, *asked, cold=True)  # on JAX
    assert answered.returncode == 0, answered.stderr
    import pyarrow.parquet

    (table,) = (place / "outputs" / "runs").glob("predict*/predictions.parquet")
    row = pyarrow.parquet.read_table(table).to_pylist()[0]
    session = onnxruntime.InferenceSession(str(bundle / "model.onnx"))
    (logits,) = session.run(["logits"], {"image": pixels[None]})
    best = int(logits[0].argmax())
    assert row["label"] == report["class_names"][best]
    assert abs(row["probability"] - softmax(logits[0])[best]) < 1e-5


def test_a_file_that_says_something_else_leaves_nothing(place: Path) -> None:
    done = run(
        place,
        "task=export",
        "run_id=last",
        "task.formats=[onnx]",
        "task.tolerance=1e-9",
    )
    assert done.returncode == 1
    assert "says something else than the model" in done.stdout + done.stderr
    (folder,) = [path.parent for path in place.rglob("result.json") if is_failed(path)]
    assert {path.name for path in folder.iterdir()} >= {"run.log"}
    assert not any("bundle" in path.name for path in folder.iterdir())


def is_failed(result: Path) -> bool:
    return json.loads(result.read_text())["status"] == "FAILED"
