"""Composes single jobs and checks them, all problems of a job at once."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, OmegaConf

from experiments.config.convert import nearest, unknown_key
from experiments.config.validation import find_problems
from experiments.errors import Problem

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override


@dataclass
class Composer:
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


@contextmanager
def open_hydra(config_dir: Path, extra_config_dir: Path | None) -> Iterator[None]:
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


def parse(overrides: Sequence[str]) -> list["Override"]:
    """Parses overrides by the grammar of the open Hydra."""
    from hydra.core.global_hydra import GlobalHydra
    from hydra.core.override_parser.overrides_parser import OverridesParser

    loader = GlobalHydra.instance().config_loader()
    return OverridesParser.create(config_loader=loader).parse_overrides(list(overrides))


def compose_whole(job: Sequence[str], composer: Composer) -> DictConfig:
    """Returns the config of a job with Hydra's own node, unchecked."""
    whole = composer.compose(list_groups(job))[0].copy()
    OmegaConf.set_struct(whole, False)
    OmegaConf.set_readonly(whole, False)
    for override in parse(job):
        if not _is_group(override.key_or_group):
            _lay_over(whole, override)
    return whole


def check_job(
    job: Sequence[str], composer: Composer
) -> tuple[DictConfig, list[Problem]]:
    """Returns the config of one job and what is wrong in it."""
    overrides = parse(job)
    problems = [problem for o in overrides if (problem := _check_choice(o))]
    _, declared = composer.compose(list_groups(job))
    config = declared.copy()
    OmegaConf.set_struct(config, False)
    for override in overrides:
        if not _is_group(override.key_or_group):
            problems += _check_declared(override, declared)
            _lay_over(config, override)
    reported = {problem.key for problem in problems}
    found = find_problems(config)
    return config, problems + [p for p in found if p.key not in reported]


def list_groups(job: Sequence[str]) -> list[str]:
    """Returns the overrides of a job that choose an existing file of a group."""
    return [
        o.input_line or ""
        for o in parse(job)
        if _is_group(o.key_or_group) and _check_choice(o) is None
    ]


def _repository() -> Any:
    """Returns Hydra's view of the config folders.

    Its public `get_group_options` builds that view anew at each call, which would take
    longer than everything else here.
    """
    from hydra.core.global_hydra import GlobalHydra

    return GlobalHydra.instance().config_loader().repository  # type: ignore[attr-defined]


def _groups_at_the_top() -> list[str]:
    """Returns the groups that can be chosen, `experiment` and `debug` among them."""
    from hydra.core.object_type import ObjectType

    found: list[str] = _repository().get_group_options("", ObjectType.GROUP)
    return found


def quote(text: str) -> str:
    """Quotes a text for Hydra's override grammar.

    There a backslash is one, unless it stands before a quote or at the end.
    """

    def escape(match: re.Match[str]) -> str:
        return match[1] * 2 + ("\\'" if match[2] else "")

    escaped = re.sub(r"(\\*)('|\Z)", escape, text)
    return f"'{escaped}'"


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
            if number == 0:
                names += _groups_at_the_top()
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
