"""What a person types for a run, and the run that is meant.

`last`, `best` and a name mean another run tomorrow: they are looked up once, by what
the output folder holds, which needs no MLflow, and then by what only MLflow has.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from experiments.command.plan import Plan
from experiments.command.printed import typed_folder
from experiments.config.identity import has_own_folder
from experiments.config.kinds.destination import Destination
from experiments.config.kinds.metric_names import name_best
from experiments.config.kinds.model_names import names_model
from experiments.config.kinds.weights import RUN
from experiments.config.schema.run import RunConfig
from experiments.errors import (
    ConfigError,
    ExperimentError,
    Problem,
    make_printable,
)
from experiments.jobs.runs.catalogue import ListedRun, list_runs, read_run
from experiments.jobs.showing.display import short_path
from experiments.tracking.recorded import find_id
from experiments.tracking.spool.held_model import has_sent_model
from experiments.tracking.store.runs.run_names import (
    BEST,
    LAST,
    AmbiguousRunError,
    Kind,
    UnknownRunError,
    Wanted,
    find_place,
    is_id,
)
from experiments.training.checkpoints.listing import list_checkpoints

WEIGHTS = "model.weights"
_RUN: tuple[Kind, ...] = ("run",)
_SHOWN = 5  # runs that a message lists


@dataclass(frozen=True, kw_only=True)
class FoundRun:
    """The run that a person means.

    Attributes:
        typed: How it was named.
        run_id: MLflow's id, or the beginning of one as it was typed.
        folder: Its folder, where it is known and holds the run.
        listed: What that says of it.
        prefix: What stood before the name.
        passed_over: The later run that left no model, where one was asked for.
    """

    typed: str
    run_id: str | None = None
    folder: Path | None = None
    listed: ListedRun | None = None
    prefix: str = ""
    passed_over: ListedRun | None = None

    @property
    def word(self) -> str:
        """What means the same run tomorrow: an id or a folder."""
        return self.prefix + (self.run_id or str(self.folder))

    def __str__(self) -> str:
        """Returns it in words, for whoever typed something else."""
        name = "" if self.listed is None else f"{self.listed.name} "
        place = "" if self.folder is None else f", {short_path(self.folder)}"
        passed = ""
        if (later := self.passed_over) is not None:
            passed = (
                f"; {later.name} is later and left no model: {later.state_in_words}"
            )
        return f"{name}({self.run_id or 'not in MLflow'}{place}){passed}"


@dataclass(frozen=True, kw_only=True)
class Settled:
    """The runs that a key names, by what means them tomorrow too.

    Attributes:
        words: One for a key that takes one run, else a list.
        found: Those that were named by a word which may move.
    """

    words: str | tuple[str, ...]
    found: tuple[FoundRun, ...]


def settle_names(plan: Plan) -> dict[str, Settled]:
    """Returns the runs that a job names by a word which may mean another one tomorrow.

    A job is named by what it is: it must say which run it repeats.

    Args:
        plan: A checked command line.

    Returns:
        Key, `run_id`, `from_search` or `model.weights` -> its runs.

    Raises:
        ConfigError: The word stands in a sweep, each of whose jobs would look it up.
        TrackingError: There is no such run.
    """
    run = plan.run
    if not has_own_folder(run):
        return {}
    settled = {}
    for key in ("run_id", "from_search", WEIGHTS):
        names, prefix = _read_names(run, key)
        is_list = isinstance(names, list)
        typed = names if isinstance(names, list) else [names]
        found = {
            name: _settle(plan, key, name, prefix, is_listed=is_list)
            for name in typed
            if isinstance(name, str) and may_move(name, run.destination())
        }
        if found:
            words = [found[name].word if name in found else str(name) for name in typed]
            settled[key] = Settled(
                words=tuple(words) if is_list else words[0],
                found=tuple(found.values()),
            )
    return settled


def _settle(
    plan: Plan, key: str, name: str, prefix: str, *, is_listed: bool
) -> FoundRun:
    """Returns the run that one word means now."""
    run = plan.run
    if plan.multirun:
        reason = f"must be an id or a folder in a sweep. Received: {prefix + name!r}."
        raise ConfigError([Problem(key, reason, "task=list shows both.")])
    kinds = {"run_id": getattr(run.task, "run_kinds", _RUN), "from_search": ("search",)}
    if is_listed:  # where `last` is a run, and alone what has runs to compare
        kinds[key] = _RUN
        if name not in (LAST, BEST):
            kinds[key] = getattr(run.task, "listed_kinds", _RUN)
    wanted = Wanted(
        objective=run.trainer.objective,
        kinds=kinds.get(key, _RUN),
        originals=key == "run_id" and not is_listed,
        with_model=key == WEIGHTS
        or (key == "run_id" and getattr(run.task, "asks_model", False)),
    )
    named = find_named(name, run.destination(), wanted)
    return replace(named, typed=prefix + name, prefix=prefix)


def _read_names(run: RunConfig, key: str) -> tuple[object, str]:
    """Returns the run or runs that a key names, and what stands before the name."""
    if key != WEIGHTS:
        return getattr(run, key), ""
    weights = getattr(run.model, "weights", None)
    if not isinstance(weights, str) or not weights.startswith(RUN):
        return None, ""
    return weights.removeprefix(RUN), RUN


def may_move(name: str, destination: Destination) -> bool:
    """Tells whether a name may mean another run tomorrow: no id, folder or model."""
    if is_id(name):  # the end of a folder's name has the signs of an id's beginning
        return any(destination.output_dir.glob(f"*/*-{name}"))
    return not (names_model(name) or _find_place(name, destination))


def find_named(name: str, destination: Destination, wanted: Wanted) -> FoundRun:
    """Returns the run that a person means.

    Args:
        name: `last`, `best`, a folder, its own name or the end of that, an id of today
            or of before, its beginning, or the name of a run.
        destination: The output folder that is looked through, and the store that is
            asked for what is not there.
        wanted: What `last` and `best` mean, and what kind of run.

    Raises:
        UnknownRunError: It means none.
        AmbiguousRunError: It means several.
        TrackingError: The store refuses.
    """
    folder = None if is_id(name) else _find_place(name, destination)
    if folder is not None:
        listed = read_run(folder, destination.output_dir)
        run_id = None if listed is None else listed.run_id
        return FoundRun(typed=name, run_id=run_id, folder=folder, listed=listed)
    rows = [run for run in list_runs(destination.output_dir) if _is_wanted(run, wanted)]
    found = _choose(name, rows, destination, wanted)
    if len(found) > 1:
        raise AmbiguousRunError(_describe_several(name, found))
    if found:
        (run,) = found
        latest = _of_experiment(rows, destination)[:1] if name == LAST else []
        return FoundRun(
            typed=name,
            run_id=run.run_id,
            folder=run.folder,
            listed=run,
            passed_over=next((later for later in latest if later is not run), None),
        )
    if not destination.enabled:
        raise UnknownRunError(_describe_absence(name, rows, destination, wanted))
    try:
        run_id = find_id(name, destination, typed_in=typed_folder(), wanted=wanted)
    except UnknownRunError:
        if name in (LAST, BEST):
            absence = _describe_absence(name, rows, destination, wanted)
            raise UnknownRunError(absence) from None
        raise
    return FoundRun(typed=name, run_id=run_id)


def _is_wanted(run: ListedRun, wanted: Wanted) -> bool:
    # Without a tracker there is no tag, but what was asked for.
    repeats = "reproduces" in run.tags or run.choice("task") == "reproduce"
    is_copy = wanted.originals and repeats
    return run.kind in wanted.kinds and run.state != "unreadable" and not is_copy


def _choose(
    name: str, rows: Sequence[ListedRun], destination: Destination, wanted: Wanted
) -> list[ListedRun]:
    if name not in (LAST, BEST):
        by_id = _choose_by_id(name, rows) if is_id(name) else []
        by_name = by_id or [run for run in rows if run.name == name]
        return by_name or [run for run in rows if _is_folder_of(run, name)]
    rows = _of_experiment(rows, destination)
    if name == LAST:
        usable = (run for run in rows if not wanted.with_model or has_model(run))
        return list(islice(usable, 1))
    ended = [run for run in rows if run.state == "finished"]
    key = name_best(wanted.objective.name)
    best = wanted.objective.best([run.metrics.get(key) for run in ended])
    return [] if best is None else [ended[best]]


def _is_folder_of(run: ListedRun, name: str) -> bool:
    """Tells whether a name is that of a run's folder, or what tells it from others."""
    return run.folder.name == name or (
        is_id(name) and run.folder.name.endswith(f"-{name}")
    )


def _of_experiment(
    rows: Sequence[ListedRun], destination: Destination
) -> list[ListedRun]:
    # Without a tracker no experiment was named; a notebook names none.
    named = {None, destination.experiment}
    return [r for r in rows if not destination.experiment or r.experiment in named]


def has_model(run: ListedRun) -> bool:
    """Tells whether a run left a model: a state that is kept, or one that was sent."""
    try:
        return bool(list_checkpoints(run.folder)) or has_sent_model(run.folder)
    except ExperimentError:  # whoever asks for it by its id is told
        return False


def _choose_by_id(start: str, rows: Sequence[ListedRun]) -> list[ListedRun]:
    """Returns the runs whose ids begin so: of today, else of before.

    One whole id in several folders is a copied run, and which is the run is MLflow's
    to say.
    """
    now = [run for run in rows if (run.run_id or "").startswith(start)]
    before = [r for r in rows if any(known.startswith(start) for known in r.run_ids)]
    return now or before


def _find_place(name: str, destination: Destination) -> Path | None:
    """Returns the folder that a name means, as seen from here or among the runs."""
    if name in (LAST, BEST):
        return None
    found = find_place(name, typed_folder(), destination.output_dir)
    return None if found is None else found.absolute()


def _describe_several(name: str, runs: Sequence[ListedRun]) -> str:
    lines = [
        f"  {run.run_id or '-':32}  {run.name}  {short_path(run.folder)}"
        for run in runs[:_SHOWN]
    ]
    more = len(runs) - _SHOWN
    lines += [f"  and {more} more: task=list shows them"] if more > 0 else []
    return make_printable(
        "\n".join(
            [
                f"{name!r} means {len(runs)} runs. Name one by its id or folder:",
                *lines,
            ]
        )
    )


def _describe_absence(
    name: str, rows: Sequence[ListedRun], destination: Destination, wanted: Wanted
) -> str:
    place = short_path(destination.output_dir)
    if name not in (LAST, BEST):
        return (
            f"{name[:200]!r} names no run: it is neither an id, nor the first "
            f"characters of one, nor a folder, nor the name of a run below {place}. "
            "task=list shows them."
        )
    own = _of_experiment(rows, destination)
    if name == LAST and own:  # of which none was taken
        return (
            f"No run of the experiment {destination.experiment!r} in {place} left a "
            f"model; the last one, {own[0].name}, is {own[0].state_in_words}. Train "
            "one first, or name another by its id: task=list shows them."
        )
    kinds = " or ".join(wanted.kinds)
    what = f"finished {kinds}" if name == BEST else kinds
    others = sorted({run.experiment for run in rows if run.experiment})
    text = f"There is no {what} of the experiment {destination.experiment!r} in {place}"
    if others:
        return (
            f"{text}; there are runs of {', '.join(others)}. Name that one, "
            f"tracking.experiment=..., or a run by its id: task=list shows them."
        )
    return f"{text}. Train one first, or choose another output_dir."
