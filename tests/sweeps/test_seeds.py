from experiments.config.kinds.objective import Objective
from experiments.jobs.job import JobResult
from experiments.sweeps.seeds import format_groups, group_seeds

ACCURACY = Objective("val_accuracy", "max")
LOSS = Objective("val_loss", "min")
KEYS = ("model", "seed", "optimizer.lr")


def result(model: str, lr: float, seed: int, value: float | None) -> JobResult:
    words = (f"model={model}", f"seed={seed}", "trainer.epochs=2", f"optimizer.lr={lr}")
    failed = {"status": "FAILED", "reason": "loss is NaN"}
    ended = failed if value is None else {"status": "FINISHED", "objective": value}
    metrics = {} if value is None else {"test_accuracy": value / 2}
    return JobResult(name="job", overrides=words, metrics=metrics, **ended)  # type: ignore[arg-type]


RESULTS = [
    result("a", 0.1, 0, 0.5),
    result("b", 0.1, 0, 0.95),  # the luckiest seed of all, and the lowest mean
    result("a", 0.1, 1, 0.7),
    result("b", 0.1, 1, 0.05),
    result("a", 0.2, 0, 0.8),
    result("a", 0.2, 1, None),
    result("c", 0.2, 0, None),
]


def test_rows_are_sorted_by_their_mean_and_those_without_one_are_last() -> None:
    groups = group_seeds(RESULTS, KEYS, ACCURACY)
    assert [g.values for g in groups] == [
        ("a", "0.2"),
        ("a", "0.1"),
        ("b", "0.1"),
        ("c", "0.2"),
    ]
    lowest = group_seeds(RESULTS, KEYS, LOSS)
    assert [g.values for g in lowest][:2] == [("b", "0.1"), ("a", "0.1")]


def test_table_tells_how_many_seeds_count_and_what_became_of_the_others() -> None:
    table = format_groups(group_seeds(RESULTS, KEYS, ACCURACY), ACCURACY, KEYS)
    head, rule, *rows = table.splitlines()
    assert head == (
        "| # | model | optimizer.lr | n | val_accuracy | 95 % interval "
        "| test_accuracy | status |"
    )
    assert rule.count("|") == head.count("|")
    assert rows[0] == (
        "| 1 | a | 0.2 | 1 | 0.8000 | - | 0.4000 | 1 FINISHED, 1 FAILED: loss is NaN |"
    )
    # 0.6 +/- 12.706 * 0.1
    assert rows[1] == (
        "| 2 | a | 0.1 | 2 | 0.6000 | 0.0000 to 1.0000 | 0.3000 | FINISHED |"
    )
    assert rows[3] == "| 4 | c | 0.2 | 0 | - | - | - | FAILED: loss is NaN |"
    assert "better" not in table


def test_seeds_alone_are_one_row() -> None:
    same = [result("a", 0.1, seed, 0.5) for seed in range(3)]
    table = format_groups(group_seeds(same, ["seed"], ACCURACY), ACCURACY, ["seed"])
    assert "| 1 | 3 | 0.5000 | 0.5000 to 0.5000 |" in table


def fold_result(fold: int, seed: int, value: float | None, test: float) -> JobResult:
    words = (f"dataset.fold={fold}", f"seed={seed}", "dataset.folds=2")
    metrics = {} if value is None else {"test_accuracy": test}
    status = "FAILED" if value is None else "FINISHED"
    return JobResult(
        name="job",
        status=status,  # type: ignore[arg-type]
        overrides=words,
        metrics=metrics,
        objective=value,
    )


def test_folds_are_one_row_of_mean_and_standard_deviation() -> None:
    results = [fold_result(1, 0, 0.8, 0.5), fold_result(2, 0, 0.6, 0.7)]
    keys = ["dataset.fold"]
    table = format_groups(group_seeds(results, keys, ACCURACY), ACCURACY, keys)

    # Of two values half their distance times the root of two.
    assert table.splitlines()[0] == "| # | n | val_accuracy | test_accuracy | status |"
    row = "| 1 | 2 | 0.7000 ± 0.1414 | 0.6000 ± 0.1414 | FINISHED |"
    assert table.splitlines()[2] == row
    assert "95 %" not in table
    assert "no interval follows" in table


def test_spread_over_folds_is_that_of_their_means_over_the_seeds() -> None:
    """The folds' means are 0.7 and 0.5, however far their seeds are apart."""
    results = [
        fold_result(1, 0, 0.9, 0.5),
        fold_result(1, 1, 0.5, 0.5),
        fold_result(2, 0, 0.4, 0.5),
        fold_result(2, 1, 0.6, 0.5),
    ]
    keys = ["seed", "dataset.fold"]
    table = format_groups(group_seeds(results, keys, ACCURACY), ACCURACY, keys)

    assert table.splitlines()[2].startswith("| 1 | 4 | 0.6000 ± 0.1414 |")


def test_single_fold_has_no_spread() -> None:
    results = [fold_result(1, 0, 0.8, 0.5), fold_result(2, 0, None, 0.5)]
    keys = ["dataset.fold"]
    table = format_groups(group_seeds(results, keys, ACCURACY), ACCURACY, keys)

    assert "| 1 | 1 | 0.8000 | 0.5000 | 1 FINISHED, 1 FAILED |" in table
