"""Checks a whole command line, every job of a sweep included, before anything starts.

Hydra stops at the first thing that is wrong. Here the values are laid over the composed
config one by one, so that all problems of all jobs come in one message.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from experiments.config.convert import nearest, unknown_key
from experiments.config.identity import (
    describe_choices,
    name_folder,
    name_job_folder,
    name_sweep_folder,
)
from experiments.config.schema import RunConfig
from experiments.config.validation import find_problems, validate
from experiments.errors import ConfigError, Problem

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
    """

    run: RunConfig
    config: DictConfig
    folder: Path
    overrides: tuple[str, ...]
    jobs: tuple[tuple[str, ...], ...]
    job_folders: tuple[str, ...]
    swept_keys: tuple[str, ...]


@dataclass
class _Composer:
    """Composes each choice of groups once; composing takes longer than checking."""

    config_name: str
    hydra_overrides: list[str] = field(default_factory=list)
    _composed: dict[tuple[str, ...], tuple[DictConfig, DictConfig]] = field(
        default_factory=dict
    )

    def compose(self, groups: Sequence[str]) -> tuple[DictConfig, DictConfig]:
        """Returns the whole config, and a part of it without Hydra's own node."""
        from hydra import compose

        key = tuple(groups)
        if key not in self._composed:
            whole = compose(
                self.config_name,
                [*self.hydra_overrides, *groups],
                return_hydra_config=True,
            )
            names: list[Any] = [name for name in whole if name != "hydra"]
            self._composed[key] = (whole, OmegaConf.masked_copy(whole, names))
        return self._composed[key]

    def choices(self, groups: Sequence[str]) -> dict[str, str]:
        """Returns which file each group was taken from."""
        whole, _ = self.compose(groups)
        return {str(k): str(v) for k, v in whole.hydra.runtime.choices.items() if v}

    def folder(
        self, groups: Sequence[str], *, output_dir: str, name: str, multirun: bool
    ) -> Path:
        """Returns the folder that Hydra will use, below `output_dir`."""
        whole, _ = self.compose(groups)
        OmegaConf.update(whole, "output_dir", output_dir)
        OmegaConf.update(whole, "hydra.job.name", name)
        hydra = whole.hydra
        folder = hydra.sweep.dir if multirun else hydra.run.dir
        return Path(str(folder)).absolute()


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
    with _open_hydra(config_dir, extra_config_dir):
        try:
            return _check(overrides, _Composer(config_name), multirun)
        except (HydraException, OmegaConfBaseException) as error:
            problem = Problem("command line:", " ".join(str(error).split()))
            raise ConfigError([problem]) from error


@contextmanager
def _open_hydra(config_dir: Path, extra_config_dir: Path | None) -> Iterator[None]:
    """Makes the config folders known to Hydra, as its `main` will do again."""
    from hydra import version
    from hydra._internal.hydra import Hydra
    from hydra._internal.utils import create_config_search_path
    from hydra.core.global_hydra import GlobalHydra

    version.setbase("1.3")
    folders = create_config_search_path(str(config_dir))
    if extra_config_dir is not None:
        folders.prepend("command-line", f"file://{extra_config_dir.resolve()}")
    Hydra.create_main_hydra2(task_name="run", config_search_path=folders)
    try:
        yield
    finally:
        GlobalHydra.instance().clear()


def _check(overrides: Sequence[str], composer: _Composer, multirun: bool) -> Plan:
    parsed = _parse(overrides)
    swept = [o for o in parsed if o.is_sweep_override()]
    if swept and not multirun:
        raise ConfigError([_several_values(o) for o in swept])
    own = [o for o in parsed if not o.is_hydra_override()]
    typed = tuple(o.input_line or "" for o in own)
    composer.hydra_overrides = [
        o.input_line or "" for o in parsed if o.is_hydra_override()
    ]
    fixed = tuple(o.input_line or "" for o in own if not o.is_sweep_override())
    planned = _list_jobs(own, composer.compose([])[0]) if multirun else (fixed,)
    if planned == ():
        words = " ".join(o.input_line or "" for o in swept)
        hint = "Name values that exist; --help lists them."
        raise ConfigError([Problem(words, "matches nothing: there is no job.", hint)])
    jobs = (fixed,) if planned is None else planned
    checked = [_check_job(job, composer) for job in jobs]
    swept_keys = tuple(o.key_or_group for o in swept)
    _raise_problems(jobs, [problems for _, problems in checked], swept_keys)
    config, groups = checked[0][0], _list_groups(jobs[0])
    run = validate(config)
    folders: list[str] = []
    if multirun:
        configs = [job_config for job_config, _ in checked] if planned else []
        folders = _name_job_folders(jobs, configs, swept_keys)
        _refuse_twins(jobs, folders)
        readable = run.name or "-".join(swept_keys) or "sweep"
        folder_name = name_sweep_folder(readable, folders or typed)
    else:
        name = run.name or describe_choices(composer.choices(groups))
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
) -> None:
    """Raises each distinct problem once, with the first job that has it."""
    found: dict[str, Problem] = {}
    for number, (job, own) in enumerate(zip(jobs, problems, strict=True)):
        differing = " ".join(select_overrides(job, swept_keys))
        where = f"(job {number}: {differing})" if len(jobs) > 1 else ""
        for problem in own:
            hint = " ".join(part for part in (problem.hint, where) if part)
            found.setdefault(str(problem), replace(problem, hint=hint))
    if found:
        count = len(jobs)
        title = f"The sweep of {count} jobs" if count > 1 else "The configuration"
        raise ConfigError(list(found.values()), title)


def _parse(overrides: Sequence[str]) -> list["Override"]:
    from hydra.core.global_hydra import GlobalHydra
    from hydra.core.override_parser.overrides_parser import OverridesParser

    loader = GlobalHydra.instance().config_loader()
    return OverridesParser.create(config_loader=loader).parse_overrides(list(overrides))


def _several_values(override: "Override") -> Problem:
    key = override.key_or_group
    value = (override.input_line or "").partition("=")[2]
    return Problem(
        key,
        f"takes one value in a single run. Received: {value}.",
        f"Add -m to run each of them, or quote it to pass a text: {key}='\"{value}\"'.",
    )


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
        *_parse([f"{key}={value}" for key, value in params.items()]),
        *overrides,
    ]
    (batch,) = BasicSweeper.split_arguments(overrides, max_batch_size=None)
    return tuple(tuple(job) for job in batch)


def _check_job(
    job: Sequence[str], composer: _Composer
) -> tuple[DictConfig, list[Problem]]:
    """Returns the config of one job and what is wrong in it."""
    overrides = _parse(job)
    problems = [problem for o in overrides if (problem := _check_choice(o))]
    _, declared = composer.compose(_list_groups(job))
    config = declared.copy()
    OmegaConf.set_struct(config, False)
    for override in overrides:
        if not _is_group(override.key_or_group):
            problems += _check_declared(override, declared)
            _lay_over(config, override)
    reported = {problem.key for problem in problems}
    found = find_problems(config)
    return config, problems + [p for p in found if p.key not in reported]


def _list_groups(job: Sequence[str]) -> list[str]:
    """Returns the overrides of a job that choose an existing file of a group."""
    return [
        o.input_line or ""
        for o in _parse(job)
        if _is_group(o.key_or_group) and _check_choice(o) is None
    ]


def _repository() -> Any:
    """Returns Hydra's view of the config folders.

    Its public `get_group_options` builds that view anew at each call, which would take
    longer than everything else here.
    """
    from hydra.core.global_hydra import GlobalHydra

    return GlobalHydra.instance().config_loader().repository  # type: ignore[attr-defined]


def _is_group(key: str) -> bool:
    exists: bool = _repository().group_exists(key)
    return exists


def _check_choice(override: "Override") -> Problem | None:
    """Returns what is wrong with the choice of a group; `None` for anything else."""
    group, choice = override.key_or_group, override.value()
    if not _is_group(group) or override.is_delete():
        return None
    options = _repository().get_group_options(group)
    for name in choice if isinstance(choice, list) else [choice]:
        if name not in options:
            message = f"must be one of {', '.join(options)}. Received: {name!r}."
            return Problem(group, message, nearest(str(name), options))
    return None


def _check_declared(override: "Override", declared: DictConfig) -> Iterator[Problem]:
    """Yields a problem for a key that is in no file and has no `+`, or the reverse."""
    key = override.key_or_group
    if override.is_force_add():
        return
    if override.is_add():
        if OmegaConf.select(declared, key, throw_on_missing=False) is not None:
            yield Problem(key, "is set already.", f"Drop the +: {key}=...")
        return
    node: object = declared
    for number, name in enumerate(parts := key.split(".")):
        # `in` would deny a key that is there and still `???`.
        if not isinstance(node, DictConfig) or name not in node.keys():  # noqa: SIM118
            names = [str(k) for k in node] if isinstance(node, DictConfig) else []
            problem = unknown_key(".".join(parts[: number + 1]), set(names) - {"hydra"})
            if not names:
                problem = replace(problem, hint=f"To add it, type +{key}=...")
            yield problem
            return
        node = node._get_node(name) if OmegaConf.is_missing(node, name) else node[name]


def _lay_over(config: DictConfig, override: "Override") -> None:
    """Applies a value as Hydra would, but never refuses an unknown key."""
    key = override.key_or_group
    if not override.is_delete():
        OmegaConf.update(config, key, override.value(), merge=True, force_add=True)
        return
    parent, _, name = key.rpartition(".")
    node = OmegaConf.select(config, parent) if parent else config
    if isinstance(node, DictConfig):
        node.pop(name, None)
