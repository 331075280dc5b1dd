"""A view of MLflow's charts that shows what a sweep has varied.

MLflow's own page for comparing takes the first three parameters that differ and the
first metric, and no link says otherwise. The charts beside its table of runs read what
they show from a tag of the experiment, which a link can name: the tag of a view that a
person has saved there, and has in the menu of views from then on.
"""

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

from experiments.config.kinds.metric_names import SINGLE, TEST
from experiments.tracking.comparison import Comparison
from experiments.tracking.store.client import Connection, attempt
from experiments.tracking.store.runs.claimed_run import PARENT

_TAG = "mlflow.sharedViewState."
_MOST_RUNS = 500  # drawn in one chart
# Else lines are smoothed: they would miss the points that were measured.
_PLAIN = {
    "lineSmoothness": 0,
    "useGlobalLineSmoothing": True,
    "xAxisKey": "step",
    "useGlobalXaxisKey": True,
    "xAxisScaleType": "linear",
    "scaleType": "linear",
}
_CURVES = ("loss", "accuracy", "val_loss", "val_accuracy")
_VARIED, _EPOCHS, _ENDS, _SYSTEM = "varied", "epochs", "ends", "system"


def keep_view(
    connection: Connection, experiment_id: str, parent: str, comparison: Comparison
) -> str:
    """Keeps the view of a sweep in its experiment, in place of an earlier one.

    Args:
        connection: The open store.
        experiment_id: Of the sweep's runs.
        parent: Id of the run that they belong to.
        comparison: What is shown.

    Returns:
        Key of the view, for `links.charts_url`.

    Raises:
        TrackingError: The store refuses it.
    """
    state = json.dumps(_describe(parent, comparison), separators=(",", ":"))
    now = int(time.time() * 1000)
    name = f"{', '.join(comparison.keys) or 'sweep'} ({parent[:6]})"
    view = {"name": name, "createdAt": now, "updatedAt": now, "state": state}
    text = json.dumps(view, separators=(",", ":"))
    set_tag = connection.client.set_experiment_tag
    attempt(
        lambda: set_tag(experiment_id, f"{_TAG}{parent}", text), "keep a sweep's view"
    )
    return parent


def _describe(parent: str, comparison: Comparison) -> dict[str, Any]:
    """Returns the view as the page keeps it: filter, columns, charts and sections."""
    objective = comparison.objective
    keys = [*comparison.keys, *comparison.conditional]
    params = [f"params.`{key}`" for key in keys]
    metrics = dict.fromkeys([objective.name, f"{TEST}accuracy"])
    return {
        "searchFilter": f"tags.`{PARENT}` = '{parent}'",
        "orderByKey": f"metrics.`{objective.name}`",
        "orderByAsc": objective.direction == "min",
        "selectedColumns": [*params, *(f"metrics.`{name}`" for name in metrics)],
        "runsHiddenMode": "SHOW_ALL",
        # Else the sections are sorted by their names.
        "isAccordionReordered": True,
        "compareRunSections": list(_list_sections()),
        "compareRunCharts": list(_list_charts(comparison)),
    }


def _list_sections() -> Iterator[Mapping[str, Any]]:
    """Yields the sections from top to bottom.

    What a chart has none for goes by the name of the metric: into `Model metrics`, or
    into the one that is named like what stands before a slash.
    """
    wide = {"columns": 1, "cardHeight": 420}
    names = {_VARIED: "What was varied", _EPOCHS: "Model metrics"}
    names |= {_ENDS: "One value a run", _SYSTEM: "System metrics"}
    for uuid, name in names.items():
        section = {"uuid": uuid, "name": name, "isReordered": True, "deleted": False}
        shown = {"display": uuid in (_VARIED, _EPOCHS), "isGenerated": uuid != _VARIED}
        yield {**section, **shown, **(wide if uuid == _VARIED else {})}


def _list_charts(comparison: Comparison) -> Iterator[Mapping[str, Any]]:
    if comparison.keys:
        yield {
            **_describe_chart("PARALLEL", "parallel", _VARIED),
            "isGenerated": False,
            "selectedParams": list(comparison.keys),
            "selectedMetrics": [comparison.objective.name],
            "showAllRuns": False,
        }
    curves = dict.fromkeys([comparison.objective.name, *_CURVES])
    for name in curves:
        yield {**_describe_chart("LINE", name, _EPOCHS), **_show(name), **_PLAIN}
    for name in SINGLE:
        yield {**_describe_chart("BAR", name, _ENDS), **_show(name)}


def _describe_chart(kind: str, uuid: str, section: str) -> dict[str, Any]:
    return {
        "type": kind,
        "uuid": uuid,
        "metricSectionId": section,
        "runsCountToCompare": _MOST_RUNS,
        "deleted": False,
        "isGenerated": True,
    }


def _show(name: str) -> dict[str, str]:
    return {"metricKey": name, "displayName": name}
