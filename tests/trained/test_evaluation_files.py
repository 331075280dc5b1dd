"""What an evaluation is called, and what its report says of its images."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from experiments.data.labelled import Labelled
from experiments.data.split import ArraySplit, SkippedFile
from experiments.evaluation.classes import match_classes
from experiments.evaluation.table import write_predictions
from experiments.trained.evaluated import Evaluated, name_images
from experiments.trained.evaluation_files import (
    build_report,
    describe_images,
    name_evaluation,
    write_evaluation,
)
from experiments.trained.images import Chosen
from tests.evaluation.made import draw


def choose(
    name: str = "photos",
    split: str | None = None,
    folder: str | None = "/a/photos",
    own: bool = False,
    **facts: Any,
) -> Chosen:
    images = ArraySplit(np.zeros((6, 4, 4, 1), np.uint8), np.arange(6) % 3)
    names = ("class 0", "class 1", "cup")
    given = Labelled(name=name, split=split, class_names=names, images=images, **facts)
    dataset: Any = SimpleNamespace() if own else None
    config: Any = None
    return Chosen(
        labelled=given, dataset=dataset, folder=folder, config=config, notes=("Note.",)
    )


@pytest.mark.parametrize(
    ("name", "split", "told"),
    [
        ("digits", "test", "digits-test"),
        ("new photos/2026", None, "new_photos_2026"),
        ("фото", None, "фото"),
        ("..", None, "images"),
    ],
)
def test_evaluation_is_called_like_its_data(
    name: str, split: str | None, told: str, tmp_path: Path
) -> None:
    assert name_evaluation(choose(name, split), tmp_path) == told


def test_what_is_kept_of_validation_is_called_as_its_evaluation(
    tmp_path: Path,
) -> None:
    chosen = choose("my photos", "validation")
    assert name_images(chosen.labelled) == "my_photos-validation"
    assert name_images(chosen.labelled) == name_evaluation(chosen, tmp_path)


def test_another_folder_of_the_same_name_gets_a_name_of_its_own(tmp_path: Path) -> None:
    p = draw(6, 3)
    (tmp_path / "photos").mkdir()
    table = replace(p, facts={"folder": "/a/photos"})
    write_predictions(tmp_path / "photos" / "predictions.parquet", table)
    assert name_evaluation(choose(), tmp_path) == "photos"
    other = name_evaluation(choose(folder="/b/photos"), tmp_path)
    assert other.startswith("photos-")
    assert other == name_evaluation(choose(folder="/b/photos"), tmp_path)
    assert name_evaluation(choose(folder="/b/photos", own=True), tmp_path) == "photos"


def test_images_are_described_with_their_split() -> None:
    assert describe_images(choose("digits", "test")) == "digits, test"
    assert describe_images(choose()) == "photos"


def test_report_says_what_was_kept_left_out_and_not_known(tmp_path: Path) -> None:
    skipped = tuple(SkippedFile(f"{n}.jpg", "is no image") for n in range(6))
    chosen = choose(skipped_files=skipped)
    labels = chosen.labelled.images.labels.astype(np.int64)
    model_classes = ("class 0", "class 1")
    matching = match_classes(labels, chosen.labelled.class_names, model_classes)
    p = draw(6, 2)
    predictions = type(p)(
        samples=p.samples,
        digests=p.digests,
        truth=matching.truth,
        outputs=p.outputs,
        kind=p.kind,
        split=["all"] * 6,
        class_names=model_classes,
    )
    evaluated = Evaluated(predictions=predictions, matching=matching, kept=True)
    trained: Any = SimpleNamespace(
        name="a model", image_shape=(4, 4, 1), model=SimpleNamespace()
    )
    explain = "experiments.trained.evaluation_files._explain_images"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(explain, lambda *_: None)
        report = build_report(trained, chosen, evaluated, temperature=2.0)
    assert report.title == "a model, evaluated on photos"
    assert len(report.predictions) == 4
    assert report.unknown is not None
    assert report.unknown.given == ["cup", "cup"]
    note, unknown, left_out, kept = report.notes
    assert note == "Note."
    assert unknown.startswith("2 images of 1 class")
    assert left_out.startswith("6 files are no usable images, and left out: 0.jpg is")
    assert left_out.endswith("4.jpg is no image; and 1 more.")
    assert "those of the training" in kept
    files = write_evaluation(tmp_path / "evaluation" / "photos", report, evaluated)
    assert {file.name for file in files} == {
        "predictions.parquet",
        "metrics.json",
        "errors.csv",
        "report.html",
        "per_class_metrics.csv",
        "confusions.csv",
        "confusion_matrix.png",
        "calibration_curve_plot.png",
        "unknown_classes.csv",
    }
    assert all(file.is_file() for file in files)
