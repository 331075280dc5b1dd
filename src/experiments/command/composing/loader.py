"""Hydra's own config loader, which hands out what was checked.

A command line is checked with it, and Hydra runs from it: there is no second way to
compose. Each file is read once, for all jobs of a sweep, whoever edits the files
meanwhile; a launcher's workers get what was read along with the loader.
"""

import pickle
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import FunctionType
from typing import Any

from hydra import version
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.config_repository import (
    CachingConfigRepository,
    ConfigRepository,
    IConfigRepository,
)
from hydra._internal.defaults_list import DefaultsList, create_defaults_list
from hydra._internal.hydra import Hydra
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.object_type import ObjectType
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, OverrideType
from hydra.errors import ConfigCompositionException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from experiments.command.composing.aliases import check_aliases
from experiments.command.config_folders.local_configs import LocalConfigs
from experiments.command.config_folders.permission import (
    KEY,
    ConfigFile,
    Permission,
    find_widening,
    read_raw,
)
from experiments.command.hydra_node.surroundings import check_surroundings, load_objects
from experiments.command.sweeping.pairs import GRID_SWEEPER, HYDRAS_SWEEPER
from experiments.errors import ConfigError, Problem

_MOST_KNOWN = 1000  # of some 40 kB each


class ReadOnce(ConfigRepository):
    """The config folders; a file that was read stays as it was.

    What was read is kept pickled: a composition changes what it is given, and this is
    the quickest way to a copy.

    Attributes:
        lists: Which files a config is made of, by the choices that decide on it.
    """

    def __init__(self, config_search_path: ConfigSearchPath) -> None:
        super().__init__(config_search_path)
        self._read: dict[tuple[str, ...], bytes] = {}
        self.lists: dict[Any, DefaultsList] = {}

    def load_config(self, config_path: str) -> Any:
        """Returns a file with its defaults list; `None` when there is none.

        A choice has one name, by which runs are called and found: `resnet18` and not
        `resnet18.yaml` too, which Hydra would take.
        """
        if _names_file(config_path):
            return None
        key = (config_path, *(source.path for source in self.sources))
        if key not in self._read:
            self._check_file(config_path)
            self._read[key] = pickle.dumps(super().load_config(config_path))
        return pickle.loads(self._read[key])  # noqa: S301 - from the line above

    def config_exists(self, config_path: str) -> bool:
        """Tells whether `load_config` returns a file."""
        return not _names_file(config_path) and bool(super().config_exists(config_path))

    def _check_file(self, config_path: str) -> None:
        """Refuses what would fill the memory before it is read as a config."""
        source = self._find_object_source(config_path, ObjectType.CONFIG)
        if source is None or source.scheme() != "file":
            return
        path = Path(source.path, source._normalize_file_name(config_path))
        try:
            check_aliases(path.read_bytes())
        except OSError:
            return  # Hydra says so
        except ValueError as error:
            raise ConfigCompositionException(f"{path} {error}.") from error

    def __deepcopy__(self, memo: dict[int, Any]) -> "ReadOnce":
        """Copies the list of folders, which a composition may lengthen."""
        copied = type(self).__new__(type(self))
        copied.sources = list(self.sources)
        copied._read, copied.lists = self._read, self.lists
        return copied


def _names_file(config_path: str) -> bool:
    """Tells whether a choice of a group is written as the file that it is in."""
    group, _, name = config_path.rpartition("/")
    return bool(group) and name.endswith((".yaml", ".yml"))


def _list_files(
    *,
    repo: CachingConfigRepository,
    config_name: str | None,
    overrides_list: list[Override],
    prepend_hydra: bool,
    skip_missing: bool,
) -> DefaultsList:
    """Returns what `create_defaults_list` does; the same choices need it once.

    It takes two thirds of composing a job, and those of a sweep mostly differ in
    values.
    """
    values: list[Override] = []
    choices: list[Override] = []
    for override in overrides_list:
        if not override.is_sweep_override():
            is_value = isinstance(override.value(), dict)
            is_value = is_value or not repo.group_exists(override.key_or_group)
            (values if is_value else choices).append(override)
    folders = [source.path for source in repo.get_sources()]
    words = [override.input_line for override in choices]
    key = (config_name, prepend_hydra, *folders, *words)
    known: dict[Any, DefaultsList] = repo.delegate.lists  # type: ignore[attr-defined]
    found = known.get((False, *key))  # without a choice that is missing: for both
    if found is None:
        found = known.get((skip_missing, *key))
    if found is None:
        found = known[skip_missing, *key] = create_defaults_list(
            repo=repo,
            config_name=config_name,
            overrides_list=choices,
            prepend_hydra=prepend_hydra,
            skip_missing=skip_missing,
        )
    return replace(found, config_overrides=values)


class Loader(ConfigLoaderImpl):
    """Composes as Hydra does and knows again what it composed.

    Attributes:
        settings: Keys of Hydra's own node and their values in every config that is
            handed out from now on: where a job runs, not what it is.
        folders: The config folders of the last composition, those that
            `hydra.searchpath` names included.
        permission: What the command line and the project's own configs allow.
        left_out: Overrides that no config here has a place for: those of a job that is
            made of another one's record, and laid over that, see `overlay`.
    """

    def __init__(
        self, config_search_path: ConfigSearchPath, permission: Permission
    ) -> None:
        super().__init__(config_search_path)
        self.permission = permission
        self.repository = ReadOnce(config_search_path)
        self.folders: IConfigRepository = self.repository
        self.settings: dict[str, Any] = {}
        self.left_out: frozenset[str] = frozenset()
        self._merged: dict[Any, bytes] = {}
        self._known: dict[Any, bytes] = {}

    # Hydra's, by which every config is composed.
    _load_configuration_impl = FunctionType(
        ConfigLoaderImpl._load_configuration_impl.__code__,
        {
            **ConfigLoaderImpl._load_configuration_impl.__globals__,
            "create_defaults_list": _list_files,
        },
        argdefs=ConfigLoaderImpl._load_configuration_impl.__defaults__,
    )

    def __getstate__(self) -> dict[str, Any]:
        """Goes to workers without other jobs' configs."""
        return {**vars(self), "_known": {}}

    def parse(self, overrides: Sequence[str]) -> list[Override]:
        """Parses overrides by Hydra's grammar.

        Raises:
            HydraException: One of them does not follow it.
        """
        return OverridesParser.create(config_loader=self).parse_overrides(
            list(overrides)
        )

    def remember(
        self,
        config: DictConfig,
        config_name: str | None,
        overrides: Sequence[str],
        *,
        mode: RunMode | None = None,
    ) -> None:
        """Lets Hydra get this config when it asks for these overrides.

        With a mode that is so in this one alone: what a sweep varies may leave out what
        a job of the same overrides must not.

        Beyond a number of them it composes the same anew, from the files that were
        read: a large sweep must not fill the memory.
        """
        if len(self._known) < _MOST_KNOWN:
            name = self._name(config_name, overrides)
            self._known[(mode, name)] = pickle.dumps(config)

    def load_configuration(
        self,
        config_name: str | None,
        overrides: list[str],
        run_mode: RunMode,
        from_shell: bool = True,
        validate_sweep_overrides: bool = True,
    ) -> DictConfig:
        """Returns a config with Hydra's own node, see `ConfigLoader`."""
        name = self._name(config_name, overrides)
        known = self._known.get((run_mode, name)) or self._known.get((None, name))
        if known is not None:
            config: DictConfig = pickle.loads(known)  # noqa: S301 - from `remember`
        else:
            kept = [word for word in overrides if word not in self.left_out]
            config = super().load_configuration(
                config_name, kept, run_mode, from_shell, validate_sweep_overrides
            )
            if len(kept) < len(overrides):
                own = {*config.hydra.overrides.task, *self.left_out}
                task = [word for word in overrides if word in own]
                OmegaConf.update(config, "hydra.overrides.task", task)
        _let_pair(config)
        typed = {override.lstrip("+").partition("=")[0] for override in overrides}
        if KEY not in typed:
            _grant(config, self.permission.packages)
        for key, value in self.settings.items():
            if key not in typed:
                OmegaConf.update(config, key, value, force_add=True)
        return config

    def load_sweep_config(
        self, master_config: DictConfig, sweep_overrides: list[str]
    ) -> DictConfig:
        """Returns the config of a job, wherever a sweeper has it from.

        Raises:
            ConfigError: It allows itself what nobody allowed.
        """
        config = super().load_sweep_config(master_config, sweep_overrides)
        self.authorise(config)
        return config

    def authorise(self, config: DictConfig) -> None:
        """Lets Hydra go on with a config that it is about to call things from.

        Raises:
            ConfigError: It allows itself what nobody allowed, or names what is not to
                be called.
        """
        problems = list(self.find_unauthorised(config)) or list(load_objects(config))
        if problems:
            raise ConfigError(problems)

    def find_unauthorised(self, config: DictConfig) -> Iterator[Problem]:
        """Yields what a config with Hydra's own node takes upon itself."""
        files = partial(self.list_used, config)
        yield from find_widening(config, self.permission, files)
        yield from check_surroundings(config)

    def list_used(self, config: DictConfig) -> list[ConfigFile]:
        """Returns the files that a config is made of, in the order of composing."""
        name, words = config.hydra.job.config_name, config.hydra.overrides
        typed = [str(word) for word in (*words.hydra, *words.task)]
        parsed, folders = self._parse_overrides_and_create_caching_repo(name, typed)
        used = _list_files(
            repo=folders,
            config_name=name,
            overrides_list=parsed,
            prepend_hydra=True,
            skip_missing=True,
        )
        files = []
        for default in used.defaults:
            name = str(default.config_path)
            content: Any = self._load_single_config(default, folders).config
            files.append(ConfigFile(folders.load_config(name).path, name, content))
        return files

    def _name(self, config_name: str | None, overrides: Sequence[str]) -> Any:
        """Returns what tells compositions apart."""
        left_out = [word for word in overrides if word in self.left_out]
        return (config_name, *overrides, "left out:", *left_out)

    def _parse_overrides_and_create_caching_repo(
        self, config_name: str | None, overrides: list[str]
    ) -> Any:
        parsed, caching = super()._parse_overrides_and_create_caching_repo(
            config_name, overrides
        )
        if config_name is not None:  # what a `glob(*)` matches is asked without
            self.folders = caching.delegate
        named = _name_single_files(parsed, caching)
        return list(_name_deletions(named, caching)), caching

    def _process_config_searchpath(
        self, config_name: str | None, parsed_overrides: Any, repo: Any
    ) -> None:
        given = config_name, parsed_overrides, repo
        for place in _list_searchpath(*given):
            if not self.permission.may_search(str(place)):
                raise ConfigCompositionException(
                    f"hydra.searchpath must name folders, file://..., or packages of "
                    f"allowed_targets: to look into one is to import it. "
                    f"Received: {place!r}."
                )
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            try:
                super()._process_config_searchpath(*given)
            except UserWarning as warning:
                raise ConfigCompositionException(
                    f"hydra.searchpath names what does not exist: {warning}"
                ) from warning

    def _compose_config_from_defaults_list(self, defaults: Any, repo: Any) -> Any:
        key = (
            tuple((d.config_path, d.package, d.is_self, d.primary) for d in defaults),
            tuple(source.path for source in repo.get_sources()),
        )
        if key not in self._merged:
            merged = super()._compose_config_from_defaults_list(defaults, repo)
            self._merged[key] = pickle.dumps(merged)
            return merged
        return pickle.loads(self._merged[key])  # noqa: S301 - from the lines above


class CheckedHydra(Hydra):
    """Hydra, which runs what its loader was asked for before."""

    config_loader: Loader

    def compose_config(
        self,
        config_name: str | None,
        overrides: list[str],
        run_mode: RunMode,
        with_log_configuration: bool = False,
        from_shell: bool = True,
        validate_sweep_overrides: bool = True,
    ) -> DictConfig:
        """Returns a config; one that is to be run is authorised before."""
        asked = config_name, overrides, run_mode
        options = from_shell, validate_sweep_overrides
        if with_log_configuration:  # sets up what the config names
            composed = self.config_loader.load_configuration(*asked, *options)
            self.config_loader.authorise(composed)
        return super().compose_config(*asked, with_log_configuration, *options)


@contextmanager
def open_hydra(
    search_path: ConfigSearchPath,
    *,
    name: str = "run",
    own: str | None = None,
    primary: str = "config",
    local: LocalConfigs | None = None,
) -> Iterator[CheckedHydra]:
    """Creates the Hydra that both checks and runs a command line.

    Args:
        search_path: Where configs are.
        name: Of the application.
        own: The project's own folder of them, as an address; `None` for that of the
            primary config.
        primary: The project's primary config.
        local: Those of the folder where the command was typed.
    """
    if own is None:
        own = next(p.path for p in search_path.get_path() if p.provider == "main")
    loader = Loader(search_path, Permission(own=own, primary=primary, local=local))
    with use_hydra(loader, name=name) as hydra:
        yield hydra


@contextmanager
def use_hydra(loader: Loader, *, name: str = "run") -> Iterator[CheckedHydra]:
    """Makes a loader's Hydra that of this process, and then the former one again.

    There is one in a process. A notebook may have initialised its own, for a project of
    its own.

    Args:
        loader: Composes.
        name: Of the application.
    """
    known, config = GlobalHydra.instance(), HydraConfig.instance()
    base = version.VersionBase.instance()
    former = known.hydra, config.cfg, base.version_base
    version.setbase("1.3")
    hydra = CheckedHydra(task_name=name, config_loader=loader)
    known.hydra, config.cfg = hydra, None
    try:
        yield hydra
    finally:
        known.hydra, config.cfg, base.version_base = former


def _let_pair(config: DictConfig) -> None:
    """Lets Hydra's own sweeper take rows beside its grid, whoever has chosen it."""
    with suppress(OmegaConfBaseException):  # told by its own check
        if OmegaConf.select(config, "hydra.sweeper._target_") == HYDRAS_SWEEPER:
            OmegaConf.update(config, "hydra.sweeper._target_", GRID_SWEEPER)


def _grant(config: DictConfig, packages: Sequence[str]) -> None:
    """Adds packages to those that a composed config may name."""
    allowed = read_raw(config, KEY)
    if packages and isinstance(allowed, list):
        new = [name for name in packages if name not in allowed]
        OmegaConf.update(config, KEY, [*allowed, *new])


def _list_searchpath(
    config_name: str | None, overrides: Sequence[Override], folders: Any
) -> Sequence[Any]:
    """Returns `hydra.searchpath` as Hydra finds it: typed, or in the primary config."""
    for override in overrides:
        if override.get_key_element() == "hydra.searchpath":
            found: Any = override.value()
            return found if isinstance(found, list) else []
    loaded = None if config_name is None else folders.load_config(config_name)
    if loaded is None or not OmegaConf.is_dict(loaded.config):
        return []
    found = OmegaConf.select(loaded.config, "hydra.searchpath")
    return found if OmegaConf.is_list(found) else []


def _name_single_files(typed: Sequence[Override], folders: Any) -> list[Override]:
    """Returns `group=[file]` as `group=file`: Hydra keeps no name of a list."""
    return [
        replace(override, _value=override._value[0])
        if _chooses(override)
        and isinstance(override._value, list)
        and len(override._value) == 1
        and folders.group_exists(override.key_or_group)
        else override
        for override in typed
    ]


def _name_deletions(typed: Sequence[Override], folders: Any) -> Iterator[Override]:
    """Yields `group=null` as `~group`, the only form of it that Hydra knows.

    Null is a value in a defaults list, where it means the same: no file of this group.
    Of several choices of one group the last one counts.
    """
    choices = {
        override.get_key_element(): override
        for override in typed
        if _chooses(override) and folders.group_exists(override.key_or_group)
    }
    for override in typed:
        last = choices.get(override.get_key_element())
        if last is None or not (_is_null(override) or _is_null(last)):
            yield override
        elif override is last:
            deletion = replace(override, type=OverrideType.DEL, value_type=None)
            yield deletion if _is_null(override) else override


def _chooses(override: Override) -> bool:
    return override.type == OverrideType.CHANGE and not isinstance(
        override.value(), dict
    )


def _is_null(override: Override) -> bool:
    return not override.is_sweep_override() and override.value() is None
