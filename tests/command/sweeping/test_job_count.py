"""Sweeps and spaces are counted before anything is composed."""

from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from experiments.command import plan
from experiments.command.sweeping.job_count import count_values, describe_product
from experiments.errors import ConfigError

SEARCH = "hydra/sweeper=keras_tuner"
GRID = (SEARCH, "hydra.sweeper.oracle=grid", "hydra.sweeper.max_trials=null")


def parse(word: str) -> Any:
    (override,) = OverridesParser.create().parse_overrides([word])
    return override


@pytest.mark.parametrize(
    "values",
    [
        "1,2,3",
        "choice(a,b)",
        "range(0,7)",
        "range(1,10,3)",
        "range(1,11,3)",
        "range(5,0,-2)",
        "range(5,0)",
        "range(0,1,0.1)",
        "range(0,0.9,0.3)",
        "range(0,1,0.3)",
        "range(1.5,4)",
        "shuffle(range(0,9))",
        "sort(3,1,2)",
        "sort(range(0,9,2),reverse=true)",
        "float(range(0,5))",
    ],
)
def test_a_count_is_the_number_of_the_values_that_hydra_makes(values: str) -> None:
    override = parse(f"a={values}")
    assert count_values(override) == len(list(override.sweep_iterator()))


@pytest.mark.parametrize("ends", ["0,1,0", "0,inf", "nan,1", "0,1,nan"])
def test_a_range_that_never_ends_is_refused(ends: str) -> None:
    with pytest.raises(ConfigError, match=r"a must have finite ends and a step other"):
        count_values(parse(f"a=range({ends})"))


@pytest.fixture
def composed(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Returns the jobs that were composed one by one."""
    jobs: list[Any] = []
    plain = plan.check_job

    def look(job: Any, composer: Any) -> Any:
        jobs.append(job)
        return plain(job, composer)

    monkeypatch.setattr(plan, "check_job", look)
    return jobs


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["seed=range(0,100000)"], ["100,000 jobs", "sweep.max_jobs=100000"]),
        (["seed=range(0,1e18)"], ["1.0e+18 jobs"]),
        (["seed=range(0,1,1e-300)"], ["1.0e+300 jobs"]),
        (["seed=shuffle(range(0,1000000000))"], ["1,000,000,000 jobs"]),
        (
            ["seed=range(0,1000)", "trainer.epochs=range(1,1001)", "gpu=range(0,9)"],
            ["9,000,000 jobs (1,000 x 1,000 x 9)"],
        ),
        (["model=glob(*)", "dataset=glob(*)", "optimizer=glob(*)"], [" jobs (", "500"]),
        (["seed=range(0,1,1e-9)", "seed=3"], ["seed is given 2 times"]),
        (["seed=1,2,3", "sweep.max_jobs=2"], ["3 jobs", "sweep.max_jobs is 2."]),
        ([SEARCH, "seed=range(0,1000000000)"], ["1,000,000,000 values"]),
        ([SEARCH, "+hydra.sweeper.params.seed='range(0,1e18)'"], ["1.0e+18 values"]),
        ([SEARCH, "seed=1,2,3", "sweep.max_jobs=2"], ["3 values", "max_jobs is 2."]),
        (
            [*GRID, "model.width=range(1,1001)", "seed=range(0,1000)", "gpu=0,1"],
            ["all of the grid, 2,000,000 trials (1,000 x 1,000 x 2)", "max_trials"],
        ),
        ([*GRID, "seed=int(interval(0,1000000000))"], ["1,000,000,001 trials"]),
        (["seed=1,2", "sweep.max_jobs=0"], ["sweep.max_jobs must be an integer >= 1"]),
        (["seed=1,2", "~sweep"], ["sweep is missing"]),
        (["seed=1,2", "sweep=5"], ["sweep must be a mapping of keys. Received: 5"]),
    ],
)
def test_too_many_jobs_are_told_by_their_number_and_none_of_them_is_composed(
    check: Any, composed: list[Any], overrides: list[str], words: list[str]
) -> None:
    with pytest.raises(ConfigError) as error:
        check(*overrides, multirun=True)
    assert all(word in str(error.value) for word in words), str(error.value)
    assert composed == []


@pytest.mark.parametrize(
    "overrides",
    [
        ["seed=1,2,3", "sweep.max_jobs=3"],
        [SEARCH, "hydra.sweeper.oracle=grid", "seed=int(interval(0,1000000000))"],
        [*GRID, "optimizer.lr=tag(log,interval(1e-5,1e-3))"],
        [SEARCH, "seed=range(0,100000)"],
    ],
)
def test_what_is_few_enough_is_composed(
    check: Any, composed: list[Any], overrides: list[str]
) -> None:
    check(*overrides, multirun=True)
    assert composed


def test_a_sweep_that_is_wrong_throughout_is_told_once(check: Any) -> None:
    with pytest.raises(ConfigError) as error:
        check("seed=range(-400,-2)", multirun=True)
    (problem,) = error.value.problems
    assert problem.key == "seed"
    assert str(error.value).startswith("The sweep of 398 jobs has 1 problem:")
    assert str(error.value).endswith("Received: -400. (in 398 of 398 jobs)")


def test_nothing_but_names_is_kept_of_the_jobs_of_a_sweep(
    check: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import gc
    import weakref

    configs: list[Any] = []
    most_alive = 0
    plain = plan.check_job

    def look(job: Any, composer: Any) -> Any:
        nonlocal most_alive
        gc.collect()
        most_alive = max(most_alive, sum(ref() is not None for ref in configs))
        checked = plain(job, composer)
        configs.append(weakref.ref(checked.config))
        return checked

    monkeypatch.setattr(plan, "check_job", look)
    check("seed=range(0,12)", multirun=True)
    assert most_alive <= 3


def test_a_product_is_told_with_its_factors() -> None:
    assert describe_product([1]) == "1 job"
    assert describe_product([2, 3]) == "6 jobs (2 x 3)"


def test_a_key_without_values_is_told_before_the_others_are_listed(check: Any) -> None:
    words = ["seed=range(0,1e18)", "model=glob(nope*)"]
    with pytest.raises(ConfigError) as error:
        check(*words, multirun=True)
    assert [problem.key for problem in error.value.problems] == ["model=glob(nope*)"]
    assert "matches nothing" in str(error.value)
