"""What was recorded of a run: by its folder, without MLflow, or by MLflow alone."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from experiments.config.formats.history import name_values
from experiments.config.kinds.destination import Destination
from experiments.config.kinds.metric_names import name_as_today
from experiments.records import FIRST
from experiments.tracking.spool.contents import EVALUATION, SYSTEM
from experiments.tracking.spool.journal import (
    PARAMS,
    PLANNED,
    SESSION,
    Entry,
    read_entries,
)
from experiments.tracking.spool.seen import name_tags
from experiments.tracking.spool.spool import Spool
from experiments.tracking.store.client import attempt, connect

DERIVED = "derived."  # what was found out before the first step, as tags


@dataclass(frozen=True, kw_only=True)
class Account:
    """What was recorded of a run.

    Attributes:
        run_id: MLflow's id; `None` as long as it has none.
        name: Its name.
        params: Settings as texts, by today's keys.
        tags: Tag -> its last value.
        points: Step, which is the epoch -> metric -> value.
    """

    run_id: str | None
    name: str
    params: Mapping[str, str]
    tags: Mapping[str, str]
    points: Mapping[int, Mapping[str, float]]

    def read_derived(self, name: str) -> str | None:
        """Returns a fact such as `steps_per_epoch`; `None` where it is not recorded."""
        key = DERIVED + name
        return self.tags.get(key, self.params.get(key))  # until format 3 a parameter


def read_account(folder: Path) -> Account | None:
    """Reads the records in a job's folder; `None` when there are none.

    Raises:
        TrackingError: They cannot be read.
    """
    spool = Spool(folder)
    entries = read_entries(spool.journal)
    openings = [entry for entry in entries if entry.kind == SESSION]
    if not openings:
        return None
    return Account(
        run_id=spool.read_run_id(),
        name=openings[-1].content["name"],
        # What was planned and not settled is what a killed process ran with.
        params={**_merge(entries, PLANNED), **_merge(entries, PARAMS)},
        tags=_merge_tags(entries),
        points=_gather_points(entries),
    )


def read_stored_account(run_id: str, destination: Destination) -> Account:
    """Reads what MLflow has of a run.

    Args:
        run_id: Its id.
        destination: Where it was recorded.

    Raises:
        TrackingError: There is no such run, or no answer.
    """
    client = connect(destination, create=False).client
    run = attempt(lambda: client.get_run(run_id), f"read run {run_id}")
    read = partial(client.get_metric_history, run_id)
    points: dict[int, dict[str, float]] = {}
    for metric in sorted(filter(_is_of_training, run.data.metrics)):
        for point in attempt(partial(read, metric), f"read {metric} of {run_id}"):
            points.setdefault(point.step, {}).setdefault(metric, float(point.value))
    return Account(
        run_id=run_id,
        name=run.info.run_name,
        # MLflow keeps the keys of the release that sent them.
        params=name_values(run.data.params, FIRST),
        tags=name_tags(run.data.tags, FIRST),
        points={step: name_as_today(at) for step, at in sorted(points.items())},
    )


def _merge(entries: Sequence[Entry], kind: str) -> dict[str, str]:
    values: dict[str, str] = {}
    for entry in entries:
        if entry.kind == kind:
            values |= name_values(entry.content["values"], entry.format)
    return values


def _merge_tags(entries: Sequence[Entry]) -> dict[str, str]:
    tags: dict[str, str] = {}
    for kind, part in ((SESSION, "tags"), ("tags", "values")):
        for entry in entries:
            if entry.kind == kind:
                tags |= name_tags(entry.content[part], entry.format)
    return tags


def _gather_points(entries: Sequence[Entry]) -> dict[int, dict[str, float]]:
    points: dict[int, dict[str, float]] = {}
    for entry in filter(_has_steps_of_training, _list_metrics(entries)):
        known = points.setdefault(entry["step"], {})
        # The first value stays.
        points[entry["step"]] = {**name_as_today(entry["values"]), **known}
    return dict(sorted(points.items()))


def _is_of_training(metric: str) -> bool:
    return not metric.startswith((SYSTEM, EVALUATION))


def _has_steps_of_training(content: Mapping[str, Any]) -> bool:
    return any(map(_is_of_training, content["values"]))


def _list_metrics(entries: Sequence[Entry]) -> Iterator[Mapping[str, Any]]:
    for entry in entries:
        if entry.kind == "metrics":
            yield entry.content
