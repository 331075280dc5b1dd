import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from experiments.evaluation.reporting.report import Report, Unknown
from experiments.evaluation.reporting.report_files import write_report
from tests.evaluation.made import draw, make


def test_every_file_is_written_and_agrees(tmp_path: Path) -> None:
    p = draw(90, 4)
    written = write_report(tmp_path / "report", Report(p, "a model"))
    assert sorted(written) == sorted((tmp_path / "report").iterdir())
    named = {path.name: path for path in written}
    metrics = json.loads(named["metrics.json"].read_text())
    assert metrics["format"] >= 3
    with named["per_class_metrics.csv"].open() as file:
        rows = list(csv.DictReader(file))
    recalls = [float(row["recall"]) for row in rows]
    found = metrics["metrics"]["balanced_accuracy"]
    assert np.mean(recalls) == pytest.approx(found)
    with named["confusions.csv"].open() as file:
        wrong = sum(int(row["count"]) for row in csv.DictReader(file))
    with named["errors.csv"].open() as file:
        assert len(list(csv.DictReader(file))) == wrong
    assert wrong == round(90 * (1 - metrics["metrics"]["accuracy"]))
    for name in ("confusion_matrix.png", "calibration_curve_plot.png"):
        with Image.open(named[name]) as picture:
            assert min(picture.size) > 100


def test_class_without_an_image_has_empty_cells(tmp_path: Path) -> None:
    p = make(np.eye(3)[[0, 2, 2]], [0, 2, 2])
    write_report(tmp_path, Report(p, "a model"))
    with (tmp_path / "per_class_metrics.csv").open() as file:
        absent = list(csv.DictReader(file))[1]
    assert absent == {
        "class": "class 1",
        "precision": "",
        "recall": "",
        "f1": "",
        "support": "0",
        "roc_auc": "",
    }


def test_images_of_unknown_classes_are_listed_and_forgotten_again(
    tmp_path: Path,
) -> None:
    p = draw(30, 3)
    apart = make(p.outputs[:2], [-1, -1], names=p.class_names)
    unknown = Unknown(predictions=apart, given=["teapot", "cup"])
    files = write_report(tmp_path, Report(p, "a model", unknown=unknown))
    path = tmp_path / "unknown_classes.csv"
    assert path in files
    rows = list(csv.DictReader(io.StringIO(path.read_text("utf-8"))))
    assert [(row["file"], row["class"]) for row in rows] == [
        ("0", "teapot"),
        ("1", "cup"),
    ]
    assert rows[0]["prediction"] == p.class_names[apart.predicted[0]]
    told = json.loads((tmp_path / "metrics.json").read_text())
    assert told["unknown_classes"] == {"teapot": 1, "cup": 1}
    assert path not in write_report(tmp_path, Report(p, "a model"))
    assert not path.exists()
