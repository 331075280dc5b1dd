"""The images that a trained model is measured on: its run's own, or others.

Other images are read as the model wants them: in its size and channels, with the crop
and the background of its training unless those are typed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.builders.data import build_dataset
from experiments.command.composing.overlay import lay_over, list_overlay
from experiments.config.schema.datasets.dataset import (
    FilesConfig,
    FolderConfig,
    TableConfig,
)
from experiments.config.schema.run import RunConfig
from experiments.config.validation import validate
from experiments.data.dataset import Dataset
from experiments.data.files.asked.any_classes import (
    NoLabelsError,
    Place,
    find_labelled,
    read_labelled,
)
from experiments.data.files.asked.any_rows import find_labelled_rows, read_labelled_rows
from experiments.data.files.image_files import FileOptions
from experiments.data.files.tables.label_table import columns_of
from experiments.data.labelled import Labelled, take_split
from experiments.data.readiness.check import check_data, check_dataset
from experiments.errors import ConfigError, DataError, Problem
from experiments.jobs.job import Job
from experiments.tracking.spool.tag_names import PREFIX
from experiments.trained.finding import Found
from experiments.trained.settled import settle_config
from experiments.trained.trained import Trained

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

_GROUP = "dataset"
_TABLE = (
    *("table", "path_column", "split_column"),
    *("label_column", "label_delimiter", "label_columns"),
)
_SHAPE = ("image_size", "channels")  # which follow from the model


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """The images to measure a model on.

    Attributes:
        labelled: The images.
        dataset: The run's own data set, of which they are a split; `None` for others.
        folder: Where other images lie, absolute; `None` where code brings them.
        config: Of the data set.
        notes: What a person may not expect, a sentence each.
    """

    labelled: Labelled
    dataset: Dataset | None
    folder: str | None
    config: RunConfig
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a command says of the images, checked as far as that needs no model.

    Attributes:
        job: The command.
        found: The model that is meant.
        split: `task.split`.
        typed: What was typed of the data set.
        place: Of a typed folder of images.
    """

    job: Job
    found: Found
    split: str | None
    typed: tuple["Override", ...]
    place: Place | None = None


def ask_for_images(job: Job, found: Found, split: str | None) -> Request:
    """Looks at what is typed, before anything heavy is imported.

    Args:
        job: The command.
        found: The model that is meant.
        split: The split that is wanted, if one is.

    Raises:
        ConfigError: No images are named, or those of the run are not there.
        DataError: A folder is not there, or holds no labelled images.
    """
    typed = tuple(o for o in list_overlay(job.overrides) if _is_of_data(o))
    request = Request(job=job, found=found, split=split, typed=typed)
    if not typed or _is_own(request):
        _check_own(request)
        return replace(request, typed=())
    if _is_chosen(typed) and isinstance(job.run.dataset, FilesConfig):
        _refuse_divisions(typed)
        return replace(request, place=_find_place(job.run, split))
    return request


def check_place(run: RunConfig, overrides: Sequence[str]) -> None:
    """Looks for typed images before there is anything of a job; knows no split yet.

    Args:
        run: Of the command.
        overrides: As typed.

    Raises:
        ConfigError: An archive is not there, or damaged.
        DataError: A folder or table is not there, or holds no labelled images.
    """
    typed = [o for o in list_overlay(overrides) if _is_of_data(o)]
    if not _is_chosen(typed) or run.dataset.known_place is None:
        return
    if _find_place(run, None) is None:
        check_dataset(run.dataset)


def _find_place(run: RunConfig, split: str | None) -> Place | None:
    dataset = run.dataset
    try:
        if isinstance(dataset, FolderConfig):
            return find_labelled(dataset.path, splits=dataset.splits, wanted=split)
        if isinstance(dataset, TableConfig):
            return find_labelled_rows(dataset, split)
    except NoLabelsError as error:
        hint = f"For what the model says of them: task=predict run_id={run.run_id}"
        raise DataError(f"{error} {hint}") from error
    return None


def choose_images(request: Request, trained: Trained) -> Chosen:
    """Reads the images that a command asks for.

    Args:
        request: What `ask_for_images` returned.
        trained: The model, which says what its images are like.

    Raises:
        ConfigError: What is typed does not fit the model.
        DataError: The images are absent or damaged.
    """
    if not request.typed:
        return _choose_own(request, trained)
    config = _lay_over_record(request, trained)
    dataset = config.dataset
    folder: str | None = getattr(dataset, "path", None)
    if request.place is not None and isinstance(dataset, FolderConfig | TableConfig):
        options = _as_options(dataset)
        if isinstance(dataset, TableConfig):
            label = columns_of(dataset).label
            labelled = read_labelled_rows(request.place, options, label)
        else:
            labelled = read_labelled(request.place, options)
        if _is_trained_with(request.found, labelled):
            return _choose_moved(request, dataset)
        notes = _describe_place(request)
        folder = str(request.place.root.resolve())
    else:
        whole = build_dataset(config)
        split, notes = _choose_split(whole, request.split)
        labelled = take_split(whole, split)
    return Chosen(
        labelled=labelled, dataset=None, folder=folder, config=config, notes=notes
    )


def _choose_own(request: Request, trained: Trained) -> Chosen:
    if trained.config is None:  # `_check_own` has told
        raise ConfigError([Problem(_GROUP, "must be typed.")])
    is_typed = any(_is_of_data(o) for o in list_overlay(request.job.overrides))
    return _take_own(request, trained.config, is_typed=is_typed)


def _choose_moved(request: Request, dataset: FilesConfig) -> Chosen:
    """Returns the run's own images, which lie in another folder by now."""
    record = request.found.record
    if record is None:
        raise ConfigError([Problem(_GROUP, "must be typed.")])
    own = {**record.config[_GROUP], "path": dataset.path}
    if isinstance(dataset, TableConfig):
        own["table"] = dataset.table
    config = _settle(request, {**record.config, _GROUP: own})
    return _take_own(request, config, is_typed=True)


def _take_own(request: Request, config: RunConfig, *, is_typed: bool) -> Chosen:
    dataset = build_dataset(config)
    split, notes = _choose_split(dataset, request.split)
    if is_typed:
        told = (
            f"These are the images that the model was trained with: of them the "
            f"{split} split is evaluated."
        )
        notes = (told, *notes)
    return Chosen(
        labelled=take_split(dataset, split),
        dataset=dataset,
        folder=getattr(config.dataset, "path", None),
        config=config,
        notes=notes,
    )


def _is_trained_with(found: Found, labelled: Labelled) -> bool:
    """Tells whether images of a folder are all that a run was trained with."""
    if found.record is None or labelled.split is not None:
        return False
    recorded = found.record.account.tags.get(f"{PREFIX}data.content")
    return recorded is not None and recorded == labelled.content


def _choose_split(dataset: Dataset, wanted: str | None) -> tuple[str, tuple[str, ...]]:
    """Returns the split to evaluate, and what is to be said of it."""
    if wanted in dataset.splits:
        return str(wanted), ()
    if wanted is not None:
        reason = f"must be a split of {dataset.name}: {', '.join(dataset.splits)}. "
        raise ConfigError([Problem("task.split", f"{reason}Received: {wanted}.")])
    if "test" in dataset.splits:
        return "test", ()
    told = (
        f"{dataset.name} has no test split: this is validation, by which the best "
        "epoch was chosen, so that the scores are a little too good."
    )
    return "validation", (told,)


def _check_own(request: Request) -> None:
    record = request.found.record
    if record is None:
        reason = f"must be typed: {request.found.name} does not say what it learnt on."
        hint = "Such as dataset=folder dataset.path=photos."
        raise ConfigError([Problem(_GROUP, reason, hint)])
    check_data([_settle(request, record.config)])


def _refuse_divisions(typed: Sequence["Override"]) -> None:
    """Raises for keys that say how to divide a folder, of which all is evaluated."""
    used = {*FileOptions.__annotations__, "path", "splits", *_TABLE}
    keys = [o.key_or_group for o in typed if o.key_or_group != _GROUP]
    unused = [key for key in keys if key.removeprefix(f"{_GROUP}.") not in used]
    reason = "is not used: all images are evaluated, or those of a split folder."
    if unused:
        raise ConfigError([Problem(key, reason, "Leave it out.") for key in unused])


def _is_of_data(override: "Override") -> bool:
    top = override.key_or_group.replace("/", ".").partition(".")[0]
    return top == _GROUP


def _is_chosen(typed: Sequence["Override"]) -> bool:
    """Tells whether a data set was chosen, not only a key of the run's own changed."""
    return any(o.key_or_group == _GROUP for o in typed)


def _is_own(request: Request) -> bool:
    """Tells whether what was typed is the data set of the run, its very division."""
    record, dataset = request.found.record, request.job.run.dataset
    if record is None:
        return False
    recorded = record.config[_GROUP]
    if _lay_over(request)[_GROUP] == recorded:
        return True
    keys = {o.key_or_group for o in request.typed}
    places = ("path", "table")
    named = {_GROUP, *(f"{_GROUP}.{key}" for key in places)}
    if recorded.get("_target_") != dataset._target_ or keys - named:
        return False
    # The same folder, whose images may have been trained with in another size.
    return all(
        _resolve(recorded.get(key)) == _resolve(getattr(dataset, key, None))
        for key in places
        if recorded.get(key) is not None
    )


def _resolve(path: object) -> Path:
    return Path(str(path)).expanduser().resolve()


def _lay_over(request: Request) -> Mapping[str, Any]:
    """Returns the recorded config with the typed data set."""
    job, record = request.job, request.found.record
    if record is None:
        return job.resolved
    links, typed = job.links, request.typed
    return lay_over(record.config, typed, composed=job.resolved, links=links)


def _lay_over_record(request: Request, trained: Trained) -> RunConfig:
    """Returns the config of a run with the typed data set, as the model wants it.

    Raises:
        ConfigError: What was typed does not fit.
    """
    laid = _lay_over(request)
    dataset = _fit(dict(laid[_GROUP]), request.typed, trained)
    return _settle(request, {**laid, _GROUP: dataset})


def _settle(request: Request, config: Mapping[str, Any]) -> RunConfig:
    """Returns a config in place of the recorded one, as it is used here."""
    run, record = request.job.run, request.found.record
    if record is None:
        return validate(config)
    return settle_config(
        replace(record, config=config),
        allowed_targets=run.allowed_targets,
        output_dir=run.output_dir,
        gpu=run.gpu,
    )


def _fit(
    dataset: dict[str, Any], typed: Sequence["Override"], trained: Trained
) -> dict[str, Any]:
    """Returns the config of a data set whose images are those that a model takes."""
    height, width, channels = trained.image_shape
    keys = {o.key_or_group.removeprefix(f"{_GROUP}.") for o in typed}
    shape = {"image_size": height, "channels": channels}
    for key in _SHAPE:
        if key in keys and dataset.get(key) != shape[key]:
            reason = (
                f"follows from the model, which takes images of {height} x {width} x "
                f"{channels}. Received: {dataset.get(key)}."
            )
            raise ConfigError([Problem(f"{_GROUP}.{key}", reason, "Leave it out.")])
    ways = {
        "crop_ratio": trained.crop_ratio,
        "background": list(trained.background),
    }
    own = {**shape, **{key: way for key, way in ways.items() if key not in keys}}
    # The model holds its own normalisation; measuring another would read the files.
    is_measured = None if _SHAPE[1] not in dataset else [0.5] * channels
    own |= {"mean": is_measured, "std": is_measured}
    return {key: own.get(key, value) for key, value in dataset.items()}


def _as_options(dataset: FilesConfig) -> FileOptions:
    names = FileOptions.__annotations__
    options: FileOptions = {name: getattr(dataset, name) for name in names}  # type: ignore[assignment]
    return options


def _describe_place(request: Request) -> tuple[str, ...]:
    """Returns which of several splits was taken where nobody named one."""
    place = request.place
    if place is None or place.split is None or request.split is not None:
        return ()
    others = [name for name in place.splits if name != place.split]
    if not others:
        return ()
    told = f"Of {place.root.name} the {place.split} split is evaluated, and not"
    return (f"{told} {' and '.join(others)}: task.split says otherwise.",)
