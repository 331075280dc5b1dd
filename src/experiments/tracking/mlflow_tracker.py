"""Records one run in MLflow, through its client: no state is shared with other runs."""

import getpass
import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from experiments.tracking import links
from experiments.tracking.client import Connection, attempt
from experiments.tracking.flatten import as_param, batches
from experiments.tracking.process import process_tags
from experiments.tracking.reconcile import REASON
from experiments.tracking.tracker import Status

_TAG_LENGTH = 5000  # of 8,000 bytes that MLflow accepts; letters may take two
_FIGURE_DPI = 120


class MLflowTracker:
    """A `Tracker` on an MLflow run.

    Args:
        connection: The open store.
        run_id: A run in it, RUNNING.
    """

    def __init__(self, connection: Connection, run_id: str) -> None:
        self._connection = connection
        self._client = connection.client
        self._run_id = run_id
        self._open = True

    @classmethod
    def create(
        cls,
        connection: Connection,
        *,
        run_name: str,
        parent_run_id: str | None,
        tags: Mapping[str, object],
    ) -> "MLflowTracker":
        """Starts a run that carries its process from the first moment."""
        own = {**_source_tags(), **process_tags()}
        if parent_run_id is not None:
            own["mlflow.parentRunId"] = parent_run_id
        everything = {**_as_tags(tags), **own}
        create = connection.client.create_run
        run = attempt(
            lambda: create(
                connection.experiment_id, tags=everything, run_name=run_name
            ),
            "start a run",
        )
        return cls(connection, run.info.run_id)

    @classmethod
    def reopen(
        cls, connection: Connection, run_id: str, tags: Mapping[str, object]
    ) -> "MLflowTracker":
        """Continues a run: first under this process' name, then as RUNNING."""
        tracker = cls(connection, run_id)
        tracker.set_tags({**tags, **process_tags()})
        client = connection.client
        attempt(lambda: client.update_run(run_id, "RUNNING"), "reopen the run")
        return tracker

    @property
    def run_id(self) -> str:
        """MLflow's id of the run."""
        return self._run_id

    @property
    def run_url(self) -> str:
        """Address of the run's page."""
        connection = self._connection
        return links.run_url(connection.pages, connection.experiment_id, self._run_id)

    def compare_url(self, run_ids: Sequence[str]) -> str:
        """Returns the address of the page that compares runs of this experiment."""
        connection = self._connection
        return links.compare_url(run_ids, connection.experiment_id, connection.pages)

    def log_params(self, params: Mapping[str, object]) -> None:
        """Records settings, 100 a request; one recorded before must be equal."""
        from mlflow.entities import Param

        texts = {key: as_param(value) for key, value in params.items()}
        for batch in batches(texts):
            entities = [Param(key, text) for key, text in batch.items()]
            self._log_batch("record parameters", params=entities)

    def set_tags(self, tags: Mapping[str, object]) -> None:
        """Records tags, 100 a request; a long value is cut."""
        from mlflow.entities import RunTag

        for batch in batches(_as_tags(tags)):
            entities = [RunTag(key, text) for key, text in batch.items()]
            self._log_batch("record tags", tags=entities)

    def log_metrics(self, metrics: Mapping[str, float], step: int) -> None:
        """Records the metrics of one step in one request."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        entities = [
            Metric(key, float(value), now, step) for key, value in metrics.items()
        ]
        self._log_batch(f"record the metrics of step {step}", metrics=entities)

    def log_text(self, text: str, artifact_path: str) -> None:
        """Stores a text as UTF-8."""
        self._store(artifact_path, lambda path: path.write_text(text, "utf-8"))

    def log_dict(self, content: Mapping[str, Any], artifact_path: str) -> None:
        """Stores plain data as YAML or JSON, its keys in their order."""
        if artifact_path.endswith(".json"):
            text = json.dumps(content, indent=2, ensure_ascii=False, default=str)
        else:
            text = yaml.safe_dump(dict(content), sort_keys=False, allow_unicode=True)
        self.log_text(text, artifact_path)

    def log_file(self, path: Path, artifact_dir: str | None = None) -> None:
        """Stores a copy of a file."""
        log = self._client.log_artifact
        attempt(
            lambda: log(self._run_id, str(path), artifact_dir), f"store {path.name}"
        )

    def log_figure(self, figure: Any, artifact_path: str) -> None:
        """Stores a Matplotlib figure."""
        self._store(artifact_path, lambda path: figure.savefig(path, dpi=_FIGURE_DPI))

    def log_model(
        self,
        model: Any,
        *,
        example: Any,
        name: str = "model",
        metadata: Mapping[str, Any] | None = None,
        step: int = 0,
    ) -> str:
        """Stores a Keras model and returns its URI."""
        from experiments.tracking.keras_model import log_keras_model

        return log_keras_model(
            self._connection,
            self._run_id,
            model=model,
            example=example,
            name=name,
            metadata=dict(metadata or {}),
            step=step,
        )

    def finish(self, status: Status, reason: str | None = None) -> None:
        """Closes the run once."""
        if not self._open:
            return
        if reason is not None:
            self.set_tags({REASON: reason})
        close = self._client.set_terminated
        attempt(lambda: close(self._run_id, status), "close the run")
        self._open = False

    def _log_batch(self, purpose: str, **entities: list[Any]) -> None:
        log = self._client.log_batch
        attempt(lambda: log(self._run_id, **entities), purpose)

    def _store(self, artifact_path: str, write: Callable[[Path], object]) -> None:
        folder, _, name = artifact_path.rpartition("/")
        with tempfile.TemporaryDirectory() as temporary:
            path = Path(temporary, name)
            write(path)
            self.log_file(path, folder or None)


def _as_tags(tags: Mapping[str, object]) -> dict[str, str]:
    return {key: _cut(str(value)) for key, value in tags.items()}


def _cut(text: str) -> str:
    return text if len(text) <= _TAG_LENGTH else f"{text[:_TAG_LENGTH]} ... (cut)"


def _source_tags() -> dict[str, str]:
    """Returns what MLflow's pages show as the user and the source of a run."""
    tags = {"mlflow.source.name": sys.argv[0], "mlflow.source.type": "LOCAL"}
    try:
        tags["mlflow.user"] = getpass.getuser()
    except (KeyError, OSError):  # a container without a user database
        tags["mlflow.user"] = "unknown"
    return tags
