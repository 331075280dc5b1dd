"""Composes single jobs by Hydra's own loader and checks them."""

import dataclasses
import pickle
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from experiments.command.loader import Loader
from experiments.command.overlay import list_overlay
from experiments.command.permission import KEY
from experiments.config.fields import is_component
from experiments.config.schema.run import RunConfig
from experiments.config.validation import examine
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
    """

    loader: Loader
    config_name: str
    hydra_overrides: tuple[str, ...] = ()
    base: DictConfig | None = None

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
        self.loader.remember(base, self.config_name, overrides)
        return base

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


@dataclass(frozen=True)
class CheckedJob:
    """A job that was composed.

    Attributes:
        config: As far as there is one, without Hydra's own node.
        problems: What is wrong in it.
        run: The same, typed; `None` when something is wrong.
    """

    config: DictConfig
    problems: list[Problem]
    run: RunConfig | None = None


def check_job(job: Sequence[str], composer: Composer) -> CheckedJob:
    """Composes one job and lists what is wrong in it.

    What may only fit the record that a job is made of is left out of its config, and
    checked with that.
    """
    checked = _try_job(job, composer)
    words = _list_open(job, composer) if checked.problems else []
    if not words:
        return checked
    loader, former = composer.loader, composer.loader.left_out
    loader.left_out = former.union(words)
    if not _try_job(job, composer).problems:
        for word in words:
            smaller = loader.left_out - {word}
            loader.left_out, kept = smaller, loader.left_out
            if _try_job(job, composer).problems:
                loader.left_out = kept
        return _try_job(job, composer)
    loader.left_out = former
    return checked


def _try_job(job: Sequence[str], composer: Composer) -> CheckedJob:
    from experiments.command.diagnosis import diagnose, is_own_fault

    try:
        whole = composer.compose(job)
    except Exception as error:  # Hydra's, of many kinds
        if is_own_fault(error):
            raise
        return CheckedJob(*diagnose(job, composer, error))
    config = without_hydra(whole)
    unauthorised = list(composer.loader.find_unauthorised(whole))
    if any(problem.key == KEY for problem in unauthorised):
        # What else it may do is judged by that list.
        return CheckedJob(config, unauthorised)
    run, problems = examine(config)
    return CheckedJob(config, [*unauthorised, *problems], None if unauthorised else run)


def _list_open(job: Sequence[str], composer: Composer) -> list[str]:
    """Returns the values of a job that fit or do not fit a choice made elsewhere.

    Those of a group without a typed choice, beside `from_search`: the best trial, which
    is read when the job runs, has made another choice than the present config.
    """
    typed = composer.loader.parse(job)
    named = {o.key_or_group: o.value() for o in typed}
    if named.get("from_search") is None:
        return []
    chosen = {o.key_or_group for o in typed if not composer.is_value(o)}
    open_groups = {f.name for f in dataclasses.fields(RunConfig) if is_component(f)}
    return [
        o.input_line or ""
        for o in list_overlay(job)
        if o.key_or_group.partition(".")[0] in open_groups - chosen
    ]


def quote(text: str) -> str:
    """Quotes a text for Hydra's override grammar.

    There a backslash is one, unless it stands before a quote or at the end.
    """

    def escape(match: re.Match[str]) -> str:
        return match[1] * 2 + ("\\'" if match[2] else "")

    escaped = re.sub(r"(\\*)('|\Z)", escape, text)
    return f"'{escaped}'"
