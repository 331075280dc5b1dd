from typing import Any

import pytest

from experiments.config.checks.unused import name_task
from experiments.config.schema.task import TASKS
from experiments.errors import ConfigError
from tests.conftest import CONF

SEARCH = ["hydra/sweeper=keras_tuner", "optimizer.lr=interval(1e-4,1e-2)"]


@pytest.mark.parametrize(
    ("typed", "unused"),
    [
        (["run_id=abc"], ["run_id is not used by task=train. It is used by task=repr"]),
        (["task=train", "from_search=abc", "trainer.epochs=4"], []),
        (
            ["task=reproduce", "run_id=abc", "trainer.epochs=2", "optimizer=sgd"],
            [
                "trainer.epochs is not used by task=reproduce.",
                "optimizer is not used by task=reproduce. It is used by task=train and",
            ],
        ),
        (
            ["task=reproduce", "run_id=a", "debug=one_step", "~callbacks.timing"],
            ["debug is not used by task=rep", "callbacks.timing is not used by task"],
        ),
        (
            [
                "task=reproduce",
                "run_id=abc",
                "tracking=off",
                "output_dir=x",
                "gpu=cpu",
                "resume.strict=true",
                "task.tolerance=1",
                "name=x",
                "+tags.a=b",
                "fresh=true",
            ],
            [],
        ),
        (["task=sync", "task.uri=null", "output_dir=x"], []),
        (["task=sync", "model=resnet18"], ["model is not used by task=sync."]),
        (["sweep.retry_failed=false"], ["sweep.retry_failed is used by a sweep or a"]),
        (["hydra/launcher=joblib"], ["hydra/launcher is used by a sweep or a search"]),
        (["hydra/sweeper=keras_tuner"], ["hydra/sweeper is used by a sweep or a sea"]),
        (["hydra.verbose=true", "hydra.job.chdir=true"], []),
    ],
    ids=" ".join,
)
def test_key_that_would_not_be_used_is_told(
    check: Any, typed: list[str], unused: list[str]
) -> None:
    problems = [str(problem) for problem in check(*typed).unused]
    assert len(problems) == len(unused), problems
    for problem, begin in zip(problems, unused, strict=True):
        assert problem.startswith(begin)


@pytest.mark.parametrize(
    ("typed", "keys"),
    [
        (["seed=1,2", "sweep.retry_failed=false", "hydra/launcher=joblib"], []),
        ([*SEARCH, "hydra.sweeper.bayesian.beta=1"], ["hydra.sweeper.bayesian.beta"]),
        (
            [*SEARCH, "hydra.sweeper.oracle=bayesian", "hydra.sweeper.bayesian.beta=1"],
            [],
        ),
        ([*SEARCH, "hydra.sweeper.trial_minutes=1"], []),
        ([*SEARCH, "sweep.silent_minutes=1"], ["sweep.silent_minutes"]),
        (
            [*SEARCH, "hydra.sweeper.isolation=none", "hydra.sweeper.trial_minutes=1"],
            ["hydra.sweeper.trial_minutes"],
        ),
        (["task=reproduce", "run_id=a,b"], []),
        (["task=train,reproduce", "run_id=a"], []),
    ],
    ids=" ".join,
)
def test_key_of_a_sweep_that_would_not_be_used_is_told(
    check: Any, typed: list[str], keys: list[str]
) -> None:
    plan = check(*typed, multirun=True)
    assert [problem.key for problem in plan.unused] == keys


@pytest.mark.parametrize("key", ["debug", "experiment"])
def test_file_of_many_groups_is_not_laid_over_the_best_trial(
    check: Any, key: str
) -> None:
    name = next((CONF / key).glob("*.yaml")).stem
    with pytest.raises(ConfigError, match=f"{key} sets keys of many groups"):
        check("from_search=abc", f"{key}={name}")


def test_a_task_is_called_as_its_file_is() -> None:
    for target in TASKS:
        text = (CONF / "task" / f"{name_task(target)}.yaml").read_text()
        assert f"_target_: {target}" in text
