"""What `task=predict` prints and leaves."""

import csv
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from experiments.errors import DataError, Preempted
from experiments.evaluation.table import read_predictions
from experiments.interruption import StopRequest
from experiments.tasks import predict as module
from experiments.tasks.predict import predict
from experiments.trained.answers import Answers
from tests.conftest import ROOT
from tests.data.pictures import encode, photograph
from tests.tiny import TINY
from tests.trained.test_answer_files import answer
from tests.warm import run_to_the_end


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, check: Any) -> Iterator[Any]:
    """Runs the task on answers that are made up; returns its job and result."""

    @contextmanager
    def open_trained(*_: Any) -> Iterator[Any]:
        yield SimpleNamespace(
            name="m on d",
            run_id="0123",
            folder=tmp_path / "outputs" / "m",
            class_names=tuple(f"class {number}" for number in range(3)),
            image_shape=(8, 8, 1),
            has_several_labels=False,
            state_sha256="ab",
        )

    (tmp_path / "a.jpg").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "open_trained", open_trained)
    monkeypatch.setattr(module, "find_trained", lambda *_: None)

    def run(found: Any, *words: str, stop: StopRequest | None = None) -> Any:
        monkeypatch.setattr(module, "answer_files", lambda *_, **__: found)
        config = check("task=predict", "run_id=m", "input=a.jpg", *words)
        job = SimpleNamespace(
            run=config.run,
            output_dir=tmp_path / "job",
            overrides=(),
            name="predict",
            stop=stop or StopRequest(),
        )
        job.output_dir.mkdir(exist_ok=True)
        return predict(job)  # type: ignore[arg-type]

    return run


def test_stop_leaves_whole_files_of_what_was_predicted_and_says_so(
    made: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stop = StopRequest()

    def until_ctrl_c() -> Iterator[Answers]:
        yield answer(1, 2)
        stop.note("Ctrl-C")
        yield answer(0)
        pytest.fail("goes on")

    with pytest.raises(Preempted) as end:
        made(until_ctrl_c(), stop=stop)
    assert "3 images were predicted by then" in end.value.advice
    assert [row["label"] for row in rows(tmp_path / "job" / "predictions.csv")] == [
        *("class 1", "class 2", "class 0")
    ]
    assert "predictions  job/predictions.csv" in capsys.readouterr().out


def test_stop_in_the_middle_of_a_batch_is_heard_after_it(
    made: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = StopRequest()

    class Stopping(module.Gallery):
        def add(self, *given: Any) -> None:
            stop.request("Ctrl-C")  # as a signal that comes while it is written
            super().add(*given)

    monkeypatch.setattr(module, "Gallery", Stopping)
    with pytest.raises(Preempted):
        made(iter([answer(1, 2), answer(0)]), stop=stop)
    assert len(rows(tmp_path / "job" / "predictions.csv")) == 2
    assert (tmp_path / "job" / "gallery.html").read_text().count("<figure>") == 2


def test_stop_while_a_name_is_awaited_leaves_them_too(
    made: Any, tmp_path: Path
) -> None:
    stop = StopRequest()

    def wait_for_ever() -> Iterator[Answers]:
        yield answer(1)
        stop.request("Ctrl-C")  # raises, as the handler of a signal does

    with pytest.raises(Preempted):
        made(wait_for_ever(), stop=stop)
    assert len(rows(tmp_path / "job" / "predictions.csv")) == 1


def test_no_file_at_all_is_told(made: Any, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="input names no file"):
        made(iter(()))
    assert list((tmp_path / "job").iterdir()) == []


def test_file_of_which_none_is_an_image_is_a_failure(
    made: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    faults = {f"{number}.jpg": "is empty" for number in range(8)}
    result = made(iter([answer(faults=faults)]))
    assert (result.exit_code, result.status) == (1, "FAILED")
    told = capsys.readouterr().out
    assert "8 files could not be read:\n  0.jpg is empty\n" in told
    assert "... and 3 more" in told
    assert "Nothing was predicted: none of the files is an image." in told
    assert not (tmp_path / "job" / "gallery.html").exists()


def test_screen_shows_the_first_files_and_says_how_many_more_there_are(
    made: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    made(iter([answer(*[1] * 8), answer(*[2] * 7)]))
    told = capsys.readouterr().out
    assert told.count("57.6 %") == 10  # exp(1) / (exp(1) + 2)
    assert "... and 5 more" in told
    assert "labels       class 1: 8, class 2: 7" in told


def test_one_image_of_several_files_is_a_success(made: Any) -> None:
    result = made(iter([answer(1, faults={"b.jpg": "is empty"})]))
    assert (result.exit_code, result.status) == (0, "FINISHED")
    assert result.metrics["images"] == result.metrics["unreadable"] == 1


def test_gallery_is_left_out_where_nobody_wants_it(made: Any, tmp_path: Path) -> None:
    made(iter([answer(1)]))
    page = (tmp_path / "job" / "gallery.html").read_text()
    assert "Model: m on d, run 0123, outputs/m. Images are shown" in page
    made(iter([answer(1)]), "task.gallery=0")
    assert not (tmp_path / "job" / "gallery.html").exists()


def test_more_classes_than_there_are_means_all(made: Any, tmp_path: Path) -> None:
    made(iter([answer(1)]), "task.top=9")
    (row,) = rows(tmp_path / "job" / "predictions.csv")
    assert sum(name.startswith("label") for name in row) == 3


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a model was trained, with photographs beside it."""
    place = tmp_path_factory.mktemp("place")
    (place / "my photos (1)").mkdir()
    for number in range(3):
        image = encode(photograph(30 + number, 40), "JPEG")
        (place / "my photos (1)" / f"ä {number}.jpg").write_bytes(image)
    (place / "my photos (1)" / "notes.jpg").write_text("no image")
    done = run(
        place,
        *TINY,
        "trainer.epochs=1",
        "trainer.max_steps_per_epoch=1",
        "schedule.warmup_epochs=0",
    )
    assert done.returncode == 0, done.stderr
    return place


def run(folder: Path, *words: str) -> Any:
    args = [sys.executable, str(ROOT / "run.py"), "gpu=cpu", *words]
    return run_to_the_end(args, cwd=folder, timeout=240)


def test_command_predicts_a_folder_of_photographs(place: Path) -> None:
    words = ("task=predict", "run_id=last", "input=my photos (1)")
    done = run(place, *words)
    assert done.returncode == 0, done.stderr
    assert "my photos (1)/notes.jpg is no image" in done.stdout
    assert "images/s" in done.stdout
    (folder,) = place.glob("outputs/runs/predict-*")
    found = rows(folder / "predictions.csv")
    names = [f"my photos (1)/ä {number}.jpg" for number in range(3)]
    assert [row["file"] for row in found] == names
    shares = [sum(float(row[n]) for n in row if "prob" in n) for row in found]
    assert all(0.4 < share <= 1.00001 for share in shares)  # five of ten classes
    page = (folder / "gallery.html").read_text("utf-8")
    assert page.count("<figure>") == 3

    assert run(place, *words).returncode == 0
    assert [*place.glob("outputs/runs/predict-*")] == [folder]  # the same command


def test_command_says_of_test_images_what_the_training_said(place: Path) -> None:
    """Images of an array, written as files, are the pixels that they were."""
    from PIL import Image

    from experiments.api.run import load_run

    (trained,) = place.glob("outputs/runs/resnet*")
    kept = read_predictions(trained / "predictions" / "test.parquet")
    images = load_run(trained).dataset().test.images[:4]
    (place / "test").mkdir()
    for number, pixels in enumerate(images):
        Image.fromarray(pixels).save(place / "test" / f"{number}.png")

    words = ("task=predict", f"run_id=outputs/runs/{trained.name}", "task.top=10")
    done = run(place, *words, "input=test/*.png")

    assert done.returncode == 0, done.stderr
    (table,) = (
        path
        for path in place.glob("outputs/runs/predict-*/predictions.csv")
        if "test/0.png" in path.read_text("utf-8")
    )
    for row, expected in zip(rows(table), kept.probabilities[:4], strict=True):
        order = [kept.class_names.index(row[n]) for n in row if n.startswith("label")]
        told = np.array([float(row[n]) for n in row if n.startswith("prob")])
        np.testing.assert_allclose(told, expected[order], atol=1e-5)
        assert sorted(order) == list(range(10))
