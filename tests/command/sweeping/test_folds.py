"""What a command that names folds and none of them sweeps over."""

from pathlib import Path
from typing import Any

import pytest

from experiments.errors import ConfigError

ALLOWED = "allowed_targets=[experiments,keras.optimizers,keras.callbacks,mine]"


def list_folds(plan: Any) -> list[str]:
    words = [word for job in plan.jobs for word in job]
    return [word for word in words if word.startswith("dataset.fold=")]


def test_number_of_folds_makes_a_job_of_each(check: Any) -> None:
    plan = check("dataset.folds=3", multirun=True)

    assert list_folds(plan) == [f"dataset.fold={number}" for number in (1, 2, 3)]
    assert plan.swept_keys == ("dataset.fold",)
    assert "dataset.fold=1,2,3" in plan.overrides  # which is what Hydra gets
    assert len(set(plan.job_folders)) == 3


def test_each_setting_of_a_grid_is_run_in_every_fold(check: Any) -> None:
    plan = check("dataset.folds=2", "seed=0,1", "optimizer.lr=1e-3,1e-4", multirun=True)

    assert len(plan.jobs) == 8
    assert list_folds(plan) == ["dataset.fold=1", "dataset.fold=2"] * 4
    assert plan.swept_keys == ("seed", "optimizer.lr", "dataset.fold")


def test_each_row_of_a_list_is_run_in_every_fold(check: Any) -> None:
    rows = "sweep.list=[{seed: 1}, {seed: 2}]"
    plan = check("dataset.folds=2", rows, multirun=True)

    assert list_folds(plan) == ["dataset.fold=1", "dataset.fold=2"] * 2


@pytest.mark.parametrize(
    ("words", "folds"),
    [
        (["dataset.fold=2"], ["dataset.fold=2"]),
        (["dataset.fold=1,3"], ["dataset.fold=1", "dataset.fold=3"]),
        (["sweep.zip={dataset.fold: [2, 3]}"], ["dataset.fold=2", "dataset.fold=3"]),
    ],
)
def test_folds_that_are_named_are_those_that_are_run(
    check: Any, words: list[str], folds: list[str]
) -> None:
    assert list_folds(check("dataset.folds=3", *words, multirun=True)) == folds


def test_whole_sweep_has_the_folder_of_one_that_names_its_folds(check: Any) -> None:
    short = check("dataset.folds=3", multirun=True)
    long = check("dataset.folds=3", "dataset.fold=1,2,3", multirun=True)

    assert (short.folder, short.job_folders) == (long.folder, long.job_folders)


def test_jobs_that_are_too_many_are_counted_with_their_folds(check: Any) -> None:
    with pytest.raises(ConfigError, match=r"makes 6 jobs \(2 x 3\)"):
        check("dataset.folds=3", "seed=0,1", "sweep.max_jobs=5", multirun=True)


@pytest.mark.parametrize(
    "words", [["dataset.folds=2,3"], ["sweep.list=[{dataset.folds: 2}]"]]
)
def test_different_numbers_of_folds_are_refused(check: Any, words: list[str]) -> None:
    with pytest.raises(ConfigError, match=r"dataset\.folds takes one value: a sweep"):
        check(*words, multirun=True)


SEARCH = ("hydra/sweeper=keras_tuner", "optimizer.lr=1e-3,1e-4", "dataset.folds=5")


def test_search_trains_each_proposal_in_all_folds(check: Any) -> None:
    plan = check(*SEARCH, multirun=True)
    assert plan.search.folds == 5
    assert plan.run.dataset.known_fold == (1, 5)  # of a job
    assert plan.swept_keys == ("optimizer.lr", "dataset.fold")
    one = check(*SEARCH, "dataset.fold=1", multirun=True)
    assert one.search.folds is None
    assert one.folder != plan.folder


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("hydra.sweeper.repeats=2", "takes the place of hydra.sweeper.repeats"),
        ("hydra.sweeper.oracle=hyperband", "cannot be all trained by oracle=hyper"),
    ],
)
def test_search_over_folds_refuses_what_it_cannot_do(
    word: str, told: str, check: Any
) -> None:
    with pytest.raises(ConfigError) as caught:
        check(*SEARCH, word, multirun=True)
    (problem,) = caught.value.problems
    assert problem.key == "dataset.folds"
    assert told in str(problem)
    assert problem.hint == "Search on one of them: dataset.fold=1."


@pytest.fixture
def own(tmp_path: Path) -> Any:
    """Writes the config of a data set of one's own; returns its folder."""

    def write(*keys: str) -> Path:
        (tmp_path / "dataset").mkdir()
        lines = ["_target_: mine.load", *keys]
        (tmp_path / "dataset" / "mine.yaml").write_text("\n".join(lines) + "\n")
        return tmp_path

    return write


def test_own_data_set_that_knows_folds_has_a_job_of_each(check: Any, own: Any) -> None:
    folder = own("folds: null", "fold: null")
    words = ["dataset=mine", "dataset.folds=2", ALLOWED]
    plan = check(*words, multirun=True, extra_config_dir=folder)

    assert list_folds(plan) == ["dataset.fold=1", "dataset.fold=2"]


def test_own_data_set_that_knows_none_is_told(check: Any, own: Any) -> None:
    words = ["dataset=mine", "dataset.folds=2", ALLOWED]
    with pytest.raises(ConfigError, match=r"dataset\.folds is not a key"):
        check(*words, multirun=True, extra_config_dir=own("classes: 2"))
