"""Brings a record into MLflow; once or several times makes no difference."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from experiments import job_files
from experiments.records import OutsideError
from experiments.tracking.sending.model_upload import find_models, upload_model
from experiments.tracking.spool.flatten import BATCH
from experiments.tracking.spool.inputs import find_context
from experiments.tracking.spool.journal import (
    DAMAGED,
    END,
    INPUTS,
    NOTE,
    PARAMS,
    PLANNED,
    SESSION,
    Entry,
)
from experiments.tracking.spool.notes import link_pictures, replace_part
from experiments.tracking.spool.spool import Spool
from experiments.tracking.store.client import Connection
from experiments.tracking.store.failures import RefusedError, is_refusal, summarise
from experiments.tracking.store.runs.claimed_run import (
    claim_parent,
    claim_run,
    forget_reason,
    parent_tags,
    remove_twins,
)
from experiments.tracking.store.runs.reconcile import REASON

_METRICS = 1000  # in a request; MLflow refuses more


class Delivery:
    """Delivers the entries of one journal to its run.

    Every delivery may be repeated, since a process can die between sending an entry and
    remembering it: MLflow takes a point of the same time, step and value for the same,
    an equal parameter for equal, and tags and files are replaced.

    Args:
        connection: The open store.
        spool: The run's records.
        opening: The first entry; its run is looked up or created.
    """

    def __init__(self, connection: Connection, spool: Spool, opening: Entry) -> None:
        self.connection = connection
        # Where this project's models lie in MLflow, if not on a server.
        beside = connection.destination.output_dir / job_files.ARTIFACTS
        places = (beside, connection.location.artifacts)
        self._sources = [place for place in places if place is not None]
        self.run = claim_run(connection, spool, opening)
        self.run_id = self.run.run_id
        self._client = connection.client
        self._spool = spool
        self._job_id = str(opening.content["job_id"])

    def deliver(self, entry: Entry) -> None:
        """Sends an entry.

        Raises:
            Exception: What MLflow raises; `RefusedError` when it will always refuse.
        """
        kinds: Mapping[str, Callable[[Entry], None]] = {
            SESSION: self._open,
            PLANNED: lambda _: None,  # MLflow keeps a parameter's first value for ever
            PARAMS: self._params,
            "tags": self._tags,
            NOTE: self._note,
            INPUTS: self._inputs,
            "metrics": self._metrics,
            "artifact": self._artifact,
            "model": self._model,
            END: self._end,
        }
        if entry.kind == DAMAGED:
            problem = entry.content.get("problem", "it is damaged")
            raise RefusedError(f"the line of the journal cannot be read: {problem}")
        if entry.kind not in kinds:
            raise RefusedError(f"records of the kind {entry.kind!r:.50} are unknown")
        try:
            kinds[entry.kind](entry)
        except OutsideError as error:
            raise RefusedError(str(error)) from error

    def _open(self, entry: Entry) -> None:
        """Opens the run again: first under its new process' name, then as RUNNING."""
        content = entry.content
        if content.get("parent") is not None:
            self._spool.find_parent(content["parent"])
        if not content["resumed"]:
            return  # `claim_run` has created it with all that it needs
        parent = claim_parent(self.connection, self._spool, content)
        self._send_tags({**content["tags"], **parent_tags(parent)})
        forget_reason(self._client, self.run_id, REASON)
        self._client.update_run(self.run_id, "RUNNING")

    def _params(self, entry: Entry) -> None:
        from mlflow.entities import Param

        items = [Param(key, text) for key, text in entry.content["values"].items()]
        self._send("params", items, BATCH)

    def _tags(self, entry: Entry) -> None:
        self._send_tags(entry.content["values"])

    def _note(self, entry: Entry) -> None:
        from mlflow.utils.mlflow_tags import MLFLOW_RUN_NOTE

        text = link_pictures(entry.content["text"], self.run_id)
        if heading := entry.content.get("part"):
            tags = self._client.get_run(self.run_id).data.tags
            text = replace_part(tags.get(MLFLOW_RUN_NOTE, ""), heading, text)
        self._send_tags({MLFLOW_RUN_NOTE: text})

    def _metrics(self, entry: Entry) -> None:
        from mlflow.entities import Metric

        step = entry.content["step"]
        values = entry.content["values"].items()
        number = entry.content.get("model")
        describe = _nothing if number is None else self._describe_scores(number)
        items = [
            Metric(key, value, entry.time, step, **describe(key))
            for key, value in values
        ]
        self._send("metrics", items, _METRICS)

    def _inputs(self, entry: Entry) -> None:
        self._client.log_inputs(
            self.run_id, [as_input(given) for given in entry.content["datasets"]]
        )

    def _artifact(self, entry: Entry) -> None:
        place = self._spool.find_file(entry.content["file"])
        if not place.is_file():
            raise RefusedError(f"its file {place} is gone")
        folder = entry.content["path"].rpartition("/")[0]
        self._client.log_artifact(self.run_id, str(place), folder or None)

    def _model(self, entry: Entry) -> None:
        folder = self._spool.find_model(entry.content["folder"])
        self._spool.bring_back_model(entry.number, folder, self._sources)
        key = self._name_model(entry.number)
        place = upload_model(
            self._client,
            self.run_id,
            folder,
            name=entry.content["name"],
            step=entry.content["step"],
            key=key,
        )
        if place is not None:
            self._spool.write_model_place(entry.number, place)
        self._spool.remove_model(folder)

    def _describe_scores(self, number: int) -> Callable[[str], dict[str, str]]:
        """Returns what tells of a score which model has it, on which data set."""
        run = self._client.get_run(self.run_id)
        found = find_models(self._client, run, self._name_model(number))
        if not found:
            return _nothing  # it was refused
        model = {"model_id": str(found[0].model_id)}
        inputs = _read_inputs(run)
        return lambda metric: {**model, **inputs.get(find_context(metric), {})}

    def _name_model(self, number: int) -> str:
        """Returns what tells a model from all others: the folder and its entry."""
        return f"{self._job_id}/{number}"

    def _end(self, entry: Entry) -> None:
        reason = entry.content["reason"]
        if reason is None:
            forget_reason(self._client, self.run_id, REASON)
        else:
            self._send_tags({REASON: reason})
        remove_twins(self._client, self.run, self._job_id)
        self._client.set_terminated(
            self.run_id, entry.content["status"], end_time=entry.time
        )

    def _send_tags(self, tags: Mapping[str, str]) -> None:
        from mlflow.entities import RunTag

        self._send("tags", [RunTag(key, text) for key, text in tags.items()], BATCH)

    def _send(self, kind: str, items: Sequence[Any], size: int) -> None:
        """Sends items in as few requests as possible; one refused spoils no other."""
        refusals: list[str] = []
        for start in range(0, len(items), size):
            batch = items[start : start + size]
            try:
                self._client.log_batch(self.run_id, **{kind: batch})
            except Exception as error:
                if not is_refusal(error):
                    raise
                if len(items) == 1:
                    raise RefusedError(f"{items[0].key}: {summarise(error)}") from error
                refusals += self._send_each(kind, batch)
        if refusals:
            raise RefusedError("; ".join(refusals))

    def _send_each(self, kind: str, items: Sequence[Any]) -> list[str]:
        refusals = []
        for item in items:
            try:
                self._send(kind, [item], 1)
            except RefusedError as refusal:
                refusals.append(str(refusal))
        return refusals


def _nothing(metric: str) -> dict[str, str]:
    return {}


def _read_inputs(run: Any) -> dict[str | None, dict[str, str]]:
    """Returns the data sets of a run by their context, as a metric names them."""
    return {
        tag.value: {
            "dataset_name": given.dataset.name,
            "dataset_digest": given.dataset.digest,
        }
        for given in run.inputs.dataset_inputs
        for tag in given.tags
    }


def as_input(given: Mapping[str, str]) -> Any:
    """Returns a data set of the journal as MLflow's own."""
    from mlflow.entities import Dataset, DatasetInput, InputTag
    from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT

    dataset = Dataset(
        name=given["name"],
        digest=given["digest"],
        source_type=given["source_type"],
        source=given["source"],
        profile=given["profile"],
    )
    return DatasetInput(dataset, [InputTag(MLFLOW_DATASET_CONTEXT, given["context"])])
