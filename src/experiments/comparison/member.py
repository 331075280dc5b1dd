"""One of the runs that are compared, by what it left."""

import math
import statistics
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from experiments import job_files
from experiments.command.sweeping.folds import FOLD
from experiments.comparison.settings import SEED, TARGET, select_settings
from experiments.config.kinds.destination import Destination
from experiments.errors import ExperimentError, make_printable
from experiments.evaluation.predictions import Predictions
from experiments.evaluation.table import read_predictions
from experiments.jobs.made_from.origin import read_origin
from experiments.jobs.runs.catalogue import ListedRun, measure, read_run
from experiments.jobs.runs.folder_record import read_folder_config
from experiments.tracking.account import Account, read_account, read_stored_account
from experiments.tracking.recorded import fetch_file
from experiments.tracking.recorded import read_run as read_stored_run
from experiments.tracking.spool.flatten import flatten_config

_SECONDS, _SPEED = "epoch_seconds", "images_per_second"


@dataclass(frozen=True, kw_only=True)
class Member:
    """A run that is compared.

    Attributes:
        name: As people read it.
        run_id: MLflow's id; `None` where it has none.
        folder: Where it is; `None` for one that MLflow alone knows.
        state: How it stands, in words.
        reason: Why it did not finish, or cannot be read.
        settings: What its result depends on, as texts by dotted keys, the seed too.
        followers: Those of them that only say what another one does.
        origin: Hashes of its code and data; empty without any.
        metrics: Final ones, by name.
        points: Epoch -> metric -> value.
        parameters: Of its network.
        disk: Bytes of its folder.
        predictions: On its test split, of one that MLflow alone knows.
    """

    name: str
    run_id: str | None = None
    folder: Path | None = None
    state: str = "finished"
    reason: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    followers: Collection[str] = ()
    origin: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    points: Mapping[int, Mapping[str, float]] = field(default_factory=dict)
    parameters: float | None = None
    disk: float | None = None
    predictions: Predictions | None = None

    @property
    def word(self) -> str:
        """What means this run in a command: its id, else its folder."""
        return self.run_id or str(self.folder)

    @property
    def seed(self) -> str | None:
        """Its seed; `None` where it is not known."""
        return self.settings.get(SEED)

    @property
    def fold(self) -> int | None:
        """The fold that it was tested on; `None` where there are none."""
        text = self.settings.get(FOLD, "")
        return int(text) if text.isdecimal() else None

    @property
    def seconds(self) -> float | None:
        """What its epochs took, validation left out; `None` without any."""
        return self._gather(_SECONDS, math.fsum)

    @property
    def images_per_second(self) -> float | None:
        """Of its training: the middle one of its epochs."""
        return self._gather(_SPEED, statistics.median)

    @property
    def epochs(self) -> float | None:
        """The last one that is recorded."""
        numbers = [epoch for epoch, at in self.points.items() if "loss" in at]
        return float(max(numbers)) if numbers else None

    def _gather(self, name: str, sum_up: Callable[[Any], float]) -> float | None:
        values = [at[name] for at in self.points.values() if name in at]
        finite = [value for value in values if math.isfinite(value)]
        return sum_up(finite) if finite else None


def read_member(folder: Path, output_dir: Path) -> Member:
    """Reads a run by its folder; one that cannot be read says why.

    Args:
        folder: Of the job.
        output_dir: Of all of them.
    """
    listed = read_run(folder, output_dir)
    if listed is None:
        reason = "it holds no run"
        return Member(
            name=folder.name, folder=folder, state="unreadable", reason=reason
        )
    return describe_member(listed)


def describe_member(listed: ListedRun) -> Member:
    """Reads a run of which it is known how it stands."""
    folder = listed.folder
    if listed.state == "unreadable":
        return Member(
            name=folder.name, folder=folder, state="unreadable", reason=listed.reason
        )
    try:
        account = read_account(folder)
        settings = select_settings(flatten_config(read_folder_config(folder)))
    except (ExperimentError, OSError) as error:
        account, settings = None, {}
        listed = _note(listed, str(error))
    points = {} if account is None else account.points
    return Member(
        name=listed.name,
        run_id=listed.run_id,
        folder=folder,
        state=listed.state_in_words,
        reason=listed.reason,
        settings=settings,
        followers=_find_followers(settings, account),
        origin=read_origin(folder) or {},
        # One that has not ended has none but those of its epochs.
        metrics=listed.metrics,
        points=points,
        parameters=_read_parameters(account),
        disk=float(measure(folder)),
    )


def read_stored_member(run_id: str, destination: Destination) -> Member:
    """Reads a run that MLflow alone knows.

    Raises:
        TrackingError: There is no such run, or no answer.
    """
    recorded = read_stored_run(run_id, destination)
    account = read_stored_account(recorded.run_id, destination)
    settings = select_settings(flatten_config(recorded.config))
    return Member(
        name=make_printable(recorded.name),
        run_id=recorded.run_id,
        state="recorded in MLflow",
        settings=settings,
        followers=_find_followers(settings, account),
        origin=recorded.origin,
        metrics=recorded.metrics,
        points=account.points,
        parameters=_read_parameters(account),
        predictions=_fetch_predictions(recorded.run_id, destination),
    )


def _fetch_predictions(run_id: str, destination: Destination) -> Predictions | None:
    """Reads the table that a training left among the files of its run."""
    path = job_files.name_predictions("test")  # as in its folder
    with TemporaryDirectory() as folder:
        place = fetch_file(run_id, path, destination, Path(folder))
        return None if place is None else read_predictions(place)


def _find_followers(
    settings: Mapping[str, str], account: Account | None
) -> frozenset[str]:
    """Returns the settings that are no parameter of the run, which nobody can choose.

    What a component is, is none either: the choice of its file is there in its place.
    """
    if account is None:
        return frozenset()
    known = account.params.keys()
    return frozenset(k for k in settings if k not in known and not k.endswith(TARGET))


def _read_parameters(account: Account | None) -> float | None:
    text = None if account is None else account.read_derived("parameters")
    return float(text) if text is not None and text.isdecimal() else None


def _note(listed: ListedRun, reason: str) -> ListedRun:
    return replace(listed, reason=listed.reason or make_printable(reason))
