"""Checks a whole command line, every job of a sweep included, before anything starts.

What is checked is what Hydra composes and will run, see `loader`.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from hydra._internal.utils import create_config_search_path
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from experiments.command.answers.diagnosis import (
    explain_refusal,
    is_own_fault,
)
from experiments.command.answers.provenance import trace_sweeper
from experiments.command.check_progress import show_progress
from experiments.command.composing.checked_job import CheckedJob, check_job
from experiments.command.composing.composer import Composer
from experiments.command.composing.loader import Loader, open_hydra
from experiments.command.composing.overlay import describe_overlay
from experiments.command.config_folders.machine_configs import check_choice
from experiments.command.data_jobs import DataJobs, JobsByData
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
from experiments.command.sweeping.folds import refuse_swept_folds
from experiments.command.sweeping.grid import (
    list_grid,
    list_params,
    refuse_other_sweeper,
    refuse_swept_blocks,
    sweep_folds,
)
from experiments.command.sweeping.job_count import check_job_count
from experiments.command.sweeping.job_problems import (
    MOST_PROBLEMS,
    name_cause,
    raise_problems,
)
from experiments.command.sweeping.job_words import refuse_twins, select_overrides
from experiments.command.sweeping.pairs import (
    check_rows,
    count_rows,
    is_block,
    list_rows,
    name_keys,
    read_sweep,
)
from experiments.command.sweeping.search_plan import (
    SearchPlan,
    check_search,
    hint_at_condition,
    list_repeated,
    plan_search,
    sample_jobs,
)
from experiments.command.typed.reader import read_words
from experiments.command.typed.several_values import (
    find_listed,
    find_repeated,
    is_swept,
    several_of_hydra,
    several_values,
)
from experiments.command.typed.task_keys import name_task_keys
from experiments.command.typed.typed_text import quote_texts
from experiments.command.typed.words import check_words
from experiments.config.checks.unused import find_clashes, find_unused
from experiments.config.formats.history import first_word
from experiments.config.identity import (
    describe_choices,
    identify,
    name_folder,
    name_job_folder,
    name_search_folder,
    name_sweep_folder,
    name_swept,
)
from experiments.config.schema.run import RunConfig
from experiments.config.schema.task import ReproduceTaskConfig
from experiments.config.search.schema import is_search
from experiments.config.validation import validate
from experiments.errors import ConfigError, ExperimentError, Problem

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
    composer = Composer(loader, config_name)
    try:
        return _check(overrides, composer, multirun)
    except ExperimentError:
        raise
    except Exception as error:  # Hydra's, of many kinds
        if is_own_fault(error):
            raise
        raise ConfigError(explain_refusal(error, composer)) from error
    finally:
        HydraConfig.instance().cfg = None


def _check(overrides: Sequence[str], composer: Composer, multirun: bool) -> Plan:
    _raise(check_words(overrides))
    named = composer.loader, composer.config_name
    parsed = read_words(
        name_task_keys(overrides, *named),
        composer.loader,
        config_name=composer.config_name,
        multirun=multirun,
    )
    _raise(check_typed(parsed))
    composer.loader.permission = composer.loader.permission.with_typed(parsed)
    settings = [o for o in parsed if o.is_hydra_override()]
    _raise(several_of_hydra(o) for o in settings if o.is_sweep_override())
    _raise(find_listed(parsed))
    composer.hydra_overrides = tuple(o.input_line or "" for o in settings)
    modes = [o.value() for o in settings if o.key_or_group == "hydra.mode"]
    multirun = multirun or modes[-1:] == ["MULTIRUN"]
    if not multirun:
        _raise(several_values(o) for o in parsed if is_swept(o))
    else:
        _raise(find_repeated(parsed))
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
        told = ConfigError(traced, error.title)
        told.config = error.config
        raise told from error


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
    if checked.problems:
        error = ConfigError(checked.problems)
        error.config = checked.config
        raise error
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
    if folds := sweep_folds(own, composer):
        own = [*own, *folds]
        composer.swept |= {o.key_or_group: o.input_line or "" for o in folds}
        composer.base = base = composer.compose_base(own)
    sweep = read_sweep(base)
    given = [*list_params(composer), *own]
    last = {o.key_or_group: o for o in given}
    swept = [o for o in last.values() if o.is_sweep_override()]
    _raise(refuse_swept_blocks(swept))
    _raise(refuse_swept_folds(swept, name_keys(sweep)))
    _raise(check_rows(sweep, given))
    check_job_count(given, sweep.max_jobs, count_rows(sweep))
    _raise(refuse_other_sweeper(sweep, base))
    planned = list_grid(given, list_rows(sweep), composer)
    fixed = tuple(
        o.input_line or "" for o in own if not (o.is_sweep_override() or is_block(o))
    )
    jobs = (fixed,) if planned is None else planned
    swept_keys = (*name_keys(sweep), *(o.key_or_group for o in swept))
    config, folders, data_jobs, runs = _check_jobs(jobs, swept_keys, composer)
    launch = describe_launch(base)
    run = validate(config)
    folders = folders if planned else []
    refuse_twins(jobs, folders)
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
        found.append([hint_at_condition(p, search) for p in checked.problems])
        runs += [] if checked.run is None else [checked.run]
        causes = {name_cause(p) for problems in found[1:] for p in problems}
        if len(causes) >= MOST_PROBLEMS:
            break
    base, *of_trials = found
    # The config as it is may be wrong where each trial sets what is wrong in it.
    common = [p for p in base if all(p in problems for problems in of_trials)]
    raise_problems(jobs, [common, *of_trials], keys, in_space=True)
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
        swept_keys=(*keys, *list_repeated(search)),
        search=search,
        data_jobs=JobsByData(runs).groups() if launch.is_here else (),
        runs=tuple(runs[-len(samples) :]) if run.plan else (),
        launch=launch,
    )


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
        distinct |= {name_cause(problem) for problem in checked.problems}
        if checked.run is not None and not distinct:
            differing = select_overrides(job, swept_keys)
            typed = describe_overlay(job, checked.run)
            folders.append(name_job_folder(differing, checked.run, typed))
            by_data.add(checked.run)
            runs += [checked.run] if checked.run.plan else []
        if len(distinct) >= MOST_PROBLEMS:
            break
    raise_problems(jobs, problems, swept_keys)
    if first is None:
        raise ValueError("A sweep has at least one job.")
    return first, folders, by_data.groups(), runs
