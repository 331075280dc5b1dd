"""`hydra/sweeper=basic`: Hydra's own grid, and beside it values that go together.

The loader has it take the place of Hydra's sweeper of that name.

Hydra imports this module at every start: nothing heavy may stand at its top.
"""

from hydra._internal.core_plugins import basic_sweeper
from hydra.core.override_parser.types import Override


class GridSweeper(basic_sweeper.BasicSweeper):
    """Hydra's own sweeper, which also takes `sweep.zip` and `sweep.list`."""

    def split_arguments(  # type: ignore[override]  # there it needs no config
        self, overrides: list[Override], max_batch_size: int | None
    ) -> list[list[list[str]]]:
        """Returns the jobs in batches: each row of pairs with all of the grid.

        Args:
            overrides: What a file and the command line give, as parsed.
            max_batch_size: Most jobs of a batch; `None` for all in one.
        """
        from experiments.command.sweeping.pairs import list_jobs, list_rows, read_sweep

        if self.config is None:
            raise RuntimeError("setup() must be called before sweep().")
        rows = list_rows(read_sweep(self.config))
        jobs = list_jobs(overrides, rows)
        size = max_batch_size or max(len(jobs), 1)
        return [jobs[start : start + size] for start in range(0, len(jobs), size)]
