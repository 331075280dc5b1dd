"""The ways in which a person may name a run, and the run of the store that is meant."""

import math
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from experiments.config.kinds.metric_names import list_names_of_best
from experiments.config.kinds.objective import Objective
from experiments.errors import TrackingError, make_printable
from experiments.records import NewerRecordError
from experiments.tracking.spool.claims import find_claims, read_job_id
from experiments.tracking.spool.spool import Spool
from experiments.tracking.store.client import Connection, attempt
from experiments.tracking.store.runs.claimed_run import (
    PARENT,
    list_own_runs,
    read_if_any,
)

LAST, BEST = "last", "best"  # what may be typed in the place of a run
Kind = Literal["run", "sweep", "search", "trial"]
_KIND = "run.kind"  # the tag of what is no job
_DIGITS = 32  # hexadecimal ones of a whole id
_START = re.compile(rf"[0-9a-f]{{1,{_DIGITS}}}")
_SHOWN = 5  # runs that a message lists
_PAGE = 1000


class UnknownRunError(TrackingError):
    """What was typed names no run."""


class AmbiguousRunError(TrackingError):
    """What was typed names several runs, or a run that has several folders."""


@dataclass(frozen=True)
class NamedRun:
    """A run of the store, and how it was named.

    Attributes:
        run: MLflow's.
        folder: The folder by which it was named; `None` when it was not.
    """

    run: Any
    folder: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a person may mean by `last`, `best` and a name.

    Attributes:
        objective: What the best finished run is best by.
        kinds: Runs, sweeps or searches.
        originals: Whether runs that repeat others are left out.
        with_model: Whether `last` is the last one that left a model.
    """

    objective: Objective
    kinds: tuple[Kind, ...] = ("run",)
    originals: bool = False
    with_model: bool = False

    def accepts(self, run: Any) -> bool:
        """Tells whether a run of the store may be meant."""
        tags = run.data.tags
        is_copy = self.originals and "reproduces" in tags
        return tags.get(_KIND, "run") in self.kinds and not is_copy


def is_id(name: str) -> bool:
    """Tells whether a name may be an id, or the first characters of one."""
    return _START.fullmatch(name) is not None


def find_place(name: str, *starts: Path) -> Path | None:
    """Returns the folder that a name means; `None` when it means none.

    Args:
        name: A path; `~` is somebody's home.
        starts: Where a relative one may begin, in turn.
    """
    if not name.strip():
        return None
    try:
        path = Path(name).expanduser()
    except RuntimeError:  # of nobody here
        path = Path(name)
    return next((start / path for start in starts if (start / path).is_dir()), None)


def find_run(
    name: str,
    connection: Connection,
    *,
    typed_in: Path | None = None,
    wanted: Wanted | None = None,
) -> NamedRun:
    """Returns the run that a person means.

    Args:
        name: Its id, the first characters of that, or its folder. An id may be one of
            before the database was lost: the folder of the run remembers it. With
            `wanted` also its name, or `last` or `best` of the tracking experiment.
        connection: The open store; folders are looked for in its `output_dir`.
        typed_in: Where a relative path begins, which may begin in `output_dir` too;
            `None` for what no person has typed, such as a tag: it names no folder.
        wanted: What a person may mean by a word.

    Raises:
        UnknownRunError: It names none.
        AmbiguousRunError: It names several.
        TrackingError: The store refuses.
    """
    if _START.fullmatch(name):
        return NamedRun(_find_by_id(name, connection))
    output_dir = connection.destination.output_dir
    if typed_in is not None and (folder := find_place(name, typed_in, output_dir)):
        spool = Spool(folder, output_dir)
        return NamedRun(_find_by_folder(spool, connection), spool.job_folder)
    if wanted is not None and name.strip():
        runs = _find_by_word(name, connection, wanted)
        if runs:
            return NamedRun(_only(runs, _quote(name), "is the name of"))
    raise UnknownRunError(
        f"{_quote(name)} names no run: it is neither an id, nor the first characters "
        "of one, nor a folder, nor the name of a run. task=list shows the runs of the "
        "output folder; the id of a run stands on its page too."
    )


def is_single(run: Any) -> bool:
    """Tells whether a run of the store is no parent of others."""
    return run.data.tags.get(_KIND, "run") == "run"


def list_members(connection: Connection, parent: str) -> Iterator[Any]:
    """Yields the runs below that of a sweep or search, those of a trial's seeds too.

    Args:
        connection: The open store.
        parent: Id of the run that they belong to.
    """
    query = f"tags.`{PARENT}` = {_quote_value(parent)}"
    order = "attributes.start_time ASC"
    for run in _walk(connection, _all_experiments(connection), query, order):
        if is_single(run):
            yield run
        else:
            yield from list_members(connection, run.info.run_id)


def _find_by_word(name: str, connection: Connection, wanted: Wanted) -> list[Any]:
    """Returns the last run, the best one or, of any experiment, those of a name."""
    if name not in (LAST, BEST):
        query = f"attributes.run_name = {_quote_value(name)}"
        found = _walk(connection, _all_experiments(connection), query)
        return list(islice(filter(wanted.accepts, found), _SHOWN + 1))
    if name == BEST:
        return _find_best(connection, wanted)
    order = "attributes.start_time DESC"
    latest = _walk(connection, _present_experiments(connection), "", order)
    if wanted.with_model:  # one that ended otherwise may have sent none
        latest = (run for run in latest if run.info.status == "FINISHED")
    return list(islice(filter(wanted.accepts, latest), 1))


def _find_best(connection: Connection, wanted: Wanted) -> list[Any]:
    """Returns the finished run with the best value, under whichever name it has it."""
    experiments, objective = _present_experiments(connection), wanted.objective
    way = "DESC" if objective.direction == "max" else "ASC"
    found: list[tuple[float, Any]] = []
    for key in list_names_of_best(objective.name):
        order = f"metrics.{_quote_value(key, '`')} {way}"
        ended = "attributes.status = 'FINISHED'"
        for run in filter(wanted.accepts, _walk(connection, experiments, ended, order)):
            value = run.data.metrics.get(key, math.nan)
            if math.isfinite(value):
                found.append((value, run))
                break
    best = objective.best([value for value, _ in found])
    return [] if best is None else [found[best][1]]


def _walk(
    connection: Connection, experiments: list[str], query: str, order: str = ""
) -> Iterator[Any]:
    """Yields the runs that a query finds, page by page."""
    token: str | None = None
    while experiments:
        read = partial(
            connection.client.search_runs,
            experiments,
            query,
            max_results=_PAGE,
            order_by=[order] if order else None,
            page_token=token,
        )
        page = attempt(read, "look for a run")
        yield from page
        token = page.token
        if not token:
            return


def _all_experiments(connection: Connection) -> list[str]:
    return [item.experiment_id for item in _list_experiments(connection.client)]


def _present_experiments(connection: Connection) -> list[str]:
    """Returns the experiment that is tracked to; all of them where none is named."""
    name = connection.destination.experiment
    if not name:
        return _all_experiments(connection)
    read = partial(connection.client.get_experiment_by_name, name)
    found = attempt(read, "open the experiment")
    return [] if found is None else [found.experiment_id]


def _quote_value(text: str, quote: str = "'") -> str:
    """Returns a text as MLflow's queries take it, which know no escape.

    Raises:
        UnknownRunError: They cannot say it.
    """
    quotes = [quote] if quote == "`" else ["'", '"']
    for sign in quotes:
        if sign not in text:
            return f"{sign}{text}{sign}"
    raise UnknownRunError(f"MLflow cannot be asked for {text!r}: name the run's id.")


def _find_by_id(start: str, connection: Connection) -> Any:
    """Returns the run whose id begins so."""
    client = connection.client
    if len(start) == _DIGITS:
        run = attempt(lambda: read_if_any(client, start), f"read run {start}")
        found = [] if run is None else [run]
    else:
        found = _search(connection, start)
    # When a database was lost, `task=sync` sends its runs into new ones. The ids of
    # before stand on screens and in tags, such as that of the best trial of a search.
    found = found or list(_find_successors(start, connection))
    if not found:
        output_dir = connection.destination.output_dir
        raise UnknownRunError(
            f"There is no run {start} in {connection.location.uri}, and no folder "
            f"below {output_dir} was ever its own. Was it recorded elsewhere? "
            "tracking.uri and output_dir say where to look."
        )
    is_whole = len(start) == _DIGITS
    verb = "was, before, the id of" if is_whole else "is the beginning of"
    return _only(found, start, verb)


def _search(connection: Connection, start: str) -> list[Any]:
    """Returns the runs whose ids begin so, the latest first, a few at most."""
    client, experiments = connection.client, _all_experiments(connection)
    query = f"attributes.run_id LIKE '{start}%'"  # hexadecimal digits, no other sign
    order = ["attributes.start_time DESC"]
    return list(
        attempt(
            lambda: client.search_runs(
                experiments, query, max_results=_SHOWN + 1, order_by=order
            ),
            f"look for run {start}",
        )
    )


def _list_experiments(client: Any) -> Iterator[Any]:
    token: str | None = None
    while True:
        read = partial(client.search_experiments, max_results=_PAGE, page_token=token)
        page = attempt(read, "list experiments")
        yield from page
        token = page.token
        if not token:
            return


def _find_successors(start: str, connection: Connection) -> Iterator[Any]:
    """Yields the runs in which the records of a lost one are now, each once."""
    seen = set()
    output_dir = connection.destination.output_dir
    for spool, _ in find_claims(output_dir, lambda known: known.startswith(start)):
        run = None
        with suppress(NewerRecordError):
            run = _current_run(spool, connection)
        if run is not None and run.info.run_id not in seen:
            seen.add(run.info.run_id)
            yield run


def _find_by_folder(spool: Spool, connection: Connection) -> Any:
    """Returns the run of a folder.

    Raises:
        UnknownRunError: It has none in this store.
    """
    run = _current_run(spool, connection)
    if run is not None:
        return run
    if not spool.journal.is_file():
        reason = f"it holds no {spool.journal.relative_to(spool.job_folder)}"
        advice = "Name the folder of a job, a sweep or a search"
    else:
        reason = f"no run in {connection.location.uri} is its own"
        advice = "Were its records sent there? task=sync sends what is missing"
    raise UnknownRunError(f"{spool.job_folder} names no run: {reason}. {advice}.")


def _current_run(spool: Spool, connection: Connection) -> Any:
    """Returns the run of a folder that the store has; `None` without one."""
    job_id = read_job_id(spool)
    if job_id is None:
        return None
    client, store = connection.client, connection.location.name
    runs = list_own_runs(client, spool, store, job_id)
    return attempt(lambda: next(runs, None), "read a run")


def _only(runs: Iterable[Any], name: str, verb: str) -> Any:
    first, *others = runs
    if not others:
        return first
    shown = [
        f"  {run.info.run_id}  {make_printable(run.info.run_name or '')}"
        for run in (first, *others)
    ]
    count = len(shown) if len(shown) <= _SHOWN else f"more than {_SHOWN}"
    lines = "\n".join(shown[:_SHOWN])
    raise AmbiguousRunError(f"{name} {verb} {count} runs. Name one of them:\n{lines}")


def _quote(name: str) -> str:
    return repr(name if len(name) <= 200 else f"{name[:200]}...")
