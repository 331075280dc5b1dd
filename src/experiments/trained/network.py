"""The model of a run, built around saved weights or read as MLflow has it."""

import tempfile
from pathlib import Path
from typing import Any

from experiments.builders.model import Images, build_model
from experiments.config.kinds.destination import Destination
from experiments.config.schema.run import RunConfig
from experiments.data.dataset import Dataset
from experiments.errors import ExperimentError, TrackingError
from experiments.jobs.runs.disposal import describe_cleaning
from experiments.runtime.devices import Devices
from experiments.tracking.logged_model import NoModelError, fetch_model
from experiments.trained.record import Record
from experiments.trained.weights import describe_absence, list_saved, read_saved
from experiments.weights.keras_file import read_keras_file


def build_saved(
    record: Record,
    run: RunConfig,
    images: Images | Dataset,
    *,
    devices: Devices,
    epoch: int | None = None,
) -> Any:
    """Returns the compiled model of a run with the weights of an epoch.

    Args:
        record: Of the run, which has checkpoints.
        run: Its config, as it is used here.
        images: What the model was built for.
        devices: Those that compute.
        epoch: Counted from 1; `None` for the best one.

    Raises:
        ExperimentError: The weights of that epoch are not kept, or of another model.
    """
    from experiments.training.checkpoints.state import (
        average_weights,
        restore_variables,
    )

    state = read_saved(record, epoch)
    steps = int(record.account.read_derived("steps_per_epoch") or 1)
    model = build_model(
        run, images, steps_per_epoch=steps, devices=devices, phase=state.phase
    )
    restore_variables(model, state.arrays)
    average_weights(model)
    return model


def fetch_saved(
    record: Record, destination: Destination, *, epoch: int | None = None
) -> Any:
    """Returns the model of a run's best epoch as MLflow has it.

    Raises:
        ExperimentError: It is kept nowhere.
    """
    run_id = record.account.run_id
    if epoch is not None or run_id is None:
        raise ExperimentError(describe_absence(record, epoch))
    try:
        with tempfile.TemporaryDirectory() as folder:
            return read_keras_file(fetch_model(run_id, Path(folder), destination))
    except TrackingError as error:
        cleaned = "" if record.folder is None else describe_cleaning(record.folder)
        if not cleaned:
            raise
        told = str(error)
        if isinstance(error, NoModelError):
            told = "MLflow has no model of it either: fresh=true trains it again."
        raise ExperimentError(f"{cleaned} {told}") from error


def load_saved(
    record: Record,
    run: RunConfig,
    images: Images | Dataset,
    *,
    devices: Devices,
    destination: Destination,
) -> Any:
    """Returns the model of a run's best epoch, from its folder or from MLflow.

    Args:
        record: Of the run.
        run: Its config, as it is used here.
        images: What the model was built for.
        devices: Those that compute.
        destination: Where the run was recorded.

    Raises:
        ExperimentError: It is kept nowhere.
    """
    if list_saved(record):
        return build_saved(record, run, images, devices=devices)
    return fetch_saved(record, destination)
