"""Checks a whole command line, every job of a sweep included, before anything starts.

What is checked is what Hydra composes and will run, see `loader`.
"""

import re
import shlex
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from hydra._internal.utils import create_config_search_path
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from experiments.command.check_progress import show_progress
from experiments.command.checked_job import CheckedJob, check_job
from experiments.command.composer import Composer, quote_word
from experiments.command.data_jobs import DataJobs, JobsByData
from experiments.command.diagnosis import (
    MOST_REPEATED,
    explain,
    is_own_fault,
)
from experiments.command.folds import FOLD, list_folds, refuse_swept_folds
from experiments.command.hydra_node.flags import (
    add_config_dir,
    check_hydra_node,
    check_typed,
)
from experiments.command.hydra_node.launcher import (
    ON_ITS_OWN,
    Launch,
    describe_launch,
)
from experiments.command.job_count import check_job_count
from experiments.command.loader import Loader, open_hydra
from experiments.command.machine_configs import check_choice
from experiments.command.overlay import describe_overlay
from experiments.command.pairs import (
    GRID_SWEEPER,
    Row,
    check_rows,
    count_rows,
    is_block,
    list_jobs,
    list_rows,
    name_keys,
    read_sweep,
)
from experiments.command.provenance import trace_sweeper
from experiments.command.reader import read_words
from experiments.command.search_plan import (
    SearchPlan,
    check_search,
    plan_search,
    sample_jobs,
)
from experiments.command.typed_text import quote_texts
from experiments.command.words import check_words
from experiments.config.checks.unused import find_clashes, find_unused
from experiments.config.convert import UnknownKey
from experiments.config.fields import is_text, takes_text
from experiments.config.history import first_word
from experiments.config.identity import (
    describe_choices,
    identify,
    name_folder,
    name_job_folder,
    name_search_folder,
    name_sweep_folder,
    name_swept,
)
from experiments.config.schema.resume import SweepConfig
from experiments.config.schema.run import RunConfig
from experiments.config.schema.task import ReproduceTaskConfig
from experiments.config.search.schema import is_search
from experiments.config.validation import validate
from experiments.counts import count_of
from experiments.errors import ConfigError, ExperimentError, Problem

# A sweep that has as many is wrong in itself.
MOST_PROBLEMS = 20

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override


@dataclass(frozen=True)
class Plan:
    """What a checked command line asks for.

    Attributes:
        run: The config of the first job.
        config: The same as composed, without Hydra's own node.
        folder: Folder of the run, or of the whole sweep, named by what it is; absolute.
        overrides: What was typed, without Hydra's own settings.
        jobs: The overrides of each job; empty when a sweeper decides them later.
        job_folders: Name of the folder of each of these jobs.
        swept_keys: Keys with several values, in the order of the command line.
        search: How a sweep is searched; `None` for any other.
        flags: Where configs come from, as typed: `--config-dir my_conf`.
        multirun: Whether it is a sweep or a search.
        settings: Overrides of Hydra's own node, which each job has.
        job: Overrides of the first job, or of what a search varies.
        unused: What was typed and would not be used.
        data_jobs: The jobs by the images and weights that they need, as far as these
            are known and they run on this machine.
        runs: The config of each of `jobs` where it is to be planned, else none; of a
            search those of its `sample_jobs`.
        launch: Where the jobs of a sweep are run.
    """

    run: RunConfig
    config: DictConfig
    folder: Path
    overrides: tuple[str, ...]
    jobs: tuple[tuple[str, ...], ...]
    job_folders: tuple[str, ...]
    swept_keys: tuple[str, ...]
    search: SearchPlan | None = None
    flags: tuple[str, ...] = ()
    multirun: bool = False
    settings: tuple[str, ...] = ()
    job: tuple[str, ...] = ()
    unused: tuple[Problem, ...] = ()
    data_jobs: tuple[DataJobs, ...] = ()
    runs: tuple[RunConfig, ...] = ()
    launch: Launch = ON_ITS_OWN


def check_command_line(
    overrides: Sequence[str],
    *,
    config_dir: Path,
    config_name: str = "config",
    extra_config_dir: Path | None = None,
    multirun: bool = False,
) -> Plan:
    """Composes and validates what a command line asks for.

    Args:
        overrides: Hydra overrides as typed.
        config_dir: Folder of the primary config, absolute.
        config_name: Name of the primary config.
        extra_config_dir: Folder given with `--config-dir`.
        multirun: Whether values may be lists to sweep over.

    Raises:
        ConfigError: Everything that is wrong, with the job it is wrong in.
    """
    search_path = create_config_search_path(str(config_dir))
    flags: list[str] = []
    if extra_config_dir is not None:
        add_config_dir(search_path, extra_config_dir)
        flags += ["--config-dir", str(extra_config_dir)]
    if config_name != "config":
        flags += ["--config-name", config_name]
    with open_hydra(search_path) as hydra:
        loader = hydra.config_loader
        plan = check(overrides, loader, config_name=config_name, multirun=multirun)
    return replace(plan, flags=(*flags, *plan.flags))


def check(
    overrides: Sequence[str],
    loader: Loader,
    *,
    config_name: str,
    multirun: bool = False,
) -> Plan:
    """Composes and validates what a command line asks for, with Hydra's own loader.

    Args:
        overrides: Hydra overrides as typed.
        loader: Composes; gives Hydra what was checked when Hydra asks for it.
        config_name: Name of the primary config.
        multirun: Whether `-m` was given; `hydra.mode` may say the same.

    Raises:
        ConfigError: Everything that is wrong, with the job it is wrong in.
    """
    try:
        return _check(overrides, Composer(loader, config_name), multirun)
    except ExperimentError:
        raise
    except Exception as error:  # Hydra's, of many kinds
        if is_own_fault(error):
            raise
        raise ConfigError([explain(error, loader)]) from error
    finally:
        HydraConfig.instance().cfg = None


def _check(overrides: Sequence[str], composer: Composer, multirun: bool) -> Plan:
    _raise(check_words(overrides))
    parsed = read_words(
        overrides,
        composer.loader,
        config_name=composer.config_name,
        multirun=multirun,
    )
    _raise(check_typed(parsed))
    composer.loader.permission = composer.loader.permission.with_typed(parsed)
    settings = [o for o in parsed if o.is_hydra_override()]
    _raise(_several_of_hydra(o) for o in settings if o.is_sweep_override())
    composer.hydra_overrides = tuple(o.input_line or "" for o in settings)
    modes = [o.value() for o in settings if o.key_or_group == "hydra.mode"]
    multirun = multirun or modes[-1:] == ["MULTIRUN"]
    if not multirun:
        _raise(_several_values(o) for o in parsed if _is_swept(o))
    else:
        _raise(_find_repeated(parsed))
        if not modes:
            composer.hydra_overrides += ("hydra.mode=MULTIRUN",)
    parsed = list(quote_texts(parsed, composer.loader))
    own = [o for o in parsed if not o.is_hydra_override()]
    plan = _check_all(own, composer, multirun=multirun)
    _raise(check_choice(composer.first, composer.loader.folders))
    _raise(find_clashes(own, plan.run))
    searched = [o for o in settings if o.key_or_group == "hydra.searchpath"]
    return replace(
        plan,
        multirun=multirun,
        settings=composer.hydra_overrides,
        unused=tuple(
            find_unused(
                parsed,
                plan.run,
                multirun=multirun,
                search=None if plan.search is None else plan.search.config,
            )
        ),
        flags=tuple(o.input_line or "" for o in searched),
    )


def _check_all(
    own: Sequence["Override"], composer: Composer, *, multirun: bool
) -> Plan:
    """Checks a job or all jobs; says of what is wrong which file it comes from."""
    try:
        return (_check_sweep if multirun else _check_run)(own, composer)
    except ConfigError as error:
        if composer.base is None:
            raise
        words = [*composer.hydra_overrides, *(o.input_line or "" for o in own)]
        traced = trace_sweeper(
            error.problems, composer.base, composer.loader, words=words
        )
        raise ConfigError(traced, error.title) from error


def _find_repeated(typed: Sequence["Override"]) -> Iterator[Problem]:
    """Yields the keys that were given several values twice: one would be forgotten."""
    given: dict[str, list[Override]] = {}
    for override in typed:
        given.setdefault(override.get_key_element(), []).append(override)
    for key, overrides in given.items():
        is_space = any(o.is_interval_sweep() for o in overrides)  # whose last counts
        if overrides[1:] and not is_space and any(map(_is_swept, overrides)):
            values = [(o.input_line or "").partition("=")[2] for o in overrides]
            word = shlex.quote(f"{key}={','.join(values)}")
            hint = (
                f"To run all of them: -m {word}" if len(word) <= MOST_REPEATED else ""
            )
            reason = f"is given {len(overrides)} times, and only the last would count."
            yield Problem(key, reason, hint or "Type it once.")


def _raise(problems: Iterable[Problem]) -> None:
    if found := list(problems):
        raise ConfigError(found)


def _shorten(run: str) -> str:
    """Returns a run as a part of a name: the beginning of its id, or its folder's."""
    return Path(run).name if "/" in run else run[:8]


def _is_reproduction(run: RunConfig) -> bool:
    return isinstance(run.task, ReproduceTaskConfig)


def _check_run(own: Sequence["Override"], composer: Composer) -> Plan:
    job = tuple(o.input_line or "" for o in own)
    checked = check_job(job, composer)
    _raise(checked.problems)
    _raise(check_hydra_node(composer.first, multirun=False))
    config, run = checked.config, validate(checked.config)
    name = run.name or describe_choices(composer.choices())
    typed = describe_overlay(job, run)
    if run.from_search is not None and not run.name:
        name = f"best of {_shorten(run.from_search)}"
    elif _is_reproduction(run) and isinstance(run.run_id, str) and not run.name:
        name = f"reproduce {_shorten(run.run_id)}"  # which tells what, not the defaults
    return Plan(
        run=run,
        config=config,
        folder=composer.folder(
            output_dir=run.output_dir,
            name=name_folder(name, run, typed),
            multirun=False,
        ),
        overrides=job,
        job=job,
        jobs=(job,),
        job_folders=(),
        swept_keys=(),
        data_jobs=JobsByData([run]).groups(),
        runs=(run,),
    )


def _check_sweep(own: Sequence["Override"], composer: Composer) -> Plan:
    composer.base = base = composer.compose_base(own)
    swept_words = [o for o in own if o.is_sweep_override()]
    composer.swept = {o.key_or_group: o.input_line or "" for o in swept_words}
    _raise(composer.loader.find_unauthorised(base))
    _raise(check_hydra_node(base, multirun=True))
    if is_search(base.hydra.sweeper):
        return _check_search(own, plan_search(own, base), composer)
    composer.is_plain_sweep = True
    if folds := _sweep_folds(own, composer):
        own = [*own, *folds]
        composer.swept |= {o.key_or_group: o.input_line or "" for o in folds}
        composer.base = base = composer.compose_base(own)
    sweep = read_sweep(base)
    given = [*_list_params(composer), *own]
    last = {o.key_or_group: o for o in given}
    swept = [o for o in last.values() if o.is_sweep_override()]
    _raise(_refuse_swept_blocks(swept))
    _raise(refuse_swept_folds(swept, name_keys(sweep)))
    _raise(check_rows(sweep, given))
    check_job_count(given, sweep.max_jobs, count_rows(sweep))
    _raise(_refuse_other_sweeper(sweep, base))
    planned = _list_jobs(given, list_rows(sweep), composer)
    fixed = tuple(
        o.input_line or "" for o in own if not (o.is_sweep_override() or is_block(o))
    )
    jobs = (fixed,) if planned is None else planned
    swept_keys = (*name_keys(sweep), *(o.key_or_group for o in swept))
    config, folders, data_jobs, runs = _check_jobs(jobs, swept_keys, composer)
    launch = describe_launch(base)
    run = validate(config)
    folders = folders if planned else []
    _refuse_twins(jobs, folders)
    readable = run.name or name_swept(swept_keys) or "sweep"
    decided_later = [identify(run), *(first_word(o.input_line or "") for o in swept)]
    name = name_sweep_folder(readable, folders or decided_later)
    return Plan(
        run=run,
        config=config,
        folder=composer.folder(output_dir=run.output_dir, name=name, multirun=True),
        overrides=tuple(o.input_line or "" for o in own),
        job=jobs[0],
        jobs=planned or (),
        job_folders=tuple(folders),
        swept_keys=swept_keys,
        data_jobs=data_jobs if launch.is_here else (),
        runs=tuple(runs) if planned else (),
        launch=launch,
    )


def _check_search(
    own: Sequence["Override"], search: SearchPlan, composer: Composer
) -> Plan:
    """Checks a search: what the space would make of the config as it is."""
    samples = sample_jobs(search)
    jobs = [search.fixed, *samples]
    keys = search.space.keys
    found: list[list[Problem]] = []
    runs: list[RunConfig] = []
    firsts: list[DictConfig] = []
    for checked in _check_each(jobs, composer):
        firsts += [checked.config] if len(firsts) < 2 else []
        found.append([_hint_at_condition(p, search) for p in checked.problems])
        runs += [] if checked.run is None else [checked.run]
        causes = {_name_cause(p) for problems in found[1:] for p in problems}
        if len(causes) >= MOST_PROBLEMS:
            break
    base, *of_trials = found
    # The config as it is may be wrong where each trial sets what is wrong in it.
    common = [p for p in base if all(p in problems for problems in of_trials)]
    _raise_problems(jobs, [common, *of_trials], keys, in_space=True)
    shown = 1 if base else 0
    config = firsts[shown]
    run = validate(config)
    check_search(search, runs if base else runs[1:])
    readable = run.name or name_swept(keys)
    name = name_search_folder(
        readable, run, search.config, search.space, folds=search.folds
    )
    launch = describe_launch(composer.first)
    return Plan(
        run=run,
        config=config,
        folder=composer.folder(output_dir=run.output_dir, name=name, multirun=True),
        overrides=tuple(o.input_line or "" for o in own),
        job=jobs[shown],
        jobs=(),
        job_folders=(),
        swept_keys=(*keys, *_list_repeated(search)),
        search=search,
        data_jobs=JobsByData(runs).groups() if launch.is_here else (),
        runs=tuple(runs[-len(samples) :]) if run.plan else (),
        launch=launch,
    )


def _list_repeated(search: SearchPlan) -> Iterator[str]:
    """Yields the keys by which the jobs of one trial are told apart."""
    if search.config.repeats > 1:
        yield "seed"
    if search.folds is not None:
        yield FOLD


def _hint_at_condition(problem: Problem, search: SearchPlan) -> Problem:
    """Tells how to set a key that not every choice of its group has."""
    searched = search.space.keys
    # What lacks a whole component is told by the component.
    inside = (key for key in searched if key.startswith(f"{problem.key}."))
    if isinstance(problem, UnknownKey):
        problem = replace(problem, key=next(inside, problem.key))
    key, group = problem.key, problem.key.partition(".")[0]
    is_typed = key in searched or select_overrides(search.fixed, [key])
    is_slip = problem.hint.startswith("Did you mean")
    if not is_typed or is_slip or not isinstance(problem, UnknownKey):
        return problem
    if group not in searched and key in search.config.params:
        hint = f"To search without it, type 'hydra.sweeper.params={{{key}: null}}'"
        return replace(problem, hint=hint)
    if group not in searched:
        return problem
    hint = "To set it where it is one: "
    hint += f"\"hydra.sweeper.when={{{key}: '{group}=...'}}\""
    return replace(problem, hint=hint)


def _check_each(
    jobs: Sequence[Sequence[str]], composer: Composer
) -> Iterator[CheckedJob]:
    """Composes and checks jobs one after the other; tells how far it is."""
    with show_progress(len(jobs)) as advance:
        for job in jobs:
            yield check_job(job, composer)
            advance()


def _check_jobs(
    jobs: Sequence[Sequence[str]], swept_keys: Collection[str], composer: Composer
) -> tuple[DictConfig, list[str], tuple[DataJobs, ...], list[RunConfig]]:
    """Returns the first job's config, the jobs' folders and the data that they need.

    Nothing else of a job is kept, however many there are, unless they are planned: then
    the last is the config of each.
    """
    by_data = JobsByData()
    runs: list[RunConfig] = []
    problems: list[list[Problem]] = []
    distinct: set[str] = set()
    folders: list[str] = []
    first: DictConfig | None = None
    for job, checked in zip(jobs, _check_each(jobs, composer), strict=False):
        first = checked.config if first is None else first
        problems.append(checked.problems)
        distinct |= {_name_cause(problem) for problem in checked.problems}
        if checked.run is not None and not distinct:
            differing = select_overrides(job, swept_keys)
            typed = describe_overlay(job, checked.run)
            folders.append(name_job_folder(differing, checked.run, typed))
            by_data.add(checked.run)
            runs += [checked.run] if checked.run.plan else []
        if len(distinct) >= MOST_PROBLEMS:
            break
    _raise_problems(jobs, problems, swept_keys)
    if first is None:
        raise ValueError("A sweep has at least one job.")
    return first, folders, by_data.groups(), runs


def _refuse_twins(jobs: Sequence[Sequence[str]], folders: Sequence[str]) -> None:
    """Refuses a sweep that would run the same job twice."""
    counts = Counter(folders)
    twins = [
        Problem(" ".join(job), "is the same job as another one of this sweep.")
        for job, folder in zip(jobs, folders, strict=False)
        if counts[folder] > 1
    ]
    if twins:
        raise ConfigError(list({str(twin): twin for twin in twins}.values()))


def select_overrides(job: Sequence[str], keys: Collection[str]) -> list[str]:
    """Returns the overrides of a job that set one of `keys`."""
    return [o for o in job if o.lstrip("+~").partition("=")[0] in keys]


def _raise_problems(
    jobs: Sequence[Sequence[str]],
    problems: Sequence[Sequence[Problem]],
    swept_keys: Collection[str],
    *,
    in_space: bool = False,
) -> None:
    """Raises each distinct problem once, with the first job that has it.

    Args:
        jobs: All jobs.
        problems: Those of the jobs that were checked.
        swept_keys: What tells jobs apart.
        in_space: Whether they are jobs of a search.
    """
    found: dict[str, tuple[Problem, int, int]] = {}
    for number, own in enumerate(problems):
        for cause, problem in {_name_cause(p): p for p in reversed(own)}.items():
            first, job, count = found.get(cause, (problem, number, 0))
            found[cause] = first, job, count + 1
    if found:
        checked, count = len(problems), len(jobs)
        title = f"The sweep of {count:,} jobs" if count > 1 else "The configuration"
        title = "The search space" if in_space else title
        listed = [
            _locate(problem, jobs[job], swept_keys, in_space=in_space, of=of)
            if count > 1
            else problem
            for problem, job, number in found.values()
            for of in [(number, job, checked)]
        ]
        if left := count - checked:
            words = f"Not checked any more: {count_of(left, 'job')}."
            listed[-1] = replace(listed[-1], hint=f"{listed[-1].hint} {words}".strip())
        raise ConfigError(listed, title)


def _name_cause(problem: Problem) -> str:
    """Returns what a problem has in common with others of its cause."""
    return re.sub(r"Received: .*", "", f"{problem.key} {problem.message}")


def _locate(
    problem: Problem,
    job: Sequence[str],
    swept_keys: Collection[str],
    *,
    in_space: bool,
    of: tuple[int, int, int],
) -> Problem:
    """Returns a problem with the jobs that have it.

    Args:
        problem: Of the first of them.
        job: That one.
        swept_keys: What tells jobs apart.
        in_space: Whether they are jobs of a search, which are a few of many.
        of: How many jobs have it, the number of the first one, and how many there are.
    """
    count, number, checked = of
    differing = " ".join(select_overrides(job, swept_keys))
    if in_space:
        where = f"(such as {differing})" if differing else ""
    elif count == checked > 1:
        where = f"(in {count:,} of {checked:,} jobs)"
    elif count > 1:
        where = (
            f"(in {count:,} of {checked:,} jobs, first in job {number}: {differing})"
        )
    else:
        where = f"(job {number}: {differing})" if differing else ""
    return replace(problem, hint=" ".join(filter(None, (problem.hint, where))))


def _is_swept(override: "Override") -> bool:
    """Tells whether it names several values, not for Hydra itself."""
    return override.is_sweep_override() and not override.is_hydra_override()


def _several_of_hydra(override: "Override") -> Problem:
    key, _, value = (override.input_line or "").partition("=")
    return Problem(key, f"takes one value, in a sweep too. Received: {value}.")


def _several_values(override: "Override") -> Problem:
    key = override.key_or_group
    value = (override.input_line or "").partition("=")[2]
    message = f"takes one value in a single run. Received: {value}."
    if override.is_interval_sweep():
        hint = "Add -m hydra/sweeper=keras_tuner to search it."
        return Problem(key, message, hint)
    if not takes_text(key, RunConfig):
        return Problem(key, message, "To run each of them, add -m.")
    if is_text(key, RunConfig, in_list=True):
        hint = "To name several, put brackets around them"
        shown = (
            f": {shlex.quote(f'{key}=[{value}]')}"
            if len(value) <= MOST_REPEATED
            else "."
        )
        return Problem(key, message, hint + shown)
    hint = "Add -m to run each of them, or quote it to pass a text"
    shown = f": {quote_word(key, value)}" if len(value) <= MOST_REPEATED else "."
    return Problem(key, message, hint + shown)


def _sweep_folds(own: Sequence["Override"], composer: Composer) -> list["Override"]:
    """Returns what sweeps over all folds where only their number is known."""
    if not _is_hydras_sweeper(composer):
        return []
    several = [o for o in [*_list_params(composer), *own] if o.is_sweep_override()]
    keys = {o.key_or_group for o in several} | name_keys(
        read_sweep(composer.first)
    ).keys()
    return composer.loader.parse(list_folds(composer.first, keys))


def _list_params(composer: Composer) -> list["Override"]:
    """Returns what a file gives Hydra's own sweeper to sweep, as if it were typed."""
    if not _is_hydras_sweeper(composer):
        return []
    params = composer.first.hydra.sweeper.get("params") or {}
    return composer.loader.parse([f"{key}={value}" for key, value in params.items()])


def _is_hydras_sweeper(composer: Composer) -> bool:
    return str(composer.first.hydra.sweeper._target_) == GRID_SWEEPER


def _refuse_swept_blocks(swept: Sequence["Override"]) -> Iterator[Problem]:
    for override in filter(is_block, swept):
        yield Problem(override.key_or_group, "is not swept itself: it holds the rows.")


def _refuse_other_sweeper(sweep: SweepConfig, base: DictConfig) -> Iterator[Problem]:
    if str(base.hydra.sweeper._target_) != GRID_SWEEPER:
        for block in count_rows(sweep):
            yield Problem(block, "is used by hydra/sweeper=basic only.")


def _list_jobs(
    given: Sequence["Override"], rows: Sequence[Row], composer: Composer
) -> tuple[tuple[str, ...], ...] | None:
    """Returns the jobs of a plain sweep; `None` for those of any other sweeper."""
    if not _is_hydras_sweeper(composer):
        return None
    most = composer.first.hydra.sweeper.max_batch_size
    if most is not None and most < 1:
        reason = f"must be null or at least 1. Received: {most}."
        raise ConfigError([Problem("hydra.sweeper.max_batch_size", reason)])
    name = composer.config_name
    for row in rows:
        read_words(row, composer.loader, config_name=name, multirun=False)
    return tuple(tuple(job) for job in list_jobs(given, rows))
