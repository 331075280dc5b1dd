"""The folder `conf/` beside which a command was typed, and whether it is trusted.

Its files are options like those that come with the project, and win over them. What
comes from a folder that nobody has trusted sets values, and no more, see `permission`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hydra.core.config_search_path import ConfigSearchPath

from experiments.command.config_folders.trust import is_trusted
from experiments.errors import ConfigError, Problem
from experiments.own_code import list_packages

if TYPE_CHECKING:
    from experiments.command.config_folders.permission import ConfigFile

NAME = "conf"
_FILE = "file://"


@dataclass(frozen=True)
class LocalConfigs:
    """The configs beside which a command was typed.

    Attributes:
        folder: Of the configs, absolute.
        trusted: Whether the user has said so, by `experiments trust`.
        packages: Those beside a trusted folder of configs.
    """

    folder: Path
    trusted: bool = False
    packages: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """The folder as Hydra names it."""
        return f"{_FILE}{self.folder}"

    def select(self, used: Iterable["ConfigFile"]) -> list[str]:
        """Returns the files of this folder that a config is made of, by name."""
        return [file.name for file in used if file.folder == self.address]

    def describe(self, command: str) -> str:
        """Returns a sentence for whoever wonders where a config comes from.

        Args:
            command: What a person types in front of overrides.
        """
        if self.trusted:
            return f"Configs of {self.folder} were read too, and win."
        return (
            f"Configs of {self.folder} were read too, and win; they may set values, "
            f"no more. If all that is in that folder may run, type: {command} trust"
        )


def find_local(own: Path, primary: str) -> LocalConfigs | None:
    """Returns the configs of the present folder; `None` where there are none.

    Args:
        own: The configs that come with the project, which are not local ones.
        primary: Name of the config that a command begins with.

    Raises:
        ConfigError: The folder would replace the primary config, or can't be read.
    """
    try:
        folder = Path.cwd() / NAME
        if not folder.is_dir() or folder.samefile(own):
            return None
        _refuse_primary(folder / f"{primary}.yaml", own / f"{primary}.yaml")
    except OSError as error:
        problem = Problem(f"{NAME}/", f"cannot be read: {error.strerror}.")
        raise ConfigError([problem], "This folder") from error
    trusted = is_trusted(folder.parent)
    packages = list_packages(folder.parent) if trusted else []
    return LocalConfigs(folder, trusted=trusted, packages=tuple(packages))


def _refuse_primary(path: Path, own: Path) -> None:
    if not (path.is_file() and own.is_file()) or path.read_bytes() == own.read_bytes():
        return
    reason = f"would replace the whole configuration. Received: {path}."
    hint = "Put what differs into conf/experiment/mine.yaml and type experiment=mine; "
    hint += "or give it another name and type --config-name NAME."
    raise ConfigError([Problem(f"{NAME}/{path.name}", reason, hint)], "This folder")


def add_local(search_path: ConfigSearchPath, local: LocalConfigs) -> None:
    """Lets files of a local folder win over all that are known by now."""
    search_path.prepend(provider="local", path=local.address)
