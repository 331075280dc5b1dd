"""What every tracker can do, the one that does nothing, and how to open one."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from experiments.config.kinds.destination import Destination
from experiments.tracking.comparison import Comparison
from experiments.tracking.spool.contents import Status
from experiments.tracking.spool.inputs import DatasetInput


class Tracker(Protocol):
    """Records one run; no method fails or waits because of MLflow."""

    enabled: bool
    """Whether anything is recorded."""
    resumed: int
    """How often the run was continued."""

    @property
    def run_id(self) -> str | None:
        """MLflow's id of the run; `None` before it has one or without a record."""
        ...

    @property
    def run_url(self) -> str | None:
        """Address of the run's page; `None` as long as MLflow was not reached."""
        ...

    def compare_url(self, run_ids: Sequence[str], comparison: Comparison) -> str | None:
        """Returns the page that compares the runs of this one, a sweep.

        Args:
            run_ids: Of these runs, for where the page cannot be told what it shows.
            comparison: What it shows.

        Returns:
            Its address; `None` as long as MLflow is absent.
        """
        ...

    @property
    def unsent(self) -> int:
        """Records that MLflow does not hold yet."""
        ...

    @property
    def problem(self) -> str | None:
        """Why something is unsent or was refused, in one line."""
        ...

    def start(self) -> None:
        """Begins to send, which imports mlflow in a thread.

        Until then, until the first metrics or the end, records wait in the folder:
        two threads that import mlflow and TensorFlow at once disturb each other.
        """
        ...

    def log_params(self, params: Mapping[str, object]) -> None:
        """Records settings, by their dotted key.

        The first value of each stays, as MLflow wants it. A later one is the end of
        the tag `changed.<key>`, which lists all that there were.
        """
        ...

    def plan_params(self, params: Mapping[str, object]) -> None:
        """Records settings that may still change before the first step is done.

        They become parameters with `settle_params`, or when the run ends; after a kill,
        when the run is continued, sent or found dead. The last value of each counts,
        and the tag `changed.<key>` lists those that there were.
        """
        ...

    def settle_params(self) -> None:
        """Says that what was planned is what runs."""
        ...

    def set_tags(self, tags: Mapping[str, object]) -> None:
        """Records facts by which runs are found; a later value replaces."""
        ...

    def describe(self, text: str) -> None:
        """Says in Markdown what the run is; a later text replaces.

        Args:
            text: Made by `spool.notes`, which says how pictures are named.
        """
        ...

    def log_datasets(self, datasets: Sequence[DatasetInput]) -> None:
        """Records what is trained and measured on, each once."""
        ...

    def log_metrics(
        self, metrics: Mapping[str, float], step: int, *, of_model: bool = False
    ) -> None:
        """Records the metrics of one step (an epoch); the first value of each stays.

        Args:
            metrics: Name -> value.
            step: The epoch.
            of_model: Whether the model that was recorded at this step has them too.
        """
        ...

    def watch_system(self, gpus: Sequence[str]) -> None:
        """Records until the end how busy the machine and these of its GPUs are."""
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
        metadata: Mapping[str, Any] | None = None,
        step: int = 0,
    ) -> None:
        """Stores a Keras model as an MLflow model that is named after the run.

        Of several of one step the first stays.

        Args:
            model: A built `keras.Model` of one input and one output.
            example: Array of the model's input, shape (B, ...); only its dtype and
                shape are used.
            metadata: Facts kept inside the model, such as class names.
            step: Epoch that the weights come from.
        """
        ...

    def finish(
        self, status: Status, reason: str | None = None, *, settled: bool = True
    ) -> None:
        """Closes the run, saying why when it did not finish; later calls do nothing.

        Waits `tracking.drain_seconds` at most for what is not sent yet.

        Args:
            status: How it ended.
            reason: Why so.
            settled: Whether the settings are final; not when a fresh process goes on
                at once with others.
        """
        ...


class NoTracker:
    """Records nothing: `tracking=off`."""

    enabled: bool = False
    resumed: int = 0
    run_id: str | None = None
    run_url: str | None = None
    unsent: int = 0
    problem: str | None = None

    def compare_url(self, run_ids: Sequence[str], comparison: Comparison) -> str | None:
        """Returns `None`."""
        return None

    def start(self) -> None:
        """Does nothing."""

    def log_params(self, params: Mapping[str, object]) -> None:
        """Does nothing."""

    def plan_params(self, params: Mapping[str, object]) -> None:
        """Does nothing."""

    def settle_params(self) -> None:
        """Does nothing."""

    def set_tags(self, tags: Mapping[str, object]) -> None:
        """Does nothing."""

    def describe(self, text: str) -> None:
        """Does nothing."""

    def log_datasets(self, datasets: Sequence[DatasetInput]) -> None:
        """Does nothing."""

    def log_metrics(
        self, metrics: Mapping[str, float], step: int, *, of_model: bool = False
    ) -> None:
        """Does nothing."""

    def watch_system(self, gpus: Sequence[str]) -> None:
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
        metadata: Mapping[str, Any] | None = None,
        step: int = 0,
    ) -> None:
        """Does nothing."""

    def finish(
        self, status: Status, reason: str | None = None, *, settled: bool = True
    ) -> None:
        """Does nothing."""


def open_tracker(
    *,
    destination: Destination,
    drain_seconds: float,
    folder: Path,
    run_name: str,
    tags: Mapping[str, object] | None = None,
    parent_dir: Path | None = None,
) -> Tracker:
    """Opens the run of a folder: a new one, or the one that its journal belongs to.

    Returns at once, whether MLflow can be reached or not.

    Args:
        destination: Where records go; where it is not enabled, the tracker does
            nothing, and mlflow is not imported.
        drain_seconds: How long `finish` waits for what is not sent yet.
        folder: Of the job; its subfolder `tracking` holds the records.
        run_name: Name that people read.
        tags: Further tags of the run.
        parent_dir: Folder of the sweep, when this run belongs to one.

    Raises:
        TrackingError: `output_dir` cannot hold a database.
    """
    if not destination.enabled:
        return NoTracker()
    from experiments.tracking.spool.spool import Spool
    from experiments.tracking.spooled_tracker import SpooledTracker

    return SpooledTracker(
        Spool(folder, destination.output_dir),
        destination=destination,
        drain_seconds=drain_seconds,
        run_name=run_name,
        tags=tags or {},
        parent_dir=parent_dir,
    )
