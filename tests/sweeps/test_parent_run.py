from experiments.config.kinds.objective import Objective
from experiments.jobs.job import JobResult
from experiments.sweeps.parent_run import finish_sweep, open_sweep
from tests.tracking.conftest import destination, points_of, run_of, settle, stored

ACCURACY = Objective("val_accuracy", "max")


def open_parent(tmp_path):
    return open_sweep(
        destination=destination(tmp_path / "out"),
        drain_seconds=20,
        folder=tmp_path / "out" / "sweep",
        run_name="sweep of 2",
        overrides=["model=resnet18,resnet50", "seed=1"],
        tags={"seed": 1},
        swept={"model": "resnet18, resnet50"},
    )


def result(name, objective, status="FINISHED", **more):
    return JobResult(name=name, objective=objective, status=status, **more)


def test_parent_keeps_what_was_swept(tmp_path):
    parent = open_parent(tmp_path)
    tags = run_of(parent).data.tags
    assert tags["sweep.overrides"] == "model=resnet18,resnet50 seed=1"
    assert tags["run.kind"] == "sweep"
    assert tags["seed"] == "1"
    assert run_of(parent).data.params == {"model": "resnet18, resnet50"}
    assert stored(parent, "sweep/overrides.txt") == "model=resnet18,resnet50\nseed=1\n"


def test_finished_sweep_stores_its_sorted_table_and_the_best_job(tmp_path):
    parent = open_parent(tmp_path)
    results = [result("model=a", 0.5, run_id="x"), result("model=b", 0.75, run_id="y")]
    table = finish_sweep(parent, results, objective=ACCURACY)
    run = run_of(parent)
    assert table.splitlines()[2] == "| 1 | model=b | 0.7500 | FINISHED |"
    assert stored(parent, "sweep/results.md") == table
    assert stored(parent, "sweep/results.csv").splitlines()[1].startswith("1,model=b,")
    assert run.info.status == "FINISHED"
    assert run.data.tags["sweep.best_run_id"] == "y"
    assert run.data.metrics == {"best_val_accuracy": 0.75}
    assert len(settle(parent).list_artifacts(parent.run_id, "sweep")) == 4
    sentence, table, picture = run.data.tags["mlflow.note.content"].split("\n\n")
    assert sentence == (
        "Sweep of 2 jobs. The best `val_accuracy`, **0.7500**, is that of **model=b**."
    )
    assert table.replace("&emsp;", "").split("\n")[2:] == [
        "| 1 | model=b | 0.7500 | FINISHED |",
        "| 2 | model=a | 0.5000 | FINISHED |",
    ]
    address = f"get-artifact?run_uuid={parent.run_id}&path=sweep/results.png"
    assert picture == f"![val\\_accuracy of each job]({address})"


def test_sweep_over_seeds_stores_rows_of_them_and_each_one_by_itself(tmp_path):
    parent = open_parent(tmp_path)
    results = [
        result(f"model=a seed={seed}", value, overrides=("model=a", f"seed={seed}"))
        for seed, value in enumerate([0.5, 0.75])
    ]
    keys = ("model", "seed")
    table = finish_sweep(parent, results, objective=ACCURACY, swept_keys=keys)
    run_of(parent)
    # 0.625 +/- 12.706 * 0.125, as far as an accuracy goes
    row = "| 1 | a | 2 | 0.6250 | 0.0000 to 1.0000 | FINISHED |"
    assert table.splitlines()[2] == row
    assert stored(parent, "sweep/results.md") == table
    lines = stored(parent, "sweep/results.csv").splitlines()
    assert [line.split(",")[:2] for line in lines[1:]] == [
        ["1", "model=a seed=1"],
        ["2", "model=a seed=0"],
    ]


def test_sweep_with_a_failed_job_is_failed_and_says_which(tmp_path):
    parent = open_parent(tmp_path)
    results = [result("model=a", None, "FAILED"), result("model=b", 0.75)]
    finish_sweep(parent, results, objective=ACCURACY)
    run = run_of(parent)
    assert run.info.status == "FAILED"
    assert run.data.tags["status.reason"] == "1 of 2 jobs did not finish: model=a"


def test_stopped_sweep_is_killed(tmp_path):
    parent = open_parent(tmp_path)
    finish_sweep(parent, [], objective=Objective("loss", "min"), stopped_by="Ctrl-C")
    run = run_of(parent)
    assert run.info.status == "KILLED"
    assert run.data.tags["status.reason"] == "Ctrl-C"


def test_sweep_that_is_run_again_keeps_its_run_and_shows_its_latest_results(tmp_path):
    parent = open_parent(tmp_path)
    finish_sweep(parent, [], objective=ACCURACY, stopped_by="Ctrl-C")
    first = parent.run_id
    for best in (0.5, 0.75):
        parent = open_parent(tmp_path)
        results = [result("model=a", best, run_id="x")]
        table = finish_sweep(parent, results, objective=ACCURACY)
    run = run_of(parent)
    assert parent.run_id == first
    assert stored(parent, "sweep/results.md") == table
    assert (run.info.status, "status.reason" in run.data.tags) == ("FINISHED", False)
    assert run.data.metrics == {"best_val_accuracy": 0.75}
    points = points_of(settle(parent), first, "best_val_accuracy")
    assert points == [(1, 0.5), (2, 0.75)]
