"""The folder that MLflow registers: by Keras, and by base64 or arrays over HTTP."""

import base64
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from scipy.special import expit, softmax

from experiments.serving.package import encode_png, write_package
from experiments.tracking.store.mlflow_import import import_mlflow
from experiments.trained.reading import read_for
from experiments.weights.keras_file import read_keras_file
from tests.tasks.photographs import cut_photographs

# Of Keras 3.15 beside NumPy 2.4, see `tests.tracking.store.models.test_keras_model`.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)

LOAD = """
import json, sys
sys.modules["experiments"] = None  # as if this package were not installed
import mlflow
from mlflow.pyfunc import scoring_server
model = mlflow.pyfunc.load_model(sys.argv[1])
request = open(sys.argv[2]).read()
schema = model.metadata.get_input_schema()
print(scoring_server.invocations(request, "application/json", model, schema).response)
"""


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Plain, turned by EXIF, grey and half transparent."""
    folder = tmp_path_factory.mktemp("photographs")
    cut_photographs(folder, {"a": 4, "b": 4}, seed=0)
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def server(package: Path) -> Any:
    """What MLflow's server asks, without its sockets: body -> status and answer."""
    mlflow = import_mlflow()
    from mlflow.exceptions import MlflowException
    from mlflow.pyfunc import scoring_server

    model = mlflow.pyfunc.load_model(str(package))
    schema = model.metadata.get_input_schema()

    def ask(body: dict[str, Any]) -> tuple[int, Any]:
        text = json.dumps(body)
        try:
            found = scoring_server.invocations(text, "application/json", model, schema)
        except MlflowException as error:
            return error.get_http_status_code(), json.loads(error.serialize_as_json())
        return found.status, json.loads(found.response)["predictions"]

    return ask


def encode(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


def list_shares(answers: Any) -> npt.NDArray[np.float64]:
    return np.asarray([list(one["probabilities"].values()) for one in answers])


@pytest.mark.timeout(240)
def test_without_this_package_it_says_of_files_what_the_trained_model_says(
    package: Path, trained: Any, photographs: list[Path], tmp_path: Path
) -> None:
    read = [one.pixels for one in read_for(trained, map(str, photographs))]
    outputs = trained.model.predict_on_batch(
        np.stack([x for x in read if x is not None])
    )
    expected = softmax(np.asarray(outputs, np.float64), axis=1)
    assert np.ptp(expected, axis=0).min() > 0.01  # the images do make a difference
    request = {"instances": [{"image": encode(path)} for path in photographs]}
    (tmp_path / "request.json").write_text(json.dumps(request))
    command = [sys.executable, "-c", LOAD, str(package), "request.json"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)["predictions"]
    np.testing.assert_allclose(list_shares(answers), expected, atol=1e-6)
    assert list(answers[0]["probabilities"]) == list(trained.class_names)
    for answer, row in zip(answers, expected, strict=True):
        assert answer["label"] == trained.class_names[row.argmax()]
        assert answer["probability"] == max(answer["probabilities"].values())


def test_every_form_of_a_request_gives_the_same_answers(
    server: Any, trained: Any, example: npt.NDArray[np.uint8], package: Path
) -> None:
    files = [encode_png(one) for one in example]
    shares = []
    for cells in (files, example.tolist()):
        for body in (
            {"dataframe_split": {"columns": ["image"], "data": [[c] for c in cells]}},
            {"dataframe_records": [{"image": cell} for cell in cells]},
            {"instances": [{"image": cell} for cell in cells]},
            {"instances": cells},
            {"inputs": [{"image": cell} for cell in cells]},
            {"inputs": {"image": cells}},
        ):
            status, answers = server(body)
            assert status == 200, answers
            shares.append(list_shares(answers))
    of_files, of_arrays = shares[:6], shares[6:]
    np.testing.assert_allclose(of_files, [of_files[0]] * 6, atol=1e-6)
    outputs = np.asarray(trained.model.predict_on_batch(example), np.float64)
    np.testing.assert_allclose(of_arrays, [softmax(outputs, axis=1)] * 6, atol=1e-6)
    kept = json.loads((package / "serving_input_example.json").read_text())
    status, answers = server(kept)
    np.testing.assert_allclose(list_shares(answers), of_files[0][:1], atol=1e-6)


def test_mlflow_reads_it_by_keras_and_knows_signature_example_and_classes(
    package: Path, trained: Any, example: npt.NDArray[np.uint8]
) -> None:
    mlflow = import_mlflow()
    plain = mlflow.keras.load_model(str(package))
    np.testing.assert_array_equal(
        plain.predict_on_batch(example), trained.model.predict_on_batch(example)
    )
    loaded = mlflow.pyfunc.load_model(str(package))
    assert loaded.metadata.metadata == {
        "dataset": "obst",
        "class_names": list(trained.class_names),
    }
    assert loaded.metadata.signature.inputs.input_names() == ["image"]
    assert len(loaded.predict(loaded.input_example)) == 1
    assert len(loaded.predict({"image": example})) == 2


def test_a_model_that_was_packed_and_read_again_is_packed_likewise(
    package: Path, trained: Any, example: npt.NDArray[np.uint8], tmp_path: Path
) -> None:
    again = SimpleNamespace(**vars(trained))
    again.model = read_keras_file(package / "data" / "model.keras")
    write_package(tmp_path / "again", again, example=example, metadata={})
    loaded = import_mlflow().pyfunc.load_model(str(tmp_path / "again"))
    first = import_mlflow().pyfunc.load_model(str(package))
    given = {"image": example}
    np.testing.assert_allclose(
        list_shares(loaded.predict(given)), list_shares(first.predict(given)), atol=1e-6
    )


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("U0VDUkVU", "is no image"),  # b"SECRET"
        ("not base64 SECRET!", "is no base64"),
        ([[[1.5, 0, 0]] * 8] * 8, "is neither base64 text nor an array"),
        ([[[256, 0, 0]] * 8] * 8, "has numbers beyond 0 to 255"),
        ([[[1, 2, 3]]], "is an array of another shape than [8, 8, 3]"),
        (None, "is neither base64 text nor an array"),
        ({"SECRET": 1}, "is neither base64 text nor an array"),
    ],
)
def test_what_is_no_image_gets_400_and_a_reason_that_holds_none_of_it(
    server: Any, cell: Any, reason: str
) -> None:
    for body in (
        {"instances": [{"image": cell}]},
        {"dataframe_records": [{"image": cell}]},
        {"dataframe_split": {"columns": ["image"], "data": [[cell]]}},
    ):
        status, answer = server(body)
        assert status == 400
        assert answer["message"].startswith("This ")
        assert reason in answer["message"]
        text = json.dumps(answer)
        assert len(text) < 250
        assert "SECRET" not in text
        assert "U0VDUkVU" not in text


@pytest.mark.parametrize(
    "body",
    [{"instances": []}, {"inputs": {}}, {"instances": 5}, {"inputs": {"photo": ["x"]}}],
)
def test_a_request_without_images_is_told_what_a_row_is(
    server: Any, body: dict[str, Any]
) -> None:
    status, answer = server(body)
    assert status == 400
    assert answer["message"].startswith('A row is {"image": ...}')


def test_the_image_among_several_is_named(server: Any, photographs: list[Path]) -> None:
    rows = [{"image": encode(photographs[0])}, {"image": encode(photographs[1])[:-99]}]
    status, answer = server({"instances": rows})
    assert status == 400
    assert answer["message"].startswith("Image 2 of 2 is ")


def test_of_several_labels_each_class_is_answered_by_itself(
    trained: Any, example: npt.NDArray[np.uint8], tmp_path: Path
) -> None:
    mlflow = import_mlflow()
    several = SimpleNamespace(**{**vars(trained), "kind": "several_labels"})
    write_package(tmp_path / "model", several, example=example, metadata={})
    served = mlflow.pyfunc.load_model(str(tmp_path / "model"))
    shares = expit(np.asarray(trained.model(example), np.float64))
    request = pd.DataFrame({"image": [pixels.tolist() for pixels in example]})
    for answer, row in zip(served.predict(request), shares, strict=True):
        wanted = dict(zip(trained.class_names, row, strict=True))
        assert answer["probabilities"] == pytest.approx(wanted, rel=1e-5)
        assert answer["labels"] == [name for name in wanted if wanted[name] > 0.5]
        assert list(answer) == served.metadata.get_output_schema().input_names()
