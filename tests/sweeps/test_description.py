from typing import Any

import pytest

from experiments.config.kinds.objective import Objective
from experiments.jobs.job import JobResult
from experiments.sweeps.description import describe_jobs, list_swept
from experiments.sweeps.table import format_markdown
from tests.tiny import TINY

ACCURACY = Objective("val_accuracy", "max")


def test_swept_keys_have_the_values_of_the_jobs_in_their_order(check: Any) -> None:
    typed = ("optimizer.lr=1e-3,1e-4", "optimizer=adam,sgd", "seed=range(3)")
    plan = check(*TINY, *typed, "trainer.epochs=2", multirun=True)
    assert list_swept(plan) == {
        "optimizer.lr": "0.001, 0.0001",
        "optimizer": "adam, sgd",
        "seed": "0, 1, 2",
    }


def test_keys_of_a_search_have_their_choices_or_their_ends(check: Any) -> None:
    space = (
        "optimizer.lr=tag(log,interval(1e-5,1e-2))",
        "optimizer=adam,sgd",
        "trainer.epochs=range(2,9,2)",
    )
    plan = check("hydra/sweeper=keras_tuner", *space, *TINY, multirun=True)
    assert list_swept(plan) == {
        "optimizer.lr": "1e-05 to 0.01, log",
        "optimizer": "adam, sgd",
        "trainer.epochs": "2 to 8, in steps of 2",
    }


def result(name: str, objective: float | None) -> JobResult:
    status: Any = "FAILED" if objective is None else "FINISHED"
    return JobResult(name=name, status=status, objective=objective)


@pytest.mark.parametrize(
    ("results", "sentence"),
    [
        ([], "Sweep of 0 jobs."),
        ([result("a", None)], "Sweep of 1 job. 1 job did not finish."),
        (
            [result("a_b", 0.5), result("c", None)],
            "Sweep of 2 jobs. The best `val_accuracy`, **0.5000**, is that of "
            r"**a\_b**. 1 job did not finish.",
        ),
    ],
)
def test_sweep_is_a_sentence(results: list[JobResult], sentence: str) -> None:
    table = format_markdown(results, ACCURACY)
    assert describe_jobs(results, ACCURACY, table, {}).split("\n\n")[0] == sentence


def test_table_of_many_jobs_fits_and_says_where_the_rest_is() -> None:
    results = [result(f"optimizer.lr=0.{n:04}", 0.5) for n in range(500)]
    table = format_markdown(results, ACCURACY)
    pictures = {"sweep/results.png": "Scores"}
    text = describe_jobs(results, ACCURACY, table, pictures)
    assert len(text.encode()) < 8000
    assert "more in `sweep/results.md`" in text
    assert text.endswith("(artifact:sweep/results.png)")
