"""Adds an evaluation to a run that is over, whose status and times stay as they are.

What is new goes behind the end of the run's journal, and from there into MLflow as all
else: what cannot be sent now waits for `task=sync`. A run that only MLflow has gets it
at once. Nothing is added twice: a value, a data set or a file that is there stays.
"""

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.config.destination import Destination
from experiments.errors import TrackingError
from experiments.redaction import redact_bytes
from experiments.tracking.sending.courier import Courier
from experiments.tracking.sending.delivery import as_input
from experiments.tracking.sending.sync import belongs, read_address
from experiments.tracking.spool.contents import EVALUATION
from experiments.tracking.spool.inputs import DatasetInput
from experiments.tracking.spool.journal import INPUTS, Entry, Journal
from experiments.tracking.spool.seen import Seen
from experiments.tracking.spool.spool import Spool
from experiments.tracking.store.client import attempt, connect
from experiments.tracking.store.links import run_url

_STEP = 0  # see `EVALUATION`


@dataclass(frozen=True, kw_only=True)
class Addition:
    """What an evaluation adds to a run.

    Attributes:
        name: Of the data, in the names of metrics and files.
        metrics: Score -> value.
        files: Of the evaluation.
        dataset: What was evaluated on.
    """

    name: str
    metrics: Mapping[str, float]
    files: Sequence[Path]
    dataset: DatasetInput

    @property
    def place(self) -> str:
        """Where its files are among those of the run."""
        return f"{EVALUATION}{self.name}"

    @property
    def named_metrics(self) -> dict[str, float]:
        """Its scores by the names that they have in the run."""
        return {f"{self.place}/{name}": float(v) for name, v in self.metrics.items()}


@dataclass(frozen=True, kw_only=True)
class Added:
    """What became of it.

    Attributes:
        run_url: Address of the run's page; `None` where MLflow was not reached.
        unsent: Records that wait in the run's folder.
        problem: Why they wait.
    """

    run_url: str | None
    unsent: int = 0
    problem: str | None = None


def add_to_folder(
    folder: Path, addition: Addition, destination: Destination
) -> Added | None:
    """Adds an evaluation to the run of a folder that this process holds.

    Args:
        folder: Of the job.
        addition: The evaluation.
        destination: The store; a run that was meant for another one waits for it.

    Returns:
        `None` where the run was never recorded, `tracking=off`.

    Raises:
        TrackingError: Its journal cannot be read.
        NewerRecordError: A later release has written to it.
    """
    spool = Spool(folder, destination.output_dir)
    if not spool.journal.exists():
        return None
    journal = Journal(spool.journal)
    try:
        _append(journal, spool, addition)
    finally:
        journal.close()
    return _send(spool, journal.entries, destination)


def add_to_store(run_id: str, addition: Addition, destination: Destination) -> Added:
    """Adds an evaluation to a run that has no folder here.

    Raises:
        TrackingError: There is no such run, or the store refuses.
    """
    from mlflow.entities import Metric

    connection = connect(destination, create=False)
    client = connection.client
    run = attempt(lambda: client.get_run(run_id), f"read run {run_id}")
    found, now = run.data.metrics, time.time_ns() // 1_000_000
    models = [link.model_id for link in run.outputs.model_outputs]
    metrics = [
        Metric(name, value, now, _STEP, model_id=models[-1] if models else None)
        for name, value in addition.named_metrics.items()
        if found.get(name) != value
    ]
    attempt(lambda: client.log_batch(run_id, metrics=metrics), "record the scores")
    given = as_input(addition.dataset.as_content())
    attempt(lambda: client.log_inputs(run_id, [given]), "record the data set")
    attempt(lambda: _upload(client, run_id, addition), "record the files")
    return Added(run_url=run_url(connection.pages, run.info.experiment_id, run_id))


def _append(journal: Journal, spool: Spool, addition: Addition) -> None:
    """Notes what is new, the values first: files are large, and may not fit."""
    seen, last = Seen(journal.entries), _last_values(journal.entries)
    metrics = addition.named_metrics
    new = {name: value for name, value in metrics.items() if last.get(name) != value}
    if new:
        content = {"step": _STEP, "values": new, **_name_model(journal.entries)}
        journal.append("metrics", content, durable=True)
    datasets = seen.add_inputs([addition.dataset.as_content()])
    if datasets:
        journal.append(INPUTS, {"datasets": datasets})
    for file in addition.files:
        path = f"{addition.place}/{file.name}"
        kept = spool.keep_file(redact_bytes(file.read_bytes(), file.name), path)
        if kept is None and not seen.add_artifact(path):
            continue
        place = kept or spool.artifacts / path
        if place.is_relative_to(spool.folder):
            place = place.relative_to(spool.folder)
        journal.append("artifact", {"path": path, "file": str(place)})


def _name_model(entries: Sequence[Entry]) -> dict[str, int]:
    """Returns the entry of the run's model, on whose page the scores stand too."""
    models = [entry.number for entry in entries if entry.kind == "model"]
    return {"model": models[-1]} if models else {}


def _last_values(entries: Sequence[Entry]) -> dict[str, float]:
    return {
        name: value
        for entry in entries
        if entry.kind == "metrics"
        for name, value in entry.content["values"].items()
        if name.startswith(EVALUATION)
    }


def _send(spool: Spool, entries: list[Entry], destination: Destination) -> Added:
    meant_for = read_address(entries)
    if not belongs(spool, meant_for, destination):
        waiting = len(entries) - spool.read_sent(spool.read_run_id())
        where = f"the run was recorded in another store, tracking.uri={meant_for}"
        return Added(run_url=None, unsent=waiting, problem=where)
    if not spool.own():
        return Added(run_url=None, unsent=1, problem="another process sends them")
    try:
        courier = Courier(spool, entries, destination=destination)
        problem = _deliver(courier)
        return Added(run_url=courier.run_url, unsent=courier.unsent, problem=problem)
    finally:
        spool.disown()


def _deliver(courier: Courier) -> str | None:
    """Sends what waits, and returns why something still does."""
    try:
        courier.connect()  # finds out what is unsent
        while courier.unsent:
            courier.send_next()
    except TrackingError as error:
        return str(error)
    return f"{courier.refused} refused" if courier.refused else None


def _upload(client: Any, run_id: str, addition: Addition) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for file in addition.files:
            content = redact_bytes(file.read_bytes(), file.name)
            Path(folder, file.name).write_bytes(content)
        client.log_artifacts(run_id, folder, addition.place)
