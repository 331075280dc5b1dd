"""Values that go together: the rows of `sweep.zip` and `sweep.list`.

A grid multiplies what has several values. A row sets several keys at once, and each row
is run with every combination of the grid.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, OmegaConf

from experiments.config.reading.convert import MISSING, convert
from experiments.config.reading.values import write_value
from experiments.config.schema.resume import SweepConfig
from experiments.errors import ConfigError, Problem

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

BLOCKS = ("sweep.zip", "sweep.list")
GRID_SWEEPER = "hydra_plugins.experiments_grid.sweeper.GridSweeper"
HYDRAS_SWEEPER = "hydra._internal.core_plugins.basic_sweeper.BasicSweeper"
Row = tuple[str, ...]  # overrides


def read_sweep(base: DictConfig) -> SweepConfig:
    """Returns what a config says of sweeps.

    Args:
        base: What a sweep varies.

    Raises:
        ConfigError: The node that says it is wrong.
    """
    node = OmegaConf.select(base, "sweep", default=MISSING)
    is_node = OmegaConf.is_config(node)
    plain = OmegaConf.to_container(node, resolve=True) if is_node else node
    problems: list[Problem] = []
    sweep: SweepConfig = convert(plain, SweepConfig, key="sweep", problems=problems)
    if problems:
        raise ConfigError(problems)
    return sweep


def count_rows(sweep: SweepConfig) -> dict[str, int]:
    """Returns how many rows each block has that is there."""
    counts = (*map(len, (sweep.zip or {}).values()), 0)[0], len(sweep.list or [])
    return {block: count for block, count in zip(BLOCKS, counts, strict=True) if count}


def list_rows(sweep: SweepConfig) -> list[Row]:
    """Returns the overrides of each row; of two blocks each row with each other one."""
    columns = sweep.zip or {}
    values = zip(*columns.values(), strict=True)
    zipped = [dict(zip(columns, row, strict=True)) for row in values]
    blocks = [block for block in (zipped, sweep.list) if block]
    return [tuple(_write(rows)) for rows in product(*blocks)] if blocks else []


def _write(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for row in rows:
        yield from (f"{key}={write_value(value)}" for key, value in row.items())


def name_keys(sweep: SweepConfig) -> dict[str, str]:
    """Returns which block sets each key: `optimizer.lr` -> `sweep.zip`."""
    named = {_bare(key): "sweep.zip" for key in sweep.zip or {}}
    return named | {_bare(k): "sweep.list" for row in sweep.list or [] for k in row}


def check_rows(sweep: SweepConfig, given: Sequence["Override"]) -> Iterator[Problem]:
    """Yields the keys of rows that something else sets, or that no row may set.

    Args:
        sweep: What the config says of sweeps.
        given: The overrides beside the rows.
    """
    others = {o.key_or_group: o.input_line or "" for o in given}
    in_list = {_bare(key) for row in sweep.list or [] for key in row}
    for key, block in name_keys(sweep).items():
        if re.split(r"[./@]", key)[0] in ("hydra", "sweep"):
            reason = f"sets {key}, which all jobs of a sweep share."
            yield Problem(block, reason, f"Set it beside {block}.")
        elif key in others:
            reason = f"sets {key}, and so does {others[key]}."
            yield Problem(block, reason, "Leave one of them out.")
        elif key in in_list and key in map(_bare, sweep.zip or {}):
            reason = f"sets {key}, and so does sweep.zip."
            yield Problem("sweep.list", reason, "Leave one of them out.")


def is_block(override: "Override") -> bool:
    """Tells whether an override describes rows, rather than a value of each job."""
    key = override.key_or_group
    return any(key == block or key.startswith(f"{block}.") for block in BLOCKS)


def list_jobs(given: Sequence["Override"], rows: Sequence[Row]) -> list[list[str]]:
    """Returns the overrides of each job, in the order in which they are run.

    Args:
        given: What a file and the command line give; the last one of a key counts.
        rows: What is run with each combination of it.
    """
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper

    grid = [override for override in given if not is_block(override)]
    (jobs,) = BasicSweeper.split_arguments(grid, max_batch_size=None)
    return [[*row, *job] for row in rows or [()] for job in jobs]


def _bare(key: str) -> str:
    return key.lstrip("+")
