"""What a person types for a trained model, and the model that is meant."""

from dataclasses import dataclass
from pathlib import Path

from experiments.command.printed import typed_folder
from experiments.config.kinds.destination import Destination
from experiments.config.kinds.model_names import (
    is_model_file,
    is_registered,
    names_model,
)
from experiments.config.schema.run import RunConfig
from experiments.errors import ExperimentError, TrackingError
from experiments.jobs.runs.run_names import find_named
from experiments.tracking.logged_model import RegisteredModel, find_registered
from experiments.tracking.recorded import read_folder as find_run_folder
from experiments.tracking.spool.claims import find_claimed
from experiments.tracking.store.runs.run_folder import NoFolderError
from experiments.tracking.store.runs.run_names import AmbiguousRunError, Wanted, is_id
from experiments.trained.record import Record, read_folder, read_from_store


@dataclass(frozen=True, kw_only=True)
class Found:
    """A trained model that is meant, and not loaded yet.

    Attributes:
        typed: How it was named.
        record: What its run left; `None` where only the model is known.
        registered: The version that was named; `None` for the run's best epoch.
        file: The Keras file that was named; likewise.
    """

    typed: str
    record: Record | None = None
    registered: RegisteredModel | None = None
    file: Path | None = None

    @property
    def name(self) -> str:
        """What people call it: the run's name, or what was typed."""
        if self.record is not None:
            return self.record.account.name
        return self.typed if self.file is None else self.file.name

    @property
    def run_id(self) -> str | None:
        """MLflow's id of its run."""
        return None if self.record is None else self.record.account.run_id

    @property
    def folder(self) -> Path | None:
        """The folder of its run."""
        return None if self.record is None else self.record.folder


def find_trained(name: str, run: RunConfig) -> Found:
    """Finds a model by a run, a registered version or a file; loads nothing.

    Args:
        name: Id, first characters of one, `last`, `best`, folder or name of a run;
            `models:/digits@champion` or `models:/digits/3`; or a `.keras` file.
        run: Of the command: says where runs are, and what `best` is best by.

    Raises:
        ExperimentError: There is none.
    """
    destination = run.destination()
    if is_model_file(name) and not (typed_folder() / name).is_dir():
        return Found(typed=name, file=_find_file(name))
    if is_registered(name):
        registered = find_registered(name, destination)
        return Found(
            typed=name,
            registered=registered,
            record=_find_run(registered, destination),
        )
    record = find_record(name, destination, Wanted(objective=run.trainer.objective))
    return Found(typed=name, record=record)


def is_at_hand(name: str, run: RunConfig) -> bool:
    """Tells whether a name is that of a folder here, which needs no store to be found.

    Args:
        name: What `find_trained` takes.
        run: Of the command.
    """
    if names_model(name):
        return False
    if not is_id(name):
        return True  # `last` and names have been looked up
    return find_claimed(name, run.destination().output_dir) is not None


def find_record(name: str, destination: Destination, wanted: Wanted) -> Record:
    """Reads what the run left that a person means.

    Args:
        name: Id, first characters of one, `last`, `best`, folder or name.
        destination: Where it was recorded, and where its folder is looked for.
        wanted: What `last` and `best` mean.

    Raises:
        ExperimentError: There is no such run.
    """
    if not is_id(name):
        found = find_named(name, destination, wanted)
        if found.folder is not None:
            return read_folder(found.folder)
        name = str(found.run_id)
    folder = _find_folder(name, destination)
    if folder is not None:
        return read_folder(folder)
    return read_from_store(name, destination)


def _find_folder(run_id: str, destination: Destination) -> Path | None:
    """Returns the folder that a run and itself name; `None` when only MLflow has it.

    Where this store does not know the run, or none is there, the folder alone tells.
    """
    if not destination.enabled:
        return find_claimed(run_id, destination.output_dir)
    try:
        return find_run_folder(run_id, destination)
    except NoFolderError:
        return None
    except AmbiguousRunError:
        raise
    except TrackingError:
        return find_claimed(run_id, destination.output_dir)


def _find_run(model: RegisteredModel, destination: Destination) -> Record | None:
    """Returns the record of a registered model's run, as long as there is one."""
    if model.run_id is None:
        return None
    try:
        folder = _find_folder(model.run_id, destination)
        if folder is not None:
            return read_folder(folder)
        return read_from_store(model.run_id, destination)
    except TrackingError:  # it was deleted: the model is there without it
        return None


def _find_file(name: str) -> Path:
    path = typed_folder() / Path(name).expanduser()
    if not path.is_file():
        raise ExperimentError(
            f"There is no file {name}. run_id takes a run that task=list shows, "
            "models:/name@alias, or a .keras file."
        )
    return path
