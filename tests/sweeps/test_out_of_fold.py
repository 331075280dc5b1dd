from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from experiments import job_files
from experiments.evaluation.predictions import Predictions
from experiments.evaluation.table import read_predictions, write_predictions
from experiments.jobs.job import JobResult
from experiments.sweeps.out_of_fold import (
    Told,
    describe_folds,
    keep_out_of_fold,
    show_out_of_fold,
)
from experiments.tracking.tracker import NoTracker
from tests.evaluation.test_out_of_fold import make_fold


class Parent(NoTracker):
    """Notes what it was given."""

    def __init__(self) -> None:
        self.files: list[tuple[str, str | None]] = []
        self.metrics: dict[str, float] = {}

    def log_file(self, path: Path, artifact_dir: str | None = None) -> None:
        self.files.append((path.name, artifact_dir))

    def log_metrics(self, metrics: Any, step: int = 0) -> None:
        self.metrics |= metrics


@pytest.fixture
def parent() -> Parent:
    return Parent()


def make_plan(folder: Path, *keys: str) -> Any:
    return SimpleNamespace(folder=folder, swept_keys=(*keys, "dataset.fold"))


def make_result(
    folder: Path, fold: int, *words: str, table: Predictions | None, **changes: Any
) -> JobResult:
    place = folder / "-".join([f"fold{fold}", *words])
    (place / job_files.PREDICTIONS).mkdir(parents=True)
    if table is not None:
        write_predictions(place / job_files.PREDICTIONS / "test.parquet", table)
    values = {
        "name": f"dataset.fold={fold}",
        "status": "FINISHED",
        "run_id": f"id{fold}",
        "overrides": (*words, f"dataset.fold={fold}"),
        "output_dir": str(place),
    }
    return JobResult(**{**values, **changes})


def make_results(folder: Path, *words: str, folds: int = 3) -> list[JobResult]:
    numbers = range(1, folds + 1)
    return [
        make_result(folder, n, *words, table=make_fold(n, folds=folds)) for n in numbers
    ]


def test_only_setting_has_one_table_and_its_scores_are_the_sweeps(
    tmp_path: Path, parent: Parent
) -> None:
    (told,) = keep_out_of_fold(parent, make_plan(tmp_path), make_results(tmp_path))

    path = tmp_path / job_files.PREDICTIONS / job_files.OUT_OF_FOLD
    pooled = read_predictions(path)
    assert told == Told(
        setting="",
        accuracy=float((pooled.predicted == pooled.truth).mean()),
        images=12,
        path=path,
    )
    assert parent.files == [(path.name, job_files.PREDICTIONS)]
    assert parent.metrics["out_of_fold/accuracy"] == told.accuracy
    assert pooled.facts["jobs"]["fold 3"]["run_id"] == "id3"


def test_each_setting_has_a_table_in_a_folder_of_its_own(
    tmp_path: Path, parent: Parent
) -> None:
    results = [
        *make_results(tmp_path, "seed=0", "optimizer.lr=0.1"),
        *make_results(tmp_path, "seed=1", "optimizer.lr=0.1"),
    ]
    plan = make_plan(tmp_path, "seed", "optimizer.lr")
    told = keep_out_of_fold(parent, plan, results)

    assert [one.setting for one in told] == [
        "seed=0 optimizer.lr=0.1",
        "seed=1 optimizer.lr=0.1",
    ]
    paths = [one.path for one in told]
    assert len({*paths}) == 2
    for path, (name, place) in zip(paths, parent.files, strict=True):
        assert path is not None
        assert path == tmp_path / str(place) / name
        assert len(read_predictions(path)) == 12
    assert not parent.metrics


def test_sweep_that_is_not_over_folds_has_none(tmp_path: Path, parent: Parent) -> None:
    plan = SimpleNamespace(folder=tmp_path, swept_keys=("seed",))
    assert keep_out_of_fold(parent, plan, []) == []  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        ({"status": "FAILED"}, "fold 2 did not finish"),
        ({"table": None}, "fold 2 has left no predictions"),
        ({"table": make_fold(1)}, "fold 2 is one of other images than fold 1"),
        ({"table": make_fold(2, data_content="x")}, "fold 2 is one of other images"),
    ],
)
def test_without_all_folds_there_is_no_table(
    tmp_path: Path, parent: Parent, spoil: dict[str, Any], problem: str
) -> None:
    results = make_results(tmp_path / "good")
    results[1] = make_result(tmp_path, 2, **{"table": make_fold(2), **spoil})
    (told,) = keep_out_of_fold(parent, make_plan(tmp_path), results)

    assert told.path is None
    assert told.problem.startswith(problem)
    assert not parent.files
    assert not list(tmp_path.rglob(job_files.OUT_OF_FOLD))


def test_damaged_table_is_told(tmp_path: Path, parent: Parent) -> None:
    results = make_results(tmp_path)
    place = Path(results[2].output_dir) / job_files.PREDICTIONS / "test.parquet"
    place.write_bytes(b"PAR1")
    (told,) = keep_out_of_fold(parent, make_plan(tmp_path), results)

    assert "test.parquet is damaged" in told.problem


def test_some_of_the_folds_are_not_all(tmp_path: Path, parent: Parent) -> None:
    results = make_results(tmp_path)[1:]
    (told,) = keep_out_of_fold(parent, make_plan(tmp_path), results)

    assert told.problem == "folds are missing: 1"


def test_screen_and_page_say_what_came_of_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "out_of_fold.parquet"
    good = Told(setting="seed=1", accuracy=0.25, images=1200, path=path)
    bad = Told(setting="", problem="fold 2 did not finish")
    show_out_of_fold([good, bad])

    first, second = capsys.readouterr().out.splitlines()
    assert first == f"out of fold  seed=1: accuracy 0.2500 over 1,200 images: {path}"
    assert (
        second == "out of fold  there is no table of all folds: fold 2 did not finish"
    )
    assert "accuracy 0.2500 over 1,200 images" in describe_folds(good)
    assert describe_folds(bad).endswith("not complete: fold 2 did not finish.")
