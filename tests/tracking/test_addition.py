"""What an evaluation adds to a run that is over."""

import json
from pathlib import Path
from typing import Any

import pytest

from experiments.tracking.account import read_account, read_stored_account
from experiments.tracking.addition import Addition, add_to_folder, add_to_store
from experiments.tracking.sending.sync import sync_folders
from experiments.tracking.spool.inputs import DatasetInput
from experiments.tracking.spool.spool import Spool
from experiments.tracking.store.client import connect
from tests.tracking.conftest import destination
from tests.tracking.server import free_port


@pytest.fixture
def over(open_run: Any) -> Path:
    """The folder of a run that has ended, and that MLflow holds."""
    tracker = open_run()
    tracker.log_metrics({"val_accuracy": 0.5}, step=1)
    tracker.finish("FINISHED")
    assert tracker.unsent == 0
    return Path(tracker._spool.job_folder)


def describe(folder: Path, score: float = 0.25) -> Addition:
    page = folder / "report.html"
    page.write_text(f"<p>{score}</p>")
    data = DatasetInput(
        name="photos",
        digest="0123456789ab",
        context="evaluation",
        folder="photos",
        code="a.b",
        profile={"images": 3},
    )
    return Addition(
        name="photos", metrics={"accuracy": score}, files=[page], dataset=data
    )


def read(tmp_path: Path, folder: Path) -> Any:
    run_id = Spool(folder).read_run_id()
    client = connect(destination(tmp_path / "out"), create=False).client
    return client, client.get_run(run_id)


def facts(run: Any) -> Any:
    tags = {k: v for k, v in run.data.tags.items() if not k.startswith("mlflow.log")}
    return (run.info.status, run.info.start_time, run.info.end_time, tags)


def test_run_that_is_over_gets_scores_files_and_data_and_stays_over(
    over: Path, tmp_path: Path
) -> None:
    _, before = read(tmp_path, over)
    added = add_to_folder(over, describe(tmp_path), destination(tmp_path / "out"))
    client, run = read(tmp_path, over)
    assert added is not None
    assert (added.unsent, added.problem) == (0, None)
    assert f"/runs/{run.info.run_id}?" in str(added.run_url)
    assert facts(run) == facts(before)
    assert run.data.metrics == {
        "val_accuracy": 0.5,
        "evaluation/photos/accuracy": 0.25,
    }
    (found,) = client.list_artifacts(run.info.run_id, "evaluation/photos")
    assert found.path == "evaluation/photos/report.html"
    (given,) = run.inputs.dataset_inputs
    assert (given.dataset.name, given.tags[0].value) == ("photos", "evaluation")


def test_same_evaluation_adds_nothing_a_second_time(over: Path, tmp_path: Path) -> None:
    place = destination(tmp_path / "out")
    add_to_folder(over, describe(tmp_path), place)
    journal = Spool(over).journal.read_bytes()
    _, before = read(tmp_path, over)
    again = add_to_folder(over, describe(tmp_path), place)
    assert again is not None
    assert again.run_url is not None
    assert Spool(over).journal.read_bytes() == journal
    client, run = read(tmp_path, over)
    assert facts(run) == facts(before)
    assert run.data.metrics == before.data.metrics
    assert len(run.inputs.dataset_inputs) == 1
    name = "evaluation/photos/accuracy"
    assert len(client.get_metric_history(run.info.run_id, name)) == 1


def test_later_evaluation_replaces_the_earlier_one(over: Path, tmp_path: Path) -> None:
    place = destination(tmp_path / "out")
    for score in (0.25, 0.75, 0.5):
        add_to_folder(over, describe(tmp_path, score), place)
    client, run = read(tmp_path, over)
    assert run.data.metrics["evaluation/photos/accuracy"] == 0.5
    path = client.download_artifacts(run.info.run_id, "evaluation/photos/report.html")
    assert Path(path).read_text() == "<p>0.5</p>"


def test_epochs_of_a_run_are_those_of_its_training(over: Path, tmp_path: Path) -> None:
    place = destination(tmp_path / "out")
    add_to_folder(over, describe(tmp_path), place)
    account = read_account(over)
    assert account is not None
    assert account.points == {1: {"val_accuracy": 0.5}}
    stored = read_stored_account(str(account.run_id), place)
    assert stored.points == account.points


def test_what_was_added_waits_for_a_store_that_does_not_answer(
    open_run: Any, tmp_path: Path
) -> None:
    address = f"http://127.0.0.1:{free_port()}"
    tracker = open_run(uri=address, drain_seconds=0.1)
    tracker.finish("FINISHED")
    folder = Path(tracker._spool.job_folder)
    away = destination(tmp_path / "out", uri=address)
    added = add_to_folder(folder, describe(tmp_path), away)
    assert added is not None
    assert added.unsent == 5
    assert address in str(added.problem)
    store = f"sqlite:///{tmp_path}/out/mlflow.db"
    (row,) = sync_folders(destination(tmp_path / "out"), uri=store)
    assert (row.sent, row.unsent) == (5, 0)
    _, run = read(tmp_path, folder)
    assert run.info.status == "FINISHED"
    assert run.data.metrics == {"evaluation/photos/accuracy": 0.25}


def test_sync_finds_nothing_to_do_after_an_evaluation(
    over: Path, tmp_path: Path
) -> None:
    place = destination(tmp_path / "out")
    add_to_folder(over, describe(tmp_path), place)
    _, before = read(tmp_path, over)
    assert list(sync_folders(place)) == []
    assert facts(read(tmp_path, over)[1]) == facts(before)


def test_run_that_goes_on_after_an_evaluation_counts_no_session_for_it(
    over: Path, open_run: Any, tmp_path: Path
) -> None:
    add_to_folder(over, describe(tmp_path), destination(tmp_path / "out"))
    tracker = open_run(folder=over)
    assert tracker.resumed == 1
    tracker.log_metrics({"val_accuracy": 0.6}, step=2)
    tracker.finish("FINISHED")
    _, run = read(tmp_path, over)
    assert run.data.tags["resumed.count"] == "1"
    assert run.data.metrics["evaluation/photos/accuracy"] == 0.25


def test_run_that_is_lost_gets_its_end_and_its_evaluation_again(
    over: Path, tmp_path: Path
) -> None:
    add_to_folder(over, describe(tmp_path), destination(tmp_path / "out"))
    _, before = read(tmp_path, over)
    other = f"sqlite:///{tmp_path}/other/mlflow.db"
    (tmp_path / "other").mkdir()
    (row,) = sync_folders(destination(tmp_path / "out"), uri=other)
    assert row.unsent == 0
    client = connect(destination(tmp_path / "other"), create=False).client
    run = client.get_run(Spool(over).read_run_id())
    assert (run.info.status, run.info.end_time) == (
        before.info.status,
        before.info.end_time,
    )
    assert run.data.metrics == before.data.metrics


def test_run_of_another_store_is_sent_nowhere_else(
    open_run: Any, tmp_path: Path
) -> None:
    address = f"http://127.0.0.1:{free_port()}"
    tracker = open_run(uri=address, drain_seconds=0.1)
    tracker.finish("FINISHED")
    folder = Path(tracker._spool.job_folder)
    added = add_to_folder(folder, describe(tmp_path), destination(tmp_path / "out"))
    assert added is not None
    assert (added.run_url, added.unsent) == (None, 5)
    assert f"tracking.uri={address}" in str(added.problem)


def test_folder_that_was_never_recorded_stays_so(tmp_path: Path) -> None:
    folder = tmp_path / "out" / "runs" / "a"
    folder.mkdir(parents=True)
    place = destination(tmp_path / "out")
    assert add_to_folder(folder, describe(tmp_path), place) is None
    assert list(folder.iterdir()) == []


def test_run_without_a_folder_gets_it_at_once(over: Path, tmp_path: Path) -> None:
    place = destination(tmp_path / "out")
    run_id = str(Spool(over).read_run_id())
    _, before = read(tmp_path, over)
    for score in (0.25, 0.25, 0.5):
        added = add_to_store(run_id, describe(tmp_path, score), place)
    client, run = read(tmp_path, over)
    assert added.run_url is not None
    assert facts(run) == facts(before)
    name = "evaluation/photos/accuracy"
    points = client.get_metric_history(run_id, name)
    assert [point.value for point in points] == [0.25, 0.5]
    assert run.data.metrics[name] == 0.5
    assert len(run.inputs.dataset_inputs) == 1
    path = client.download_artifacts(run_id, "evaluation/photos/report.html")
    assert Path(path).read_text() == "<p>0.5</p>"


def test_journal_of_an_evaluation_opens_no_session(over: Path, tmp_path: Path) -> None:
    add_to_folder(over, describe(tmp_path), destination(tmp_path / "out"))
    lines = Spool(over).journal.read_text().splitlines()
    kinds = [json.loads(line)["kind"] for line in lines]
    assert kinds == ["session", "metrics", "end", "metrics", "inputs", "artifact"]


def test_scores_stand_on_the_page_of_the_model_too(over: Path, tmp_path: Path) -> None:
    from mlflow.entities import LoggedModelOutput

    client, run = read(tmp_path, over)
    model = client.create_logged_model(
        run.info.experiment_id, name="m", source_run_id=run.info.run_id
    )
    client.log_outputs(run.info.run_id, [LoggedModelOutput(model.model_id, 1)])
    place = destination(tmp_path / "out")
    add_to_store(run.info.run_id, describe(tmp_path), place)
    (score,) = client.get_logged_model(model.model_id).metrics
    assert (score.key, score.value) == ("evaluation/photos/accuracy", 0.25)
    assert score.dataset_name is None  # the training's own would be another one


def tell(folder: Path, text: str = "as ONNX", name: str = "export-1") -> Addition:
    bundle = folder / "bundle"
    (bundle / "samples").mkdir(parents=True, exist_ok=True)
    (bundle / "export.json").write_text("{}")
    (bundle / "samples" / "one.png").write_bytes(b"\x89PNG\0")
    return Addition(
        name=name,
        files=sorted(path for path in bundle.rglob("*") if path.is_file()),
        kind="export/",
        below=bundle,
        note=text,
    )


def read_note(tmp_path: Path, over: Path) -> str:
    return read(tmp_path, over)[1].data.tags["mlflow.note.content"]


@pytest.mark.parametrize("here", [True, False])
def test_an_export_adds_its_files_and_a_part_of_the_description(
    over: Path, tmp_path: Path, here: bool
) -> None:
    place = destination(tmp_path / "out")
    client, run = read(tmp_path, over)
    written = "Mine: *keep*, please."
    client.set_tag(run.info.run_id, "mlflow.note.content", written)
    said = [("as ONNX", "export-1"), ("as LiteRT", "export-2"), ("anew", "export-1")]
    for text, name in said:
        addition = tell(tmp_path, text, name)
        if here:
            add_to_folder(over, addition, place)
        else:
            add_to_store(run.info.run_id, addition, place)
    first, *parts = read_note(tmp_path, over).split("\n\n#### ")
    assert first == written
    assert parts == ["export/export-2\n\nas LiteRT", "export/export-1\n\nanew"]
    _, run = read(tmp_path, over)
    assert run.info.status == "FINISHED"
    for name in ("export-1", "export-2"):
        path = f"export/{name}/samples"
        (found,) = client.list_artifacts(run.info.run_id, path)
        assert found.path == f"{path}/one.png"


def test_the_same_export_says_nothing_a_second_time(over: Path, tmp_path: Path) -> None:
    place = destination(tmp_path / "out")
    add_to_folder(over, tell(tmp_path), place)
    journal = Spool(over).journal.read_bytes()
    add_to_folder(over, tell(tmp_path), place)
    assert Spool(over).journal.read_bytes() == journal


def test_a_run_that_is_described_anew_has_no_part_of_before(
    over: Path, open_run: Any, tmp_path: Path
) -> None:
    place = destination(tmp_path / "out")
    add_to_folder(over, tell(tmp_path), place)
    tracker = open_run(folder=over)
    tracker.describe("trained on")
    tracker.finish("FINISHED")
    assert read_note(tmp_path, over) == "trained on"
    add_to_folder(over, tell(tmp_path), place)
    assert "\n\n#### export/export-1" in read_note(tmp_path, over)
