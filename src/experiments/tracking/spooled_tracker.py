"""Records one run: into its folder at once, and from there into MLflow."""

import itertools
import logging
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from experiments.command.printed import (
    describe_command,
    describe_output,
    describe_store,
)
from experiments.config.kinds.destination import Destination
from experiments.errors import TrackingError
from experiments.interruption import waiting
from experiments.redaction import redact, redact_bytes, redact_data, redact_file
from experiments.tracking.comparison import Comparison
from experiments.tracking.sending.courier import Courier
from experiments.tracking.sending.sender import Sender
from experiments.tracking.sending.sync import send_planned
from experiments.tracking.spool.contents import SYSTEM, Status, name_model
from experiments.tracking.spool.flatten import as_param
from experiments.tracking.spool.formats import draw_picture, format_data
from experiments.tracking.spool.inputs import DatasetInput
from experiments.tracking.spool.journal import (
    END,
    INPUTS,
    NOTE,
    PARAMS,
    PLANNED,
    SESSION,
    Journal,
    find_opening,
)
from experiments.tracking.spool.seen import Seen, name_changes
from experiments.tracking.spool.session import as_tags, describe_session
from experiments.tracking.spool.spool import Spool
from experiments.tracking.store import links
from experiments.tracking.store.charts import keep_view
from experiments.tracking.store.databases.schema import refuse_newer
from experiments.tracking.store.system_sampler import SystemSampler

_LOGGER = logging.getLogger(__name__)

_NOT_WAITING = "not waiting for MLflow any longer; what it has not got is kept"


class SpooledTracker:
    """A `Tracker` that never waits for MLflow and never fails because of it.

    Args:
        spool: Where records wait.
        destination: Where records go.
        drain_seconds: How long `finish` waits for what is not sent yet.
        run_name: Name that people read.
        tags: Of the run.
        parent_dir: Folder of the sweep that the run belongs to.
    """

    enabled = True

    def __init__(
        self,
        spool: Spool,
        *,
        destination: Destination,
        drain_seconds: float,
        run_name: str,
        tags: Mapping[str, object],
        parent_dir: Path | None,
    ) -> None:
        location = links.locate(destination)  # before anything is made
        if location.database is not None:
            refuse_newer(location.database)
        owned = spool.own()
        self._spool = spool
        self._destination = destination
        self._drain_seconds = drain_seconds
        self._journal = Journal(spool.journal)
        entries = self._journal.entries
        session = describe_session(
            entries,
            spool,
            run_name=run_name,
            tags=tags,
            parent_dir=parent_dir,
            destination=destination,
        )
        self.resumed: int = session["resumed"]
        self._journal.append(SESSION, session)
        # MLflow's run keeps the name that it got first.
        first = find_opening(entries).content["name"]
        self._model_name = name_model(first)
        self._seen = Seen(entries)
        self._courier = Courier(
            spool,
            entries,
            destination=destination,
            on_closed=partial(send_planned, destination),
        )
        self._sender = Sender(self._courier, spool, warn=self._warn, owned=owned)
        self._sampler: SystemSampler | None = None
        self._open = True

    @property
    def run_id(self) -> str | None:
        """MLflow's id of the run; `None` before it has one."""
        return self._courier.run_id

    @property
    def run_url(self) -> str | None:
        """Address of the run's page; `None` before MLflow was reached."""
        return self._courier.run_url

    def compare_url(self, run_ids: Sequence[str], comparison: Comparison) -> str | None:
        """Returns the page that compares runs; `None` before MLflow was reached."""
        connection, experiment_id = (
            self._courier.connection,
            self._courier.experiment_id,
        )
        if connection is None or experiment_id is None or self.run_id is None:
            return None
        try:
            view = keep_view(connection, experiment_id, self.run_id, comparison)
        except TrackingError as error:
            _LOGGER.warning("The link opens MLflow's own comparison: %s", error)
            return links.compare_url(run_ids, experiment_id, connection.pages)
        return links.charts_url(connection.pages, experiment_id, view)

    @property
    def unsent(self) -> int:
        """Records that MLflow does not hold yet."""
        return self._courier.unsent

    @property
    def problem(self) -> str | None:
        """Why something is unsent or was refused, in one line."""
        if self.unsent:
            return self._sender.problem
        refused = self._courier.refused
        return f"{refused} refused, see {self._spool.refused}" if refused else None

    def start(self) -> None:
        """Begins to send."""
        self._sender.start()

    def log_params(self, params: Mapping[str, object]) -> None:
        """Records settings; the first value of each stays, a later one is a tag."""
        texts = self._note_changes(params)
        self._append_values(PARAMS, self._seen.add_params(texts))

    def plan_params(self, params: Mapping[str, object]) -> None:
        """Records settings in the folder; MLflow gets them when they are settled."""
        texts = self._note_changes(params)
        self._append_values(PLANNED, self._seen.plan_params(texts))

    def settle_params(self) -> None:
        """Sends what was planned as parameters."""
        self._append_values(PARAMS, self._seen.settle_params())

    def set_tags(self, tags: Mapping[str, object]) -> None:
        """Records tags; a long value is cut."""
        self._append_values("tags", self._seen.add_tags(as_tags(tags)))

    def describe(self, text: str) -> None:
        """Records a description, unless it is what was said last."""
        text = redact(text)
        if self._seen.add_note(text):
            self._append(NOTE, {"text": text})

    def log_datasets(self, datasets: Sequence[DatasetInput]) -> None:
        """Records data sets; a run that went on with other images has those too."""
        new = self._seen.add_inputs([given.as_content() for given in datasets])
        if new:
            self._append(INPUTS, {"datasets": new})

    def log_metrics(
        self, metrics: Mapping[str, float], step: int, *, of_model: bool = False
    ) -> None:
        """Records the metrics of one step; the first value at a step stays."""
        values = {key: float(value) for key, value in metrics.items()}
        new = self._seen.add_metrics(values, step)
        if new:
            content: dict[str, Any] = {"step": step, "values": new}
            model = self._seen.find_model(step) if of_model else None
            if model is not None:
                content["model"] = model
            self._journal.append("metrics", content, durable=True)
            self._sender.start()
            self._sender.notify()

    def watch_system(self, gpus: Sequence[str]) -> None:
        """Measures in a thread of its own; a run that goes on counts its steps on."""
        steps = itertools.count(self._seen.next_step(SYSTEM))

        def record(values: Mapping[str, float]) -> None:
            content = {"step": next(steps), "values": dict(values)}
            self._append("metrics", content)

        if self._sampler is None and self._open:
            self._sampler = SystemSampler(gpus, record)
            self._sampler.start()

    def log_text(self, text: str, artifact_path: str) -> None:
        """Stores a text as UTF-8."""
        self._keep_text(redact_file(text, artifact_path), artifact_path)

    def log_dict(self, content: Mapping[str, Any], artifact_path: str) -> None:
        """Stores plain data as YAML or JSON, its keys in their order."""
        as_json = artifact_path.endswith(".json")
        text = format_data(redact_data(content), as_json=as_json)
        self._keep_text(text, artifact_path)

    def log_file(self, path: Path, artifact_dir: str | None = None) -> None:
        """Stores a copy of a file."""
        place = f"{artifact_dir}/{path.name}" if artifact_dir else path.name
        try:
            data = path.read_bytes()
        except OSError as error:
            _LOGGER.warning("%s is not recorded: %s.", place, error.strerror or error)
        else:
            self._keep(redact_bytes(data, path.name), place)

    def log_figure(self, figure: Any, artifact_path: str) -> None:
        """Stores a Matplotlib figure."""
        kind = artifact_path.rpartition(".")[2]
        self._keep(draw_picture(figure, kind), artifact_path)

    def log_model(
        self,
        model: Any,
        *,
        example: Any,
        metadata: Mapping[str, Any] | None = None,
        step: int = 0,
    ) -> None:
        """Writes a Keras model into the folder, from where it is sent."""
        from experiments.tracking.store.models.keras_model import save_keras_model

        if self._seen.find_model(step) is not None:
            return
        folder = self._spool.models / f"model-{step}"
        try:
            save_keras_model(model, folder, example=example, metadata=metadata or {})
        except Exception as error:
            # After hours of training a model that cannot be stored is no failed job.
            reason = f"{type(error).__name__}: {error}"
            trace = None if isinstance(error, OSError) else error  # a full disk
            _LOGGER.warning("The model is not recorded: %s", reason, exc_info=trace)
            self.set_tags({"model.problem": reason})
            return
        where = folder.relative_to(self._spool.folder)
        content = {"name": self._model_name, "step": step, "folder": str(where)}
        self._seen.add_model(step, self._append("model", content))

    def finish(
        self, status: Status, reason: str | None = None, *, settled: bool = True
    ) -> None:
        """Closes the run once and waits a little for what is not sent yet."""
        if not self._open:
            return
        self._open = False
        if self._sampler is not None:
            self._sampler.stop()  # the end is the last entry
        if settled:
            self.settle_params()
        if reason is not None:
            reason = as_tags({"reason": reason})["reason"]
        content = {"status": status, "reason": reason}
        self._journal.append(END, content, durable=True)
        with waiting(_NOT_WAITING) as is_asked:
            self._sender.drain(self._drain_seconds, give_up=is_asked)
        self._journal.close()

    def _note_changes(self, params: Mapping[str, object]) -> dict[str, str]:
        """Returns settings as texts; those that had another value become tags."""
        texts = {key: as_param(value) for key, value in redact_data(params).items()}
        changed = self._seen.changed_params(texts)
        kept = {k: old for k, (old, _) in changed.items() if self._seen.has_param(k)}
        if kept:
            told = [f"{key} ({old}, now {texts[key]})" for key, old in kept.items()]
            _LOGGER.info("Parameters stay as recorded: %s.", ", ".join(told))
        if changed:
            self.set_tags(name_changes(changed))
        return texts

    def _append_values(self, kind: str, values: Mapping[str, str]) -> None:
        if values:
            self._append(kind, {"values": values})

    def _append(self, kind: str, content: Mapping[str, Any]) -> int:
        number = self._journal.append(kind, content)
        self._sender.notify()
        return number

    def _keep_text(self, text: str, path: str) -> None:
        self._keep(text.encode(errors="backslashreplace"), path)

    def _keep(self, data: bytes, path: str) -> None:
        """Stores a file in the folder and notes it, unless it was there already."""
        try:
            place = self._spool.keep_file(data, path)
        except OSError as error:
            _LOGGER.warning("%s is not recorded: %s.", path, error.strerror or error)
            return
        new = self._seen.add_artifact(path)
        if place is None and not new:
            return
        file = place or self._spool.artifacts / path
        if file.is_relative_to(self._spool.folder):
            file = file.relative_to(self._spool.folder)
        self._append("artifact", {"path": path, "file": str(file)})

    def _warn(self, reason: str) -> None:
        output_dir, uri = self._destination.output_dir, self._destination.uri
        place = [*describe_output(output_dir), *describe_store(uri)]
        command = describe_command("task=sync", *place)
        _LOGGER.warning(
            "MLflow takes no records: %s. Training goes on; records wait in %s. They "
            "are sent when it is back, or by: %s",
            reason.removesuffix("."),
            self._spool.folder,
            command,
        )
