"""Runs of an earlier release, loaded in Python by their folder, an id and MLflow."""

import shutil
from pathlib import Path

import pytest

from experiments.api.run import Run, load_run
from experiments.config.kinds.metric_names import name_as_today
from experiments.config.schema.run import RunConfig
from experiments.records import NewerRecordError
from tests.records.archive import find_job, outputs, read_result
from tests.records.test_newer import age_file

__all__ = ["outputs"]
TARGET = "experiments.models.resnet.builder.build_resnet"  # where it is today


@pytest.fixture
def finished(outputs: Path) -> Run:
    return load_run(find_job(outputs, "finished"))


def test_config_is_one_of_today(outputs: Path, request: pytest.FixtureRequest) -> None:
    results = sorted(outputs.glob("runs/*/result.json"))
    results += sorted(outputs.glob("sweeps/*/*/result.json"))
    assert len(results) >= 11
    told = set()
    for result in results:
        run = load_run(result.parent)
        assert isinstance(run.config, RunConfig)
        assert run.data["model"]["_target_"] == TARGET
        told.add(run.params.get("model._target_"))
    is_told = request.node.callspec.params["outputs"] < 3  # it is no parameter since
    assert told == {TARGET if is_told else None}


def test_scores_are_those_that_were_recorded(outputs: Path, finished: Run) -> None:
    stored = read_result(find_job(outputs, "finished"))
    assert finished.id == stored["run_id"]
    assert finished.metrics == name_as_today(stored["metrics"])
    best = int(stored["metrics"]["best_epoch"])
    assert len(finished.history) == 2
    assert finished.history[best - 1]["val_loss"] == stored["metrics"]["best_val_loss"]
    assert sorted(found.epoch for found in finished.checkpoints) == [1, 2]
    assert [found.epoch for found in finished.checkpoints if found.is_best] == [best]


def test_model_predicts_what_was_recorded(finished: Run) -> None:
    data = finished.dataset()
    assert (len(data.train), data.num_classes) == (1258, 10)
    scores = finished.model().evaluate(finished.pipelines().test, verbose=0)
    recorded = [finished.metrics[name] for name in ("test_loss", "test_accuracy")]
    assert scores == pytest.approx(recorded, rel=1e-4)


def test_id_leads_to_the_same(outputs: Path, finished: Run) -> None:
    run = load_run(str(finished.id), output_dir=outputs)
    assert run.folder == finished.folder
    shutil.rmtree(outputs / "runs")
    alone = load_run(str(finished.id), output_dir=outputs)
    assert alone.folder is None
    assert alone.data == finished.data
    assert alone.params == finished.params
    assert alone.metrics == finished.metrics
    assert alone.model().output_shape == (None, 10)


def test_folder_without_a_tracker_is_read_by_what_hydra_left(
    outputs: Path, finished: Run
) -> None:
    folder = find_job(outputs, "finished")
    shutil.rmtree(folder / "tracking")
    run = load_run(folder)
    assert run.data["model"] == finished.data["model"]
    assert run.config.model == finished.config.model


@pytest.mark.parametrize(
    "name",
    [
        "result.json",
        "checkpoints/manifest.json",
        "tracking/journal.jsonl",
        "tracking/artifacts/config/config.yaml",
    ],
)
def test_record_of_a_later_release_is_refused(outputs: Path, name: str) -> None:
    path = find_job(outputs, "finished") / name
    if path.suffix == ".yaml":
        path.write_text("# experiments 9.9, format 99\n" + path.read_text())
    else:
        age_file(path)
    with pytest.raises(NewerRecordError, match=r"was written by experiments 9\.9 in"):
        load_run(find_job(outputs, "finished"))
