"""The jobs of a plain sweep, by Hydra's own sweeper, and what only that knows."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from omegaconf import DictConfig

from experiments.command.composing.composer import Composer
from experiments.command.sweeping.folds import list_folds
from experiments.command.sweeping.pairs import (
    GRID_SWEEPER,
    Row,
    count_rows,
    is_block,
    list_jobs,
    name_keys,
    read_sweep,
)
from experiments.command.typed.reader import read_words
from experiments.config.schema.resume import SweepConfig
from experiments.errors import ConfigError, Problem

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override


def list_grid(
    given: Sequence["Override"], rows: Sequence[Row], composer: Composer
) -> tuple[tuple[str, ...], ...] | None:
    """Returns the jobs of a plain sweep; `None` for those of any other sweeper."""
    if not _is_hydras_sweeper(composer):
        return None
    most = composer.first.hydra.sweeper.max_batch_size
    if most is not None and most < 1:
        reason = f"must be null or at least 1. Received: {most}."
        raise ConfigError([Problem("hydra.sweeper.max_batch_size", reason)])
    name = composer.config_name
    for row in rows:
        read_words(row, composer.loader, config_name=name, multirun=False)
    return tuple(tuple(job) for job in list_jobs(given, rows))


def sweep_folds(own: Sequence["Override"], composer: Composer) -> list["Override"]:
    """Returns what sweeps over all folds where only their number is known."""
    if not _is_hydras_sweeper(composer):
        return []
    several = [o for o in [*list_params(composer), *own] if o.is_sweep_override()]
    keys = {o.key_or_group for o in several} | name_keys(
        read_sweep(composer.first)
    ).keys()
    return composer.loader.parse(list_folds(composer.first, keys))


def list_params(composer: Composer) -> list["Override"]:
    """Returns what a file gives Hydra's own sweeper to sweep, as if it were typed."""
    if not _is_hydras_sweeper(composer):
        return []
    params = composer.first.hydra.sweeper.get("params") or {}
    return composer.loader.parse([f"{key}={value}" for key, value in params.items()])


def _is_hydras_sweeper(composer: Composer) -> bool:
    return str(composer.first.hydra.sweeper._target_) == GRID_SWEEPER


def refuse_swept_blocks(swept: Sequence["Override"]) -> Iterator[Problem]:
    """Yields a problem for each block of rows that is given several values."""
    for override in filter(is_block, swept):
        yield Problem(override.key_or_group, "is not swept itself: it holds the rows.")


def refuse_other_sweeper(sweep: SweepConfig, base: DictConfig) -> Iterator[Problem]:
    """Yields a problem for each block of rows that another sweeper does not read."""
    if str(base.hydra.sweeper._target_) != GRID_SWEEPER:
        for block in count_rows(sweep):
            yield Problem(block, "is used by hydra/sweeper=basic only.")
