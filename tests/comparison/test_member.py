from pathlib import Path

import pytest

from experiments.comparison import member
from experiments.comparison.member import read_member, read_stored_member
from experiments.config.kinds.destination import Destination
from experiments.evaluation.table import write_predictions
from experiments.tracking.account import Account
from experiments.tracking.recorded import RecordedRun
from tests.comparison.left import leave, of_right, share


def test_run_is_read_by_its_folder(tmp_path: Path) -> None:
    run_id = leave(tmp_path / "a", 0.5, settings={"seed": "4"}, epochs=3)
    found = read_member(tmp_path / "a", tmp_path)
    assert (found.name, found.run_id, found.state) == ("a", run_id, "finished")
    assert found.settings["optimizer.lr"] == "0.001"
    assert found.seed == "4"
    assert "gpu" not in found.settings
    # It is what `optimizer.lr` is: nobody can choose it.
    assert found.followers == {"schedule.lr"}
    assert found.metrics["best_val_accuracy"] == 0.5
    # 2 s an epoch; of 100, 200 and 300 images/s the middle one.
    assert (found.seconds, found.images_per_second) == (6.0, 200.0)
    assert (found.epochs, found.parameters) == (3.0, 1234.0)
    assert found.disk == sum(
        p.lstat().st_size for p in (tmp_path / "a").rglob("*") if p.is_file()
    )


def test_failed_run_without_an_epoch_has_nothing_to_measure(tmp_path: Path) -> None:
    leave(tmp_path / "a", None, status="FAILED", epochs=0)
    found = read_member(tmp_path / "a", tmp_path)
    assert found.state == "failed"
    assert found.metrics == {}
    assert found.seconds is found.images_per_second is found.epochs is None


def test_untracked_run_has_its_result_and_no_curve(tmp_path: Path) -> None:
    leave(tmp_path / "a", 0.5, tracked=False)
    config = tmp_path / "a" / ".hydra" / "config.yaml"
    config.parent.mkdir()
    config.write_text(
        "optimizer: {lr: 0.25}\nseed: 3\ntags: {}\ntrainer: {epochs: 1}\n"
    )
    found = read_member(tmp_path / "a", tmp_path)
    assert found.metrics["best_val_accuracy"] == 0.5
    assert found.settings["optimizer.lr"] == "0.25"
    assert found.points == {}
    assert found.word == str(tmp_path / "a")


@pytest.mark.parametrize("content", ["", "{", "\x00", '{"kind": "params"}\n'])
def test_damaged_run_says_that_it_is(tmp_path: Path, content: str) -> None:
    leave(tmp_path / "a", 0.5)
    (tmp_path / "a" / "tracking" / "journal.jsonl").write_text(content)
    found = read_member(tmp_path / "a", tmp_path)
    assert found.state == "unreadable"
    assert found.reason


def test_folder_without_a_run_is_none(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    found = read_member(tmp_path / "a", tmp_path)
    assert (found.state, found.reason) == ("unreadable", "it holds no run")


def test_run_that_mlflow_alone_knows_is_read_with_its_predictions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = RecordedRun(
        run_id="1234",
        name="far away",
        config={"optimizer": {"lr": 0.5}, "seed": 3, "gpu": "auto"},
        choices={},
        changed={},
        origin={},
        metrics={"best_val_accuracy": 0.5},
    )
    points = {1: {"loss": 1.0}}
    account = Account(
        run_id="1234",
        name="far away",
        params={"optimizer.lr": "0.5", "seed": "3"},
        tags={"derived.parameters": "7"},
        points=points,
    )
    asked = []

    def fetch(run_id: str, path: str, _: Destination, into: Path) -> Path:
        asked.append((run_id, path))
        write_predictions(into / "copy.parquet", of_right(share(60)))
        return into / "copy.parquet"

    monkeypatch.setattr(member, "read_stored_run", lambda *_: recorded)
    monkeypatch.setattr(member, "read_stored_account", lambda *_: account)
    monkeypatch.setattr(member, "fetch_file", fetch)
    place = Destination(output_dir=tmp_path, experiment="default", enabled=True)
    found = read_stored_member("1234", place)
    assert asked == [("1234", "predictions/test.parquet")]
    assert found.predictions is not None
    assert len(found.predictions) == 100
    assert found.settings == {"optimizer.lr": "0.5", "seed": "3"}
    assert (found.parameters, found.points, found.folder) == (7.0, points, None)
