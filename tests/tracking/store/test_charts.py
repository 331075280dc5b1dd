import json

from experiments.config.kinds.objective import Objective
from experiments.tracking.comparison import Comparison
from experiments.tracking.store.charts import keep_view
from tests.tracking.conftest import COMPARISON, settle

PREFIX = "mlflow.sharedViewState."


def read_views(tracker):
    """Returns key -> view, as the experiment's tags have them."""
    client = settle(tracker)
    experiment = client.get_experiment(
        client.get_run(tracker.run_id).info.experiment_id
    )
    tags = experiment.tags.items()
    return {k.removeprefix(PREFIX): json.loads(v) for k, v in tags if PREFIX in k}


def keep(tracker, comparison):
    settle(tracker)
    courier = tracker._courier
    return keep_view(
        courier.connection, courier.experiment_id, tracker.run_id, comparison
    )


def keep_state(tracker, comparison):
    """Returns what the view says that it keeps."""
    key = keep(tracker, comparison)
    return json.loads(read_views(tracker)[key]["state"])


def test_view_has_the_runs_of_the_sweep_and_the_best_first(open_run):
    sweep = open_run()
    key = keep(sweep, COMPARISON)
    view = read_views(sweep)[key]
    state = json.loads(view["state"])
    assert view["name"] == f"optimizer.lr ({sweep.run_id[:6]})"
    assert state["searchFilter"] == f"tags.`mlflow.parentRunId` = '{sweep.run_id}'"
    assert state["orderByKey"] == "metrics.`val_accuracy`"
    assert state["orderByAsc"] is False


def test_smallest_is_first_where_small_is_better(open_run):
    loss = Comparison(keys=("seed",), objective=Objective("val_loss", "min"))
    sweep = open_run()
    state = keep_state(sweep, loss)
    assert (state["orderByKey"], state["orderByAsc"]) == ("metrics.`val_loss`", True)


def test_first_chart_is_what_was_varied_against_the_objective(open_run):
    comparison = Comparison(
        keys=("optimizer", "optimizer.lr"),
        conditional=("optimizer.momentum",),
        objective=Objective("val_loss", "min"),
    )
    sweep = open_run()
    state = keep_state(sweep, comparison)
    first, *others = state["compareRunCharts"]
    assert first["type"] == "PARALLEL"
    # The chart leaves out a run that lacks one of them.
    assert first["selectedParams"] == ["optimizer", "optimizer.lr"]
    assert first["selectedMetrics"] == ["val_loss"]
    assert "params.`optimizer.momentum`" in state["selectedColumns"]
    assert others[0]["metricKey"] == "val_loss"
    sections = [section["name"] for section in state["compareRunSections"]]
    assert sections[:2] == ["What was varied", "Model metrics"]


def test_charts_of_one_value_a_run_have_a_section_at_the_end(open_run):
    sweep = open_run()
    state = keep_state(sweep, COMPARISON)
    names = {part["uuid"]: part["name"] for part in state["compareRunSections"]}
    places: dict[str, list[str]] = {}
    for chart in state["compareRunCharts"][1:]:
        places.setdefault(names[chart["metricSectionId"]], []).append(
            chart["metricKey"]
        )
    assert places == {
        "Model metrics": ["val_accuracy", "loss", "accuracy", "val_loss"],
        "One value a run": [
            "best_epoch",
            "best_val_loss",
            "best_val_accuracy",
            "best_train_loss",
            "best_train_accuracy",
            "test_loss",
            "test_accuracy",
            "first_step_seconds",
        ],
    }
    assert [*names.values()][-2:] == ["One value a run", "System metrics"]


def test_sweep_that_is_run_again_keeps_one_view(open_run):
    sweep = open_run()
    keep(sweep, COMPARISON)
    keep(sweep, COMPARISON)
    assert list(read_views(sweep)) == [sweep.run_id]
