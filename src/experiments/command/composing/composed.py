"""A checked config, composed in Python as `run.py` composes it from a command line."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hydra._internal.utils import create_config_search_path
from hydra.types import RunMode
from omegaconf import OmegaConf

from experiments.command.composing.loader import Loader, open_hydra, use_hydra
from experiments.command.config_folders.local_configs import add_local, find_local
from experiments.command.hydra_node.flags import add_config_dir
from experiments.command.plan import Plan
from experiments.command.plan import check as check_plan
from experiments.config.code.programs import name_command
from experiments.config.schema.run import RunConfig
from experiments.config.validation import resolve
from experiments.errors import ConfigError, Problem
from experiments.own_code import admit_code
from experiments.redaction import learn_secrets, redact_data, redact_word
from experiments.shipped import find_shipped

PRIMARY = "config"
# Hydra keeps what it composes in variables of the process.
_COMPOSING = threading.RLock()
_TITLE = "The overrides"


@dataclass(frozen=True, kw_only=True, eq=False)
class Config:
    """An experiment, checked and ready to be trained; `compose` returns it.

    `print(config)` shows all of it as YAML.

    Attributes:
        run: Every key by its name and typed, such as `config.run.trainer.epochs`.
        data: The same as plain data: interpolations resolved, paths of data absolute.
        overrides: What it was composed of.
        choices: Group -> file that it was taken from, such as `model` -> `resnet18`.
        folder: Where `train` works, unless a later attempt (`fresh=true`) is there.
        plan: The checked command line that it stands for.
        loader: Holds the config files as they were read.
    """

    run: RunConfig
    data: Mapping[str, Any]
    overrides: tuple[str, ...]
    choices: Mapping[str, str]
    folder: Path
    plan: Plan = field(repr=False)
    loader: Loader = field(repr=False)

    def with_overrides(self, overrides: Sequence[str]) -> "Config":
        """Returns this config changed, from the same files as they were read.

        Args:
            overrides: As for `compose`; one of a key that is set already replaces it.

        Raises:
            ConfigError: All that is wrong.

        Example:
            >>> import experiments
            >>> config = experiments.compose(["model=resnet18", "optimizer.lr=1e-3"])
            >>> config.with_overrides(["optimizer.lr=1e-4"])
            compose(['model=resnet18', 'optimizer.lr=1e-4'])
        """
        _refuse_text(overrides)
        keys = {_key(word) for word in overrides}
        kept = [word for word in self.plan.settings if _key(word) not in keys]
        kept += [word for word in self.overrides if _key(word) not in keys]
        with _COMPOSING, use_hydra(self.loader):
            return _compose([*kept, *overrides], self.loader)

    def __repr__(self) -> str:
        words = ", ".join(repr(redact_word(word)) for word in self.overrides)
        return f"compose([{words}])"

    def __str__(self) -> str:
        return OmegaConf.to_yaml(OmegaConf.create(redact_data(self.data))).rstrip()


def compose(
    overrides: Sequence[str] = (), *, config_dir: Path | str | None = None
) -> Config:
    """Composes and checks a config: what `python run.py OVERRIDES` would run.

    It may be called from any folder, as often as wanted, and beside other code that
    uses Hydra. Relative paths in it, `output_dir` too, start in the current folder.

    Args:
        overrides: As typed behind `run.py`, one text each; see docs/configs.md.
        config_dir: A folder of configs of your own, as `--config-dir`.

    Returns:
        The config.

    Raises:
        ConfigError: All that is wrong; `error.problems` lists it.

    Example:
        >>> import experiments
        >>> config = experiments.compose(["model=resnet18", "optimizer.lr=1e-3"])
        >>> config.run.optimizer.lr, config.run.trainer.epochs
        (0.001, 5)
        >>> config.choices["dataset"], config.folder.parent.name
        ('digits', 'runs')
        >>> experiments.compose(["model.dept=3", "trainer.epochs=0"])
        Traceback (most recent call last):
        experiments.errors.ConfigError: The configuration has 2 problems:
          - model.dept is not a key of this configuration. Did you mean `model.depth=3`?
          - trainer.epochs must be an integer >= 1. Received: 0.
    """
    _refuse_text(overrides)
    with _opened(config_dir) as loader:
        return _compose(overrides, loader)


def check(
    overrides: Sequence[str] = (),
    *,
    config_dir: Path | str | None = None,
    multirun: bool = False,
) -> list[Problem]:
    """Returns what is wrong with overrides; starts nothing and raises nothing for it.

    Args:
        overrides: As above.
        config_dir: As above.
        multirun: They are a sweep or a search, as with `-m`: every job is checked.

    Returns:
        One `Problem` for each mistake, with `key`, `message` and `hint`; empty when
        all is well.

    Example:
        >>> import experiments
        >>> experiments.check(["model=resnet18"])
        []
        >>> for problem in experiments.check(["model=resnet18,resnet34", "seed=1"]):
        ...     print(problem.key)
        model
        >>> sweep = ["model=resnet18,resnet34", "optimizer.lr=1e-3,-1"]
        >>> for problem in experiments.check(sweep, multirun=True):
        ...     print(problem.key, problem.message)
        optimizer.lr must be a number > 0. Received: -1.
    """
    _refuse_text(overrides)
    try:
        with _opened(config_dir) as loader:
            plan = _check(overrides, loader, multirun=multirun)
    except ConfigError as error:
        return list(error.problems)
    return list(plan.unused)


@contextmanager
def _opened(config_dir: Path | str | None) -> Iterator[Loader]:
    """Opens the config folders, in one thread at a time."""
    own = find_shipped("conf")
    local = find_local(own, PRIMARY)
    search_path = create_config_search_path(str(own))
    if local is not None:
        add_local(search_path, local)
    if config_dir is not None:
        add_config_dir(search_path, Path(config_dir))
    with _COMPOSING, open_hydra(search_path, local=local) as hydra:
        try:
            yield hydra.config_loader
        except ConfigError as error:
            if local is not None:
                error.add_note(local.describe(name_command()))
            raise


def _check(overrides: Sequence[str], loader: Loader, *, multirun: bool) -> Plan:
    words = [str(word) for word in overrides]
    learn_secrets(words)
    return check_plan(words, loader, config_name=PRIMARY, multirun=multirun)


def _compose(overrides: Sequence[str], loader: Loader) -> Config:
    plan = _check(overrides, loader, multirun=False)
    if plan.multirun:
        hint = "Call compose() once for each job."
        raise ConfigError([Problem("hydra.mode", "must not ask for a sweep.", hint)])
    if plan.unused:
        raise ConfigError(plan.unused, _TITLE)
    words = [*plan.settings, *plan.overrides]
    # Known by now: nothing is composed a second time.
    whole = loader.load_configuration(PRIMARY, words, RunMode.RUN)
    found = whole.hydra.runtime.choices.items()
    choices = {str(k): str(v) for k, v in found if v is not None}
    data = resolve(plan.config)
    learn_secrets(data)
    admit_code(Path.cwd(), [*plan.run.allowed_targets, *loader.permission.names])
    return Config(
        run=plan.run,
        data=data,
        overrides=plan.overrides,
        choices={k: v for k, v in choices.items() if not k.startswith("hydra/")},
        folder=plan.folder,
        plan=plan,
        loader=loader,
    )


def _refuse_text(overrides: Sequence[str]) -> None:
    """Refuses one text, whose letters would be taken for overrides."""
    if isinstance(overrides, str):
        raise TypeError(
            f"overrides must be a list of texts. Received: {overrides!r}. "
            f"Write [{overrides!r}]."
        )


def _key(override: str) -> str:
    return override.lstrip("+~").partition("=")[0]
