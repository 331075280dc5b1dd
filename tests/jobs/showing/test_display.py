import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf

from experiments.command.printed import describe_command
from experiments.config.code.programs import name_program
from experiments.config.kinds.destination import Destination
from experiments.counts import format_bytes
from experiments.jobs.job import JobResult
from experiments.jobs.showing import display
from experiments.jobs.sweep_place import SweepPlace
from experiments.runtime.devices import Devices

LONG_URL = "http://127.0.0.1:5000/#/experiments/1/runs/" + "0123456789abcdef" * 8
LONG_NAME = "a folder with spaces " * 8 + "end"
COST = SimpleNamespace(
    parameters=11_689_512,
    trainable_parameters=11_679_912,
    flops_per_image=3_628_146_688,
    activation_bytes_per_image=25_000_000,
    training_bytes=2_345_000_000,
)
DATASET = SimpleNamespace(
    name="digits",
    image_shape=(32, 24, 1),
    num_classes=10,
    class_names=tuple("0123456789"),
    splits={"train": range(1258), "validation": range(180), "test": range(359)},
    findings={},
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout to be in, and a narrow screen that must break nothing."""
    monkeypatch.chdir(tmp_path)
    for name in ("Makefile", "run.py"):
        (tmp_path / name).touch()
    monkeypatch.setenv("COLUMNS", "40")
    return tmp_path


def make_job(output_dir: Path, uri: str | None = None, outputs: str = "outputs") -> Any:
    place = Destination(
        output_dir=Path(outputs), uri=uri, ui_url="http://127.0.0.1:5000"
    )
    trainer = SimpleNamespace(epochs=7, batch_size=16, precision="float32")
    run = SimpleNamespace(
        trainer=trainer,
        tracking=SimpleNamespace(uri=uri),
        destination=lambda: place,
        seed=3,
        dataset=SimpleNamespace(known_fold=None),
        backend="tensorflow",
        output_dir=outputs,
    )
    return SimpleNamespace(
        run=run, name="resnet18 on digits", output_dir=output_dir, place=None
    )


def make_result(path: Path, run_url: str | None = None, **metrics: float) -> JobResult:
    return JobResult(
        name="a",
        status="FINISHED",
        metrics=metrics,
        run_url=run_url,
        output_dir=str(path),
    )


def read_rows(text: str) -> dict[str, str]:
    """Returns the text after each row's name, by that name."""
    rows = [line.partition("  ") for line in text.splitlines() if line]
    return {name: value.strip() for name, _, value in rows}


def test_a_folder_is_named_from_where_the_command_was_typed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    job = make_job(folder / "outputs" / "1")
    job.output_dir.mkdir(parents=True)
    whole = OmegaConf.create({"hydra": {"runtime": {"cwd": str(folder)}}})
    monkeypatch.setattr(HydraConfig.instance(), "cfg", whole)
    monkeypatch.chdir(job.output_dir)  # as `hydra.job.chdir=true` does
    display.show_start(job, DATASET, COST, Devices(()))  # type: ignore[arg-type]
    assert read_rows(capsys.readouterr().out)["folder"] == "outputs/1"


def test_start_shows_device_data_model_and_training(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = make_job(folder / "outputs" / "1")
    display.show_start(job, DATASET, COST, Devices(()))  # type: ignore[arg-type]
    rows = read_rows(capsys.readouterr().out)
    assert list(rows) == [
        "experiment",
        "device",
        "data",
        "classes",
        "model",
        "training",
        "folder",
    ]
    assert rows["experiment"] == "resnet18 on digits"
    assert rows["device"] == "CPU, tensorflow, float32"
    assert rows["data"] == (
        "digits: 1,258 train, 180 validation, 359 test images of 32 x 24 x 1, "
        "10 classes"
    )
    assert "11,689,512 parameters" in rows["model"]
    assert "3.63 GFLOP" in rows["model"]
    assert rows["training"] == (
        "7 epochs, 16 images a step, seed 3, about 2.3 GB of memory"
    )
    assert rows["folder"] == "outputs/1"


def test_what_a_network_begins_with_is_shown_below_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    beginning = {"weights": "a.pth: 3 of 3 arrays loaded", "images": "as they are"}
    job = make_job(folder)
    display.show_start(job, DATASET, COST, Devices(()), beginning)  # type: ignore[arg-type]
    rows = read_rows(capsys.readouterr().out)
    assert list(rows)[4:8] == ["model", "weights", "images", "training"]
    assert rows["weights"] == "a.pth: 3 of 3 arrays loaded"


def test_one_epoch_and_one_image_are_not_told_in_the_plural(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = make_job(folder)
    job.run.trainer.epochs = job.run.trainer.batch_size = 1
    display.show_start(job, DATASET, COST, Devices(()))  # type: ignore[arg-type]
    display.show_continuation(0, 1)
    screen = capsys.readouterr().out
    assert read_rows(screen)["training"].startswith("1 epoch, 1 image a step, ")
    assert "it continues after epoch 0 and 1 step." in screen


def test_gpus_are_named_by_their_indices(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    display.show_start(make_job(folder), DATASET, COST, Devices(("0", "3")))  # type: ignore[arg-type]
    rows = read_rows(capsys.readouterr().out)
    assert rows["device"] == "GPU 0, 3, tensorflow, float32"


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (2_000_000, "2 MB"),
        (123_000_000, "123 MB"),
        (1_000_000_000, "1.0 GB"),
        (12_340_000_000, "12.3 GB"),
    ],
)
def test_size_is_told_in_mb_or_gb(count: float, text: str) -> None:
    assert format_bytes(count) == text


@pytest.mark.parametrize(
    ("last", "planned", "text"),
    [
        (4, 7, "Stopped early after epoch 4: no improvement since epoch 2.\n"),
        (7, 7, ""),
    ],
)
def test_early_stop_is_told_and_a_full_training_is_not(
    last: int, planned: int, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    display.show_end(last=last, planned=planned, best=2)
    assert capsys.readouterr().out == text


def test_result_shows_the_scores_of_each_kind(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = make_result(
        folder / "outputs" / "1",
        "http://m/1",
        best_epoch=3,
        best_val_loss=0.25,
        test_accuracy=0.98765,
    )
    display.show_result(make_job(folder).run, result)
    assert capsys.readouterr().out == (
        "\n"
        "best epoch     3, val_loss 0.2500\n"
        "held-out test  accuracy 0.9877\n"
        "folder         outputs/1\n"
        "MLflow run     http://m/1\n"
        f"to open it     cd {folder} && make ui\n"
    )


def test_untested_and_untracked_result_leaves_their_lines_out(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    display.show_result(make_job(folder).run, make_result(folder / "x", best_epoch=1))
    assert capsys.readouterr().out == "\nbest epoch  1\nfolder      x\n"


@pytest.mark.parametrize(
    ("uri", "outputs", "command"),
    [
        (None, "outputs", "cd {0} && make ui"),
        (None, "elsewhere", "{1} ui --backend-store-uri sqlite:///{0}/elsewhere/"),
        ("sqlite:////data/m.db", "outputs", "{1} ui --backend-store-uri sqlite:///"),
        ("http://server", "outputs", "the tracking server shows its own pages"),
    ],
)
def test_way_to_the_pages_fits_where_the_records_are(
    folder: Path,
    uri: str | None,
    outputs: str,
    command: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    job = make_job(folder, uri, outputs)
    display.show_result(job.run, make_result(folder, "http://m/1"))
    rows = read_rows(capsys.readouterr().out)
    assert rows["to open it"].startswith(command.format(folder, name_program("mlflow")))


def test_pages_are_not_made_where_there_is_no_makefile(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "Makefile").unlink()
    display.show_result(make_job(folder).run, make_result(folder, "http://m/1"))
    rows = read_rows(capsys.readouterr().out)
    command = f"{name_program('mlflow')} ui --backend-store-uri sqlite:///"
    assert rows["to open it"].startswith(command)


def test_long_link_and_path_stay_on_one_line_each(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = Path("/data") / LONG_NAME
    display.show_result(make_job(path).run, make_result(path, LONG_URL))
    lines = capsys.readouterr().out.splitlines()
    assert f"folder      {path}" in lines
    assert f"MLflow run  {LONG_URL}" in lines


def test_long_links_of_a_sweep_stay_on_one_line_each(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = "| " + "x" * 200 + " |\n"
    path = folder / LONG_NAME
    display.show_sweep(table, path, run_url=LONG_URL, compare_url=LONG_URL + "/compare")
    assert capsys.readouterr().out == (
        f"\n{table}\n"
        f"folder      {LONG_NAME}\n"
        f"MLflow run  {LONG_URL}\n"
        f"charts      {LONG_URL}/compare\n"
    )


def test_untracked_sweep_shows_no_links(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    display.show_sweep("table", folder / "s", run_url=None, compare_url=None)
    assert capsys.readouterr().out == "\ntable\nfolder  s\n"


def test_square_brackets_are_text_and_no_markup(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    display.show_sweep("", folder / "[red]a[0]", run_url=None, compare_url=None)
    assert "folder  [red]a[0]\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("count", "head", "more"),
    [
        (1, "1 file was skipped as unusable:", None),
        (5, "5 files were skipped as unusable:", None),
        (7, "7 files were skipped as unusable:", "  ... and 2 more"),
    ],
)
def test_skipped_files_are_counted_and_the_first_five_named(
    count: int, head: str, more: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [f"{LONG_NAME}{number}.png" for number in range(count)]
    files = [SimpleNamespace(path=name, reason="is cut") for name in names]
    display.show_skipped(SimpleNamespace(skipped_files=files))  # type: ignore[arg-type]
    listed = [f"  {name}: is cut" for name in names[:5]]
    rest = [more] if more else []
    assert capsys.readouterr().out.splitlines() == ["", head, *listed, *rest]


def test_nothing_is_said_when_no_file_was_skipped(
    capsys: pytest.CaptureFixture[str],
) -> None:
    display.show_skipped(SimpleNamespace(skipped_files=()))  # type: ignore[arg-type]
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("unsent", "shown"),
    [
        (0, ""),
        (
            1,
            "\n1 record is not in MLflow yet: no server answers.\n"
            "It is kept. To send it: {}\n",
        ),
        (
            3,
            "\n3 records are not in MLflow yet: no server answers.\n"
            "They are kept. To send them: {}\n",
        ),
    ],
)
def test_unsent_records_are_told(
    unsent: int, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    tracker: Any = SimpleNamespace(unsent=unsent, problem="no server answers")
    display.show_unsent(tracker, "outputs", None)
    command = describe_command("task=sync")
    assert capsys.readouterr().out == shown.format(command)


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (["cat", "dog"], "cat, dog"),
        ([f"n{n:08}" for n in range(1000)], r"(n\d{8}, ){8}\.\.\. \(1,000 in all\)"),
        (["a" * 200, "b"], r"a{90}, \.\.\. \(2 in all\)"),
    ],
)
def test_names_of_classes_are_shown_many_by_their_first(
    folder: Path, capsys: pytest.CaptureFixture[str], names: list[str], shown: str
) -> None:
    dataset = SimpleNamespace(**{**vars(DATASET), "class_names": tuple(names)})
    display.show_start(make_job(folder), dataset, COST, Devices(()))  # type: ignore[arg-type]
    rows = read_rows(capsys.readouterr().out)
    assert re.fullmatch(shown, rows["classes"])


def test_later_jobs_of_a_sweep_show_what_differs(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in (1, 2):
        job = make_job(folder / str(number))
        job.name, job.place = (
            f"seed={number}",
            SweepPlace(folder=folder, number=number, total=4),
        )
        display.show_start(job, DATASET, COST, Devices(()))  # type: ignore[arg-type]

    first, second = capsys.readouterr().out.split("\njob 2 of 4: ")
    assert first.startswith("\njob 1 of 4: seed=1\ndevice ")
    assert set(read_rows(first)) >= {"device", "data", "classes", "model", "folder"}
    assert second == "seed=2\nfolder  2\n"


def test_job_of_a_sweep_shows_its_scores_without_what_the_end_of_the_sweep_shows(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = make_result(folder / "1", "http://m/1", best_epoch=1, best_loss=0.5)

    display.show_result(make_job(folder).run, result, in_sweep=True)

    assert list(read_rows(capsys.readouterr().out)) == ["best epoch", "MLflow run"]
