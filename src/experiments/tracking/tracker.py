"""What every tracker can do, the one that does nothing, and how to open one."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

Status = Literal["FINISHED", "FAILED", "KILLED"]


class Tracker(Protocol):
    """Records one run. Every method may raise `TrackingError`."""

    @property
    def run_id(self) -> str | None:
        """MLflow's id of the run; `None` when nothing is recorded."""
        ...

    @property
    def run_url(self) -> str | None:
        """Address of the run's page; `None` when nothing is recorded."""
        ...

    def compare_url(self, run_ids: Sequence[str]) -> str | None:
        """Returns the address of the page that compares runs of this experiment."""
        ...

    def log_params(self, params: Mapping[str, object]) -> None:
        """Records settings that never change, by their dotted key."""
        ...

    def set_tags(self, tags: Mapping[str, object]) -> None:
        """Records facts by which runs are found; a later value replaces."""
        ...

    def log_metrics(self, metrics: Mapping[str, float], step: int) -> None:
        """Records all the metrics of one step (an epoch) in one request."""
        ...

    def log_text(self, text: str, artifact_path: str) -> None:
        """Stores a text under the run's files, at a path such as `code/diff.patch`."""
        ...

    def log_dict(self, content: Mapping[str, Any], artifact_path: str) -> None:
        """Stores plain data as YAML, or as JSON when the path ends in `.json`."""
        ...

    def log_file(self, path: Path, artifact_dir: str | None = None) -> None:
        """Stores a copy of a file, in a folder of the run's files when given."""
        ...

    def log_figure(self, figure: Any, artifact_path: str) -> None:
        """Stores a Matplotlib figure as the image that the path's extension says."""
        ...

    def log_model(
        self,
        model: Any,
        *,
        example: Any,
        name: str = "model",
        metadata: Mapping[str, Any] | None = None,
        step: int = 0,
    ) -> str | None:
        """Stores a Keras model as an MLflow model linked to the run.

        Args:
            model: A built `keras.Model` of one input and one output.
            example: Array of the model's input, shape (B, ...); only its dtype and
                shape are used.
            name: Name of the model in MLflow.
            metadata: Facts kept inside the model, such as class names.
            step: Epoch that the weights come from.

        Returns:
            Its URI, which `mlflow.keras.load_model` takes; `None` without a run.
        """
        ...

    def finish(self, status: Status, reason: str | None = None) -> None:
        """Closes the run, saying why when it did not finish; later calls do nothing."""
        ...


class NoTracker:
    """Records nothing: `tracking=off`."""

    run_id: str | None = None
    run_url: str | None = None

    def compare_url(self, run_ids: Sequence[str]) -> str | None:
        """Returns `None`."""
        return None

    def log_params(self, params: Mapping[str, object]) -> None:
        """Does nothing."""

    def set_tags(self, tags: Mapping[str, object]) -> None:
        """Does nothing."""

    def log_metrics(self, metrics: Mapping[str, float], step: int) -> None:
        """Does nothing."""

    def log_text(self, text: str, artifact_path: str) -> None:
        """Does nothing."""

    def log_dict(self, content: Mapping[str, Any], artifact_path: str) -> None:
        """Does nothing."""

    def log_file(self, path: Path, artifact_dir: str | None = None) -> None:
        """Does nothing."""

    def log_figure(self, figure: Any, artifact_path: str) -> None:
        """Does nothing."""

    def log_model(
        self,
        model: Any,
        *,
        example: Any,
        name: str = "model",
        metadata: Mapping[str, Any] | None = None,
        step: int = 0,
    ) -> str | None:
        """Does nothing and returns `None`."""
        return None

    def finish(self, status: Status, reason: str | None = None) -> None:
        """Does nothing."""


def open_tracker(
    *,
    enabled: bool,
    uri: str | None,
    experiment: str,
    ui_url: str | None,
    server_timeout: int,
    server_retries: int,
    output_dir: Path,
    run_name: str,
    tags: Mapping[str, object] | None = None,
    parent_run_id: str | None = None,
    run_id: str | None = None,
) -> Tracker:
    """Starts a run, after closing those that dead processes left open.

    Args:
        enabled: False for a tracker that does nothing; mlflow is then not imported.
        uri: As `tracking.uri`; `None` for `<output_dir>/mlflow.db`.
        experiment: Name of the MLflow experiment.
        ui_url: Address of MLflow's pages; `None` for the server itself.
        server_timeout: Seconds that a server may stay silent.
        server_retries: Further attempts of a failed request to a server.
        output_dir: Folder for the embedded database and its artifacts.
        run_name: Name that people read.
        tags: Further tags of the run.
        parent_run_id: The sweep's run, when this run belongs to one.
        run_id: A run to continue instead of starting one.

    Raises:
        TrackingError: If the store cannot be reached or refuses.
    """
    if not enabled:
        return NoTracker()
    # Imported late: importing mlflow takes over a second.
    from experiments.tracking.client import connect
    from experiments.tracking.mlflow_tracker import MLflowTracker
    from experiments.tracking.reconcile import reconcile_stale_runs

    connection = connect(
        uri=uri,
        experiment=experiment,
        ui_url=ui_url,
        server_timeout=server_timeout,
        server_retries=server_retries,
        output_dir=output_dir,
    )
    reconcile_stale_runs(connection)
    if run_id is not None:
        return MLflowTracker.reopen(connection, run_id, tags or {})
    return MLflowTracker.create(
        connection, run_name=run_name, parent_run_id=parent_run_id, tags=tags or {}
    )
