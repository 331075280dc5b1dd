"""Checks a whole command line, every job of a sweep included, before anything starts.

Hydra stops at the first thing that is wrong. Here the values are laid over the composed
config one by one, so that all problems of all jobs come in one message.
"""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from experiments.config.composer import (
    Composer,
    check_job,
    list_groups,
    open_hydra,
    parse,
)
from experiments.config.convert import nearest
from experiments.config.extras import how_to_get_launcher
from experiments.config.identity import (
    describe_choices,
    identify,
    name_folder,
    name_job_folder,
    name_search_folder,
    name_sweep_folder,
)
from experiments.config.schema import RunConfig
from experiments.config.search import is_search
from experiments.config.search_plan import (
    SearchPlan,
    check_search,
    plan_search,
    sample_jobs,
)
from experiments.config.validation import validate
from experiments.errors import ConfigError, Problem

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

_NOT_FOUND = re.compile(
    r"(?:In '(?P<file>[^']+)': )?Could not find '(?P<group>[^']+)/(?P<name>[^'/]+)' "
    r"Available options in '(?P=group)': (?P<options>.*?) Config search path"
)


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
    from hydra.errors import HydraException

    if extra_config_dir is not None and not extra_config_dir.is_dir():
        message = f"must be a folder. Received: {extra_config_dir}."
        raise ConfigError([Problem("--config-dir", message)])
    with open_hydra(config_dir, extra_config_dir):
        try:
            plan = _check(overrides, Composer(config_name), multirun)
        except (HydraException, OmegaConfBaseException) as error:
            problem = _explain(" ".join(str(error).split()))
            raise ConfigError([problem]) from error
    flags: list[str] = []
    if extra_config_dir is not None:
        flags += ["--config-dir", str(extra_config_dir)]
    if config_name != "config":
        flags += ["--config-name", config_name]
    return replace(plan, flags=tuple(flags))


def _explain(text: str) -> Problem:
    """Returns an error of Hydra in our words where its own don't say what to do."""
    absent = _NOT_FOUND.search(text)
    if absent is None:
        interval = "INTERVAL_SWEEP" in text
        hint = "To search an interval: hydra/sweeper=keras_tuner" if interval else ""
        return Problem("command line:", text, hint)
    group, name, options = absent["group"], absent["name"], absent["options"].split()
    hint = nearest(name, options)
    if group == "hydra/launcher":
        hint = how_to_get_launcher(name) or hint
    where = absent["file"]
    place = "" if where in (None, "config", "hydra/config") else f" in {where}.yaml"
    reason = f"must be one of {', '.join(options)}. Received{place}: {name!r}."
    return Problem(group, reason, hint)


def _check(overrides: Sequence[str], composer: Composer, multirun: bool) -> Plan:
    parsed = parse(overrides)
    swept = [o for o in parsed if o.is_sweep_override()]
    if swept and not multirun:
        raise ConfigError([_several_values(o) for o in swept])
    own = [o for o in parsed if not o.is_hydra_override()]
    typed = tuple(o.input_line or "" for o in own)
    composer.hydra_overrides = [
        o.input_line or "" for o in parsed if o.is_hydra_override()
    ]
    fixed = tuple(o.input_line or "" for o in own if not o.is_sweep_override())
    whole = composer.compose(list_groups(fixed))[0]
    if multirun and is_search(whole.hydra.sweeper):
        return _check_search(own, fixed, composer)
    planned = _list_jobs(own, whole) if multirun else (fixed,)
    if planned == ():
        words = " ".join(o.input_line or "" for o in swept)
        hint = "Name values that exist; --help lists them."
        raise ConfigError([Problem(words, "matches nothing: there is no job.", hint)])
    jobs = (fixed,) if planned is None else planned
    checked = [check_job(job, composer) for job in jobs]
    swept_keys = tuple(o.key_or_group for o in swept)
    _raise_problems(jobs, [problems for _, problems in checked], swept_keys)
    config, groups = checked[0][0], list_groups(jobs[0])
    run = validate(config)
    folders: list[str] = []
    if multirun:
        configs = [job_config for job_config, _ in checked] if planned else []
        folders = _name_job_folders(jobs, configs, swept_keys)
        _refuse_twins(jobs, folders)
        readable = run.name or "-".join(swept_keys) or "sweep"
        decided_later = [identify(run), *(o.input_line or "" for o in swept)]
        folder_name = name_sweep_folder(readable, folders or decided_later)
    else:
        name = run.name or describe_choices(composer.choices(groups))
        if run.from_search is not None:
            name = f"best of {run.from_search[:8]}"
        folder_name = name_folder(name, run)
    return Plan(
        run=run,
        config=config,
        folder=composer.folder(
            groups, output_dir=run.output_dir, name=folder_name, multirun=multirun
        ),
        overrides=typed,
        jobs=planned or (),
        job_folders=tuple(folders),
        swept_keys=swept_keys,
    )


def _check_search(
    own: Sequence["Override"], fixed: tuple[str, ...], composer: Composer
) -> Plan:
    """Checks a search: what the space would make of the config as it is."""
    search = plan_search(own, fixed, composer)
    jobs = [search.fixed, *sample_jobs(search)]
    checked = [check_job(job, composer) for job in jobs]
    keys = search.space.keys
    base, *found = [
        [_hint_at_condition(problem, search) for problem in problems]
        for _, problems in checked
    ]
    # The config as it is may be wrong where each trial sets what is wrong in it.
    common = [p for p in base if all(p in problems for problems in found)]
    _raise_problems(jobs, [common, *found], keys, in_space=True)
    right = jobs[1:] if base else jobs
    config, groups = checked[len(jobs) - len(right)][0], list_groups(right[0])
    run = validate(config)
    check_search(search, [validate(job_config) for job_config, _ in checked[1:]])
    readable = run.name or "-".join(keys)
    name = name_search_folder(readable, run, search.config, search.space)
    return Plan(
        run=run,
        config=config,
        folder=composer.folder(
            groups, output_dir=run.output_dir, name=name, multirun=True
        ),
        overrides=tuple(o.input_line or "" for o in own),
        jobs=(),
        job_folders=(),
        # Trials with other seeds are told apart by them.
        swept_keys=(*keys, *(("seed",) if search.config.repeats > 1 else ())),
        search=search,
    )


def _hint_at_condition(problem: Problem, search: SearchPlan) -> Problem:
    """Tells how to set a key that not every choice of its group has."""
    key, group = problem.key, problem.key.partition(".")[0]
    searched = search.space.keys
    is_typed = key in searched or select_overrides(search.fixed, [key])
    if not is_typed or group not in searched or "not a key" not in problem.message:
        return problem
    hint = "To set it where it is one: "
    hint += f"\"hydra.sweeper.when={{{key}: '{group}=...'}}\""
    return replace(problem, hint=hint)


def _name_job_folders(
    jobs: Sequence[Sequence[str]],
    configs: Sequence[DictConfig],
    swept_keys: Collection[str],
) -> list[str]:
    return [
        name_job_folder(select_overrides(job, swept_keys), validate(config))
        for job, config in zip(jobs, configs, strict=bool(configs))
    ]


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
    return [o for o in job if o.lstrip("+").partition("=")[0] in keys]


def _raise_problems(
    jobs: Sequence[Sequence[str]],
    problems: Sequence[Sequence[Problem]],
    swept_keys: Sequence[str],
    *,
    in_space: bool = False,
) -> None:
    """Raises each distinct problem once, with the first job that has it."""
    found: dict[str, Problem] = {}
    for number, (job, own) in enumerate(zip(jobs, problems, strict=True)):
        differing = " ".join(select_overrides(job, swept_keys))
        name = "such as" if in_space else f"job {number}:"
        where = f"({name} {differing})" if len(jobs) > 1 and differing else ""
        for problem in own:
            hint = " ".join(part for part in (problem.hint, where) if part)
            found.setdefault(str(problem), replace(problem, hint=hint))
    if found:
        count = len(jobs)
        title = f"The sweep of {count} jobs" if count > 1 else "The configuration"
        title = "The search space" if in_space else title
        raise ConfigError(list(found.values()), title)


def _several_values(override: "Override") -> Problem:
    key = override.key_or_group
    value = (override.input_line or "").partition("=")[2]
    message = f"takes one value in a single run. Received: {value}."
    if override.is_interval_sweep():
        hint = "Add -m hydra/sweeper=keras_tuner to search it."
        return Problem(key, message, hint)
    hint = (
        f"Add -m to run each of them, or quote it to pass a text: {key}='\"{value}\"'."
    )
    return Problem(key, message, hint)


def _list_jobs(
    overrides: list["Override"], config: DictConfig
) -> tuple[tuple[str, ...], ...] | None:
    """Returns the jobs of Hydra's own sweeper; `None` for any other sweeper."""
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper

    sweeper = config.hydra.sweeper
    if not str(sweeper._target_).endswith("basic_sweeper.BasicSweeper"):
        return None
    params = sweeper.get("params") or {}
    overrides = [
        *parse([f"{key}={value}" for key, value in params.items()]),
        *overrides,
    ]
    (batch,) = BasicSweeper.split_arguments(overrides, max_batch_size=None)
    return tuple(tuple(job) for job in batch)
