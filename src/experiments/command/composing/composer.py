"""Composes single jobs by Hydra's own loader."""

import pickle
import re
import shlex
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from experiments.command.composing.loader import Loader
from experiments.errors import ConfigError, Problem

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override


@dataclass
class Composer:
    """Composes the jobs of one command line.

    Attributes:
        loader: Hydra's.
        config_name: Of the primary config.
        hydra_overrides: Those of Hydra's own node, which every job has.
        base: The config of the job, or what a sweep varies: the first one composed.
        is_plain_sweep: Whether jobs are all combinations of values.
        swept: Keys with several values -> the words that were typed.
    """

    loader: Loader
    config_name: str
    hydra_overrides: tuple[str, ...] = ()
    base: DictConfig | None = None
    is_plain_sweep: bool = False
    swept: dict[str, str] = field(default_factory=dict)

    def compose(self, job: Sequence[str], mode: RunMode = RunMode.RUN) -> DictConfig:
        """Returns the config of a job with Hydra's own node, which Hydra will get too.

        Args:
            job: Its overrides, without those of Hydra's own node.
            mode: `MULTIRUN` for what a sweep varies: values to sweep over are left out.
        """
        overrides = [*self.hydra_overrides, *job]
        config = self.loader.load_configuration(self.config_name, overrides, mode)
        self.loader.remember(config, self.config_name, overrides)
        # For `${hydra:...}`, which is resolved in the job as well.
        HydraConfig.instance().cfg = config  # type: ignore[assignment]
        if self.base is None:
            self.base = config
        return config

    def compose_base(self, typed: Sequence["Override"]) -> DictConfig:
        """Returns what a sweep varies.

        A value that only the swept choices of a group have is left out of it; it is in
        the jobs, and checked there.
        """
        words = [o.input_line or "" for o in typed]
        try:
            return self.compose(words, RunMode.MULTIRUN)
        except HydraException:
            values = [o for o in typed if self.is_value(o)]
            kept = [o.input_line or "" for o in typed if o not in values]
            base = self.compose(kept, RunMode.MULTIRUN)
        for value in values:
            with suppress(HydraException):
                self.loader._apply_overrides_to_config([value], base)
        OmegaConf.update(base, "hydra.overrides.task", words)
        overrides = [*self.hydra_overrides, *words]
        mode = RunMode.MULTIRUN  # a job must have all of its values
        self.loader.remember(base, self.config_name, overrides, mode=mode)
        return base

    def list_typed(self, job: Sequence[str]) -> list[str]:
        """Returns what was typed for a job, of swept keys with all their values."""
        own = [self.swept.get(w.lstrip("+").partition("=")[0], w) for w in job]
        return [*self.hydra_overrides, *own]

    def choices(self) -> dict[str, str]:
        """Returns which file each group was taken from."""
        choices = self.first.hydra.runtime.choices
        return {str(k): str(v) for k, v in choices.items() if v}

    def folder(self, *, output_dir: str, name: str, multirun: bool) -> Path:
        """Returns the folder of a run or a sweep, absolute.

        Args:
            output_dir: Folder of everything that runs leave.
            name: What the run or the sweep is.
            multirun: Whether it is a sweep.

        Raises:
            ConfigError: A file of the user's own names the folder in another way.
        """
        whole = self.first.copy()
        OmegaConf.update(whole, "output_dir", output_dir)
        OmegaConf.update(whole, "hydra.job.name", name)
        hydra = whole.hydra
        folder = Path(str(hydra.sweep.dir if multirun else hydra.run.dir)).absolute()
        if folder.name != name:
            key = "hydra.sweep.dir" if multirun else "hydra.run.dir"
            reason = "must end in /${hydra.job.name}, by which a job is found again."
            raise ConfigError([Problem(key, f"{reason} Received: {folder}.")])
        return folder

    @property
    def first(self) -> DictConfig:
        """The base, which must have been composed."""
        if self.base is None:
            raise ValueError("Nothing has been composed yet.")
        return self.base

    def is_group(self, key: str) -> bool:
        """Tells whether files can be chosen by a key."""
        return self.loader.folders.group_exists(key)

    def is_value(self, override: "Override") -> bool:
        """Tells whether an override sets a key, rather than choosing files."""
        if override.is_sweep_override():
            return False
        return isinstance(override.value(), dict) or not self.is_group(
            override.key_or_group
        )


def parse(overrides: Sequence[str]) -> list["Override"]:
    """Parses overrides by the grammar of the open Hydra."""
    from hydra.core.global_hydra import GlobalHydra

    loader: Any = GlobalHydra.instance().config_loader()
    parsed: list[Override] = loader.parse(overrides)
    return parsed


def without_hydra(whole: DictConfig) -> DictConfig:
    """Returns what a job gets: a config without Hydra's own node."""
    # A fifth of the time that OmegaConf takes for a copy.
    config: DictConfig = pickle.loads(pickle.dumps(whole))  # noqa: S301 - its own
    config._content.pop("hydra", None)  # type: ignore[union-attr]
    OmegaConf.set_struct(config, None)
    return config


def quote(text: str) -> str:
    """Quotes a text for Hydra's override grammar.

    There a backslash is one, unless it stands before a quote or at the end.
    """

    def escape(match: re.Match[str]) -> str:
        return match[1] * 2 + ("\\'" if match[2] else "")

    escaped = re.sub(r"(\\*)('|\Z)", escape, text)
    return f"'{escaped}'"


def quote_word(key: str, text: str) -> str:
    """Returns an override whose value is a text, as a shell takes it."""
    if not set(text) & set("'\"\\$`!"):
        return f"{key}='\"{text}\"'"
    return shlex.quote(f"{key}={quote(text)}")
