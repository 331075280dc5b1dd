"""Who may allow what: the command line and the project's own folder of configs.

A folder that the command line adds (`--config-dir`, `--config-path`,
`hydra.searchpath`) brings experiments. It does not decide what code may run, nor what
environment and commands a launcher starts with: that is typed, or stands in `conf/`.
"""

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from omegaconf import DictConfig, Node, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from experiments.command.config_folders.local_configs import LocalConfigs
from experiments.config.code.authority import check_name, covers
from experiments.errors import Problem

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

KEY = "allowed_targets"
_FILE = "file://"
MACHINE = "local"  # the group of what belongs to a machine
# Of a launcher: what it hands to a shell or starts its jobs with, and where it keeps
# the code of jobs on its way.
_COMMANDS = (
    "additional_parameters",
    "python",
    "ray",
    "setup",
    "srun_args",
    "submitit_folder",
    "temp_folder",
)
# Where files are written and records are sent.
_LEADING_OUT = (
    "output_dir",
    "tracking.uri",
    "task.uri",
    "dataset.scan_cache",
    "hydra.callbacks",
    "hydra.hydra_logging",
    "hydra.job_logging",
    "hydra.output_subdir",
    "hydra.run",
    "hydra.sweep",
)
# What of a file becomes overrides of each job.
_SWEPT = ("sweep.zip", "sweep.list", "hydra.sweeper.params")


@dataclass(frozen=True)
class ConfigFile:
    """A file that a config was composed of.

    Attributes:
        folder: Address of the folder that was searched, such as `file:///home/me/conf`.
        name: Path inside of it, without the suffix.
        config: What it sets, from the root.
    """

    folder: str
    name: str
    config: DictConfig

    def __str__(self) -> str:
        folder, name = self.folder.removeprefix(_FILE), self.name.removesuffix(".yaml")
        return f"{folder}/{name}.yaml"


@dataclass(frozen=True)
class Permission:
    """What the command line and the project's own folder allow.

    Attributes:
        own: Address of the project's folder of configs.
        primary: Name of the primary config in it.
        keys: Keys and groups that were typed, with dots.
        names: Packages that were typed, in any job of a sweep.
        local: The configs beside which the command was typed; trusted ones are as the
            project's own.
    """

    own: str
    primary: str
    keys: frozenset[str] = frozenset()
    names: tuple[str, ...] = ()
    local: LocalConfigs | None = None

    def with_typed(self, overrides: Sequence["Override"]) -> "Permission":
        """Returns it with the overrides of the command line."""
        keys = frozenset(o.key_or_group.replace("/", ".") for o in overrides)
        return replace(self, keys=keys, names=tuple(_list_names(overrides)))

    def is_own(self, folder: str) -> bool:
        """Tells whether configs of a folder are the project's own, or Hydra's."""
        if not folder.startswith(_FILE):
            return folder in ("pkg://hydra.conf", "structured://")
        own = [self._own_folder]
        if self.local is not None and self.local.trusted:
            own.append(self.local.folder.resolve())
        return Path(folder.removeprefix(_FILE)).resolve() in own

    def is_unasked(self, folder: str) -> bool:
        """Tells whether configs of a folder were found there, and nobody trusts it."""
        local = self.local
        return local is not None and not local.trusted and folder == local.address

    def is_unasked_for(self, file: ConfigFile) -> bool:
        """Tells whether a file takes part though nobody has named it or its folder.

        `local/default` is looked for in each folder of configs.
        """
        is_local = file.name.partition("/")[0] == MACHINE and MACHINE not in self.keys
        return is_local or self.is_unasked(file.folder)

    def is_copy(self, file: ConfigFile) -> bool:
        """Tells whether a file says what the project's own of its name says."""
        own = self._own_folder / Path(str(file)).relative_to(
            file.folder.removeprefix(_FILE)
        )
        return own.is_file() and own.read_bytes() == Path(str(file)).read_bytes()

    def may_search(self, place: str) -> bool:
        """Tells whether a place of `hydra.searchpath` may be looked into."""
        scheme, _, package = place.rpartition("://")
        return scheme != "pkg" or covers(self.granted, package)

    @cached_property
    def granted(self) -> list[str]:
        """Packages that were typed or stand in the project's primary config."""
        file = self._own_folder / f"{self.primary}.yaml"
        return [*self.names, *_read_list(file), *self.packages]

    @property
    def packages(self) -> tuple[str, ...]:
        """Those beside trusted configs, which need not be typed."""
        return () if self.local is None else self.local.packages

    @property
    def _own_folder(self) -> Path:
        return Path(self.own.removeprefix(_FILE)).resolve()


def find_widening(
    config: DictConfig,
    permission: Permission,
    list_files: Callable[[], Sequence[ConfigFile]],
) -> Iterator[Problem]:
    """Yields what a config takes upon itself though nobody allowed it who may.

    Args:
        config: As composed, with Hydra's own node.
        permission: What was typed, and whose folder is the project's own.
        list_files: Returns what the config was composed of, in that order.
    """
    allowed = read_raw(config, KEY)
    if "${" in str(allowed):
        reason = "must be written out, for it says whose code may run."
        yield Problem(KEY, f"{reason} Received: {allowed}.")
        return
    names = [str(name) for name in allowed] if isinstance(allowed, list) else []
    sources = (f"{s.schema}://{s.path}" for s in config.hydra.runtime.config_sources)
    is_known = all(covers(permission.granted, name) for name in names)
    if is_known and all(map(permission.is_own, sources)):
        return
    files = list_files()
    foreign = [file for file in files if not permission.is_own(file.folder)]
    own = [name for file in files if file not in foreign for name in _names_in(file)]
    granted = [*permission.granted, *own]
    new = [name for name in names if not covers(granted, name)]
    if new:
        yield _describe_widening(names, new, foreign)
    if foreign:
        yield from _find_reaching(config, names, permission)
    yield from _find_surroundings(foreign, permission)
    unasked = [file for file in foreign if permission.is_unasked_for(file)]
    unasked = [file for file in unasked if not permission.is_copy(file)]
    yield from _find_leading_out(unasked, permission)


def _describe_widening(
    names: Sequence[str], new: Sequence[str], foreign: Sequence[ConfigFile]
) -> Problem:
    sources = [str(file) for file in foreign if set(new) & set(_names_in(file))]
    source = sources[-1] if sources else "what sets it"
    reason = "may be widened by what is typed and by the project's own configs alone."
    hint = f"If you trust that code, type: {KEY}='[{','.join(names)}]'"
    of_python = {name.partition(".")[0] for name in new} <= sys.stdlib_module_names
    received = f"Received from {source}: {', '.join(new)}."
    return Problem(KEY, f"{reason} {received}", "" if of_python else hint)


def _find_reaching(
    config: DictConfig, names: Sequence[str], permission: Permission
) -> Iterator[Problem]:
    """Yields callbacks that write where they are told, which nobody typed."""
    try:
        callbacks: Any = OmegaConf.to_container(config.callbacks, resolve=True)
    except OmegaConfBaseException:
        return  # told by its own check
    for name, node in callbacks.items() if isinstance(callbacks, dict) else ():
        key = f"callbacks.{name}"
        target = node.get("_target_") if isinstance(node, dict) else None
        typed = {key, f"{key}._target_"} & permission.keys
        if typed or not isinstance(target, str) or check_name(target, names, key=key):
            continue
        problem = check_name(target, names, key=key, recorded=True)
        if problem is not None:
            yield problem


def _find_surroundings(
    foreign: Sequence[ConfigFile], permission: Permission
) -> Iterator[Problem]:
    """Yields what a folder of somebody sets around a job: environment and commands."""
    for file in foreign:
        variables = OmegaConf.select(file.config, "hydra.job.env_set", default=None)
        for name in variables or ():
            key = f"hydra.job.env_set.{name}"
            if key not in permission.keys:
                reason = f"is set by {file}, which may not change the environment."
                yield Problem(key, reason, f"To set it yourself: +{key}=...")
        named = _list_commands(file)
        if named and "hydra.launcher" not in permission.keys:
            key = f"hydra.launcher.{named[0]}"
            reason = f"is set by {file}, which may not bring commands unasked."
            chosen = Path(file.name).stem
            yield Problem(key, reason, f"To ask for it: hydra/launcher={chosen}")


def _find_leading_out(
    unasked: Sequence[ConfigFile], permission: Permission
) -> Iterator[Problem]:
    """Yields where a folder that nobody named lets records be written or sent."""
    for file in unasked:
        plain: Any = OmegaConf.to_container(file.config, resolve=False)
        swept = _list_swept(plain)
        for key in _LEADING_OUT:
            if key in permission.keys:
                continue
            if _sets(plain, key) or any(_reaches(name, key) for name in swept):
                reason = f"is set by {file}, which may not say where files and"
                reason = f"{reason} records go: nobody has trusted that folder."
                yield Problem(key, reason, f"To say so yourself: {key}=...")


def _sets(plain: Any, key: str) -> bool:
    """Tells whether a file sets a key, or all around it by what stands elsewhere."""
    for name in key.split("."):
        if isinstance(plain, str):
            return True
        if not isinstance(plain, dict) or name not in plain:
            return False
        plain = plain[name]
    return plain is not None


def _list_swept(plain: Any) -> set[str]:
    """Returns the keys that a file has the jobs of a sweep set, as if they were typed.

    What hides them behind `${...}` may be any: the empty one.
    """
    rows: list[Any] = []
    for place in _SWEPT:
        node = plain
        for name in place.split("."):
            node = node.get(name) if isinstance(node, dict) else node
        rows += node if isinstance(node, list) else [node]
    named = (row if isinstance(row, dict) else [row or None] for row in rows)
    found = {str(key) for row in named for key in row if key is not None}
    return {"" if "${" in key else key.lstrip("+~") for key in found}


def _reaches(name: str, key: str) -> bool:
    """Tells whether whoever sets `name` sets `key`, or a part of it."""
    return (
        not name
        or name == key
        or key.startswith(f"{name}.")
        or name.startswith(f"{key}.")
    )


def _list_commands(file: ConfigFile) -> list[str]:
    plain: Any = OmegaConf.to_container(file.config, resolve=False)
    hydra = plain.get("hydra") if isinstance(plain, dict) else None
    launcher = hydra.get("launcher") if isinstance(hydra, dict) else None
    return [
        str(name)
        for name, value in (launcher.items() if isinstance(launcher, dict) else ())
        # A second line would be one of the script that starts the job.
        if name in _COMMANDS or "\n" in str(value)
    ]


def _list_names(overrides: Sequence["Override"]) -> Iterator[str]:
    """Yields the packages that overrides name."""
    for override in overrides:
        if re.split(r"[.\[]", override.key_or_group)[0] != KEY:
            continue
        value: Any = override.value()
        choices = value.list if override.is_choice_sweep() else [value]
        for choice in map(override._convert_value, choices):
            names = choice if isinstance(choice, list) else [choice]
            yield from (str(name) for name in names)


def read_raw(config: DictConfig, key: str) -> Any:
    """Returns the value of a key as plain data, as it is written."""
    node: Any = config._get_node(key, validate_access=False)
    if OmegaConf.is_config(node) and not node._is_missing():
        return OmegaConf.to_container(node, resolve=False)
    return node._value() if isinstance(node, Node) else None


def _names_in(file: ConfigFile) -> list[str]:
    found = read_raw(file.config, KEY) if OmegaConf.is_dict(file.config) else None
    return [str(name) for name in found] if isinstance(found, list) else []


def _read_list(path: Path) -> list[str]:
    try:
        found = yaml.safe_load(path.read_text("utf-8")).get(KEY)
    except (OSError, ValueError, AttributeError, yaml.YAMLError):
        return []  # whatever is wrong with it is told when it is composed
    return [str(name) for name in found] if isinstance(found, list) else []
