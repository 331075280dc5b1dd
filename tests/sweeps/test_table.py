import csv
import io

from experiments.config.kinds.objective import Objective
from experiments.jobs.job import JobResult
from experiments.sweeps.table import (
    format_csv,
    format_markdown,
    sort_results,
)

ACCURACY = Objective("val_accuracy", "max")
LOSS = Objective("val_loss", "min")


def result(name, objective, **more):
    status = "FINISHED" if objective is not None else "FAILED"
    return JobResult(**{"name": name, "status": status, "objective": objective, **more})


RESULTS = [
    result("lr=1", 0.5, metrics={"best_epoch": 3.0, "test_accuracy": 0.25}),
    result("lr=2", None, reason="loss is NaN | diverged\nat step 3"),
    result("lr=3", 0.75, run_id="abc", overrides=("lr=3", "seed=1")),
    result("lr=4", float("nan")),
]


def names(results):
    return [r.name for r in results]


def test_larger_is_first_when_maximised_and_failures_are_last():
    assert names(sort_results(RESULTS, ACCURACY)) == ["lr=3", "lr=1", "lr=2", "lr=4"]


def test_smaller_is_first_when_minimised_and_failures_are_last():
    assert names(sort_results(RESULTS, LOSS)) == ["lr=1", "lr=3", "lr=2", "lr=4"]


def test_markdown_shows_objective_test_metrics_and_reason():
    lines = format_markdown(sort_results(RESULTS, ACCURACY), ACCURACY).splitlines()
    assert lines[0] == "| # | run | val_accuracy | test_accuracy | status |"
    assert lines[1] == "| --: | :-- | --: | --: | :-- |"
    assert lines[2] == "| 1 | lr=3 | 0.7500 | - | FINISHED |"
    assert lines[4] == (
        "| 3 | lr=2 | - | - | FAILED: loss is NaN \\| diverged at step 3 |"
    )


def test_csv_holds_everything_in_full_precision():
    text = format_csv([result("a", 1 / 3, overrides=("x=1,2", "y=3"))], LOSS)
    (row,) = csv.DictReader(io.StringIO(text))
    assert float(row["objective (val_loss)"]) == 1 / 3
    assert row["overrides"] == "x=1,2 y=3"
    assert row["rank"] == "1"


def test_each_swept_key_has_a_column():
    """A row of `sweep.list` may leave a key as it is."""
    results = [
        result("b", 0.5, overrides=("model=b", "+tags.x='1'", "seed=3")),
        result("c", 0.4, overrides=("model=c", "seed=3")),
    ]
    lines = format_markdown(results, ACCURACY, ("model", "tags.x")).splitlines()
    assert lines[0] == "| # | model | tags.x | val_accuracy | status |"
    assert lines[1] == "| --: | :-- | :-- | --: | :-- |"
    assert lines[2] == "| 1 | b | '1' | 0.5000 | FINISHED |"
    assert lines[3] == "| 2 | c |  | 0.4000 | FINISHED |"
