"""What a trained model says of files is what its training's pipeline made of them."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import ImageOps

from experiments.api.training import train
from experiments.command.composing.composed import Config, compose
from experiments.data.images.decode import decode_image
from experiments.evaluation.table import read_predictions
from experiments.jobs.job import JobResult
from experiments.trained.answer_rows import list_rows
from experiments.trained.answers import Answers, answer_files
from experiments.trained.finding import find_trained
from experiments.trained.trained import Trained, open_trained
from tests.data.pictures import all_forms, encode, photograph

pytestmark = [
    pytest.mark.usefixtures("eager"),
    pytest.mark.filterwarnings("ignore:.*does not apply to tf.data functions"),
]
_SMALL = ["model=resnet", "model.depth=null", "model.blocks=[1]", "model.width=8"]
_SMALL += ["model.block=basic", "trainer.epochs=1", "trainer.batch_size=4", "gpu=cpu"]
_SMALL += ["schedule.warmup_epochs=0", "optimizer.lr=1e-2", "tracking=off"]


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of photographs in every form, and of others."""
    root = tmp_path_factory.mktemp("photos")
    for split, count in (("train", 4), ("val", 2), ("test", 2)):
        for label in ("flower", "other"):
            folder = root / split / label
            folder.mkdir(parents=True)
            for number in range(count):
                image = photograph(40 + number, 50)
                image = ImageOps.invert(image) if label == "other" else image
                image.putpixel((number, len(split)), (255, 0, 0))
                (folder / f"{number}.png").write_bytes(encode(image, "PNG"))
    for form, content in all_forms().items():
        (root / "test" / "flower" / f"{form}.jpg").write_bytes(content)
    return root


@pytest.fixture(scope="module")
def config(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Config:
    words = ["dataset=folder", f"dataset.path={photos}", "dataset.image_size=16"]
    words += ["dataset.crop_ratio=0.8", "dataset.background=black"]
    words += ["dataset.scan_cache=null", "dataset.splits=null"]
    outputs = tmp_path_factory.mktemp("outputs")
    return compose([*_SMALL, *words, f"output_dir={outputs}"])


@pytest.fixture(scope="module")
def result(config: Config) -> Iterator[JobResult]:
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield train(config, quiet=True)
    tf.config.run_functions_eagerly(False)


@pytest.fixture
def trained(config: Config, result: JobResult) -> Iterator[Trained]:
    run = config.run
    with open_trained(find_trained(result.output_dir, run), run) as trained:
        yield trained


def ask(trained: Trained, paths: list[str], batch_size: int = 8) -> list[Answers]:
    return list(answer_files(trained, paths, batch_size=batch_size, name=str))


def test_file_of_each_form_has_the_logits_of_its_training_s_pipeline(
    trained: Trained, photos: Path, result: JobResult
) -> None:
    kept = read_predictions(Path(result.output_dir, "predictions", "test.parquet"))
    paths = [str(photos / sample) for sample in kept.samples]
    assert len(paths) == len(all_forms()) + 4

    found = ask(trained, paths)

    outputs = np.concatenate([one.predictions.outputs for one in found])
    np.testing.assert_allclose(outputs, kept.outputs, atol=1e-5)
    assert len({*map(tuple, outputs.round(4))}) > 5  # they are not all alike
    digests = [digest for one in found for digest in one.predictions.digests]
    assert digests == list(kept.digests)
    assert {one.predictions.kind for one in found} == {"logits"}
    assert {one.predictions.class_names for one in found} == {("flower", "other")}


def test_model_sees_the_window_and_background_of_its_training(
    trained: Trained, photos: Path
) -> None:
    path = photos / "test" / "flower" / "rgba_webp.jpg"
    (one,) = ask(trained, [str(path)])
    decoded = decode_image(
        path.read_bytes(),
        image_shape=(16, 16, 3),
        crop_ratio=0.8,
        background=(0, 0, 0),
    )
    assert (one.pixels[0] == decoded.numpy()).all()
    assert one.paths == (str(path),)


def test_unreadable_files_are_told_and_the_rest_keeps_its_order(
    trained: Trained, photos: Path, tmp_path: Path
) -> None:
    good = [str(path) for path in sorted((photos / "train" / "other").iterdir())]
    bad = [str(tmp_path / name) for name in ("gone.jpg", "text.jpg", "empty.jpg")]
    (tmp_path / "text.jpg").write_text("no image at all")
    (tmp_path / "empty.jpg").touch()
    paths = [good[2], *bad, good[0], good[3], *bad, good[2]]

    found = ask(trained, paths, batch_size=2)

    assert [name for one in found for name in one.predictions.samples] == [
        path for path in paths if path in good
    ]
    refused = [(bad.file, bad.reason) for one in found for bad in one.unreadable]
    assert [name for name, _ in refused] == [path for path in paths if path in bad]
    assert [reason for _, reason in refused[:3]] == [
        "cannot be read (No such file or directory)",
        "is no image",
        "is empty",
    ]
    # No other number of images at once than must be: each is compiled anew.
    assert {len(one.predictions) for one in found} == {0, 2}


def test_files_are_asked_for_as_they_are_needed(trained: Trained, photos: Path) -> None:
    path = str(photos / "train" / "other" / "0.png")
    endless = iter(lambda: path, None)
    first = next(answer_files(trained, endless, batch_size=4, name=str))
    assert len(first.predictions) == 4


def test_rows_are_in_the_order_of_the_files_with_their_faults(
    trained: Trained, photos: Path, tmp_path: Path
) -> None:
    good = [str(photos / "train" / "other" / f"{number}.png") for number in range(2)]
    gone = str(tmp_path / "gone.jpg")
    paths = [gone, good[1], gone, good[0], good[1]]
    rows = list_rows(trained, paths, top=9, batch_size=2)
    assert [row["file"] for row in rows] == paths
    faults = [row["fault"] is not None for row in rows]
    assert faults == [path == gone for path in paths]
    assert rows[0] == {
        "file": gone,
        "fault": "cannot be read (No such file or directory)",
        **dict.fromkeys(("label", "probability", "label_2", "probability_2")),
    }
    assert rows[1]["probability"] == pytest.approx(rows[4]["probability"], rel=1e-5)
    assert rows[1]["probability"] + rows[1]["probability_2"] == pytest.approx(1)
    assert {rows[1]["label"], rows[1]["label_2"]} == {"flower", "other"}
