"""Gathers what a run left: from its folder alone, or from MLflow alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.builders.model import Images
from experiments.config.kinds.destination import Destination
from experiments.data.dataset import Dataset
from experiments.jobs.job import JobResult
from experiments.jobs.made_from.origin import read_origin
from experiments.jobs.runs.folder_record import read_folder_config
from experiments.records import read_record
from experiments.tracking.account import Account, read_account, read_stored_account
from experiments.tracking.recorded import (
    FINGERPRINT,
    Fingerprint,
    read_fingerprint,
    read_run,
)
from experiments.tracking.spool.origin_record import Prepared
from experiments.tracking.spool.spool import Spool


@dataclass(frozen=True, kw_only=True)
class Record:
    """What a run left.

    Attributes:
        account: Its name, settings, tags and metrics.
        config: The resolved config as plain data, with the keys of today.
        images: What its model was built for; `None` where it is not recorded.
        folder: Its folder; `None` when only MLflow is known.
        result: How it ended; `None` where it has not.
        prepared: How its model prepares images, where not as its data set tells.
    """

    account: Account
    config: Mapping[str, Any]
    images: Images | None
    folder: Path | None
    result: JobResult | None
    prepared: Prepared | None = None

    def prepare(self, dataset: Dataset) -> Images | Dataset:
        """Returns what the model was built for, by its data set."""
        if self.prepared is None:
            return dataset
        return Images.of(dataset, self.prepared["mean"], self.prepared["std"])


def read_folder(folder: Path) -> Record:
    """Reads the folder of a job, as this or an earlier release left it.

    Raises:
        ExperimentError: No job was started there, or its records are damaged.
        NewerRecordError: A later release wrote one of them.
    """
    config = read_folder_config(folder)
    result = JobResult.load(folder)
    account = read_account(folder)
    if account is None:
        name = folder.name if result is None else result.name
        account = Account(run_id=None, name=name, params={}, tags={}, points={})
    artifacts = Spool(folder).artifacts
    return Record(
        account=account,
        config=config,
        images=_read_images(artifacts / FINGERPRINT),
        folder=folder,
        result=result,
        prepared=(read_origin(folder) or {}).get("prepared"),
    )


def read_from_store(run_id: str, destination: Destination) -> Record:
    """Reads what MLflow has of a run whose folder is not here.

    Raises:
        TrackingError: There is no such run, or it holds no config.
    """
    recorded = read_run(run_id, destination)
    return Record(
        account=read_stored_account(recorded.run_id, destination),
        config=recorded.config,
        images=_describe_images(read_fingerprint(recorded.run_id, destination)),
        folder=None,
        result=None,
    )


def _read_images(path: Path) -> Images | None:
    try:
        return _describe_images(read_record(path, Fingerprint))
    except FileNotFoundError:
        return None


def _describe_images(found: Fingerprint | None) -> Images | None:
    image = None if found is None else found.get("image")
    if found is None or image is None:  # a record of before it was written down
        return None
    height, width, channels = (int(size) for size in image["shape"])
    return Images(
        class_names=tuple(found["classes"]),
        image_shape=(height, width, channels),
        mean=tuple(image["mean"]),
        std=tuple(image["std"]),
    )
