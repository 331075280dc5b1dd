"""Adds to a run that is over, whose status and times stay as they are.

An evaluation adds scores, data and files; an export files, and a part of what the
run's page says of it.

What is new goes behind the end of the run's journal, and from there into MLflow as all
else: what cannot be sent now waits for `task=sync`. A run that only MLflow has gets it
at once. Nothing is added twice: a value, a data set or a file that is there stays.
"""

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from experiments.config.kinds.destination import Destination
from experiments.errors import TrackingError
from experiments.redaction import redact, redact_bytes
from experiments.tracking.sending.courier import Courier
from experiments.tracking.sending.delivery import as_input
from experiments.tracking.sending.sync import belongs, read_address
from experiments.tracking.spool.contents import EVALUATION
from experiments.tracking.spool.inputs import DatasetInput
from experiments.tracking.spool.journal import INPUTS, NOTE, Entry, Journal
from experiments.tracking.spool.notes import replace_part
from experiments.tracking.spool.seen import Seen
from experiments.tracking.spool.spool import Spool
from experiments.tracking.store.client import attempt, connect
from experiments.tracking.store.links import run_url

_STEP = 0  # see `EVALUATION`


@dataclass(frozen=True, kw_only=True)
class Addition:
    """What an evaluation or an export adds to a run.

    Attributes:
        name: In the names of metrics and files, of the data or the export.
        files: To add.
        metrics: Score -> value.
        dataset: What was evaluated on.
        kind: How the names of metrics and files begin.
        below: Folder that the names of files count from; `None` for that of each file.
        note: Part of the description; `None` for none.
    """

    name: str
    files: Sequence[Path]
    metrics: Mapping[str, float] = field(default_factory=dict)
    dataset: DatasetInput | None = None
    kind: str = EVALUATION
    below: Path | None = None
    note: str | None = None

    @property
    def place(self) -> str:
        """Where its files are among those of the run, and the heading of its note."""
        return f"{self.kind}{self.name}"

    @property
    def named_files(self) -> dict[str, Path]:
        """Its files by their paths among those of the run."""
        return {f"{self.place}/{self._name(file)}": file for file in self.files}

    @property
    def named_metrics(self) -> dict[str, float]:
        """Its scores by the names that they have in the run."""
        return {f"{self.place}/{name}": float(v) for name, v in self.metrics.items()}

    def _name(self, file: Path) -> str:
        return file.name if self.below is None else str(file.relative_to(self.below))


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
    """Adds to the run of a folder that this process holds.

    Args:
        folder: Of the job.
        addition: What is added.
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
    """Adds to a run that has no folder here.

    Raises:
        TrackingError: There is no such run, or the store refuses.
    """
    from mlflow.entities import Metric
    from mlflow.utils.mlflow_tags import MLFLOW_RUN_NOTE

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
    if addition.dataset is not None:
        given = as_input(addition.dataset.as_content())
        attempt(lambda: client.log_inputs(run_id, [given]), "record the data set")
    attempt(lambda: _upload(client, run_id, addition), "record the files")
    if addition.note is not None:
        former = run.data.tags.get(MLFLOW_RUN_NOTE, "")
        note = replace_part(former, addition.place, redact(addition.note))
        tag = partial(client.set_tag, run_id, MLFLOW_RUN_NOTE, note)
        attempt(tag, "describe the run")
    return Added(run_url=run_url(connection.pages, run.info.experiment_id, run_id))


def _append(journal: Journal, spool: Spool, addition: Addition) -> None:
    """Notes what is new, the values first: files are large, and may not fit."""
    seen, last = Seen(journal.entries), _last_values(journal.entries)
    metrics = addition.named_metrics
    new = {name: value for name, value in metrics.items() if last.get(name) != value}
    if new:
        content = {"step": _STEP, "values": new, **_name_model(journal.entries)}
        journal.append("metrics", content, durable=True)
    if addition.dataset is not None:
        datasets = seen.add_inputs([addition.dataset.as_content()])
        if datasets:
            journal.append(INPUTS, {"datasets": datasets})
    if addition.note is not None:
        content = {"text": redact(addition.note), "part": addition.place}
        if content != _last_part(journal.entries, addition.place):
            journal.append(NOTE, content)
    for path, file in addition.named_files.items():
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


def _last_part(entries: Sequence[Entry], heading: str) -> Mapping[str, Any] | None:
    """Returns what was said last under a heading, since all was said anew."""
    said: Mapping[str, Any] | None = None
    for entry in entries:
        if entry.kind == NOTE and entry.content.get("part", heading) == heading:
            said = entry.content if "part" in entry.content else None
    return said


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
        for path, file in addition.named_files.items():
            place = Path(folder, path)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(redact_bytes(file.read_bytes(), file.name))
        client.log_artifacts(run_id, folder)
