"""The jobs of a command line by the images and the weights that they need."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from experiments.config.kinds.corrections import NAME
from experiments.config.schema.run import RunConfig
from experiments.config.schema.task import AuditTaskConfig, TrainTaskConfig


@dataclass(frozen=True)
class DataJobs:
    """Jobs that need the same images, as many of them at once, and the same weights.

    Attributes:
        run: The config of the first one.
        numbers: Which jobs of the sweep.
    """

    run: RunConfig
    numbers: tuple[int, ...] = ()


class JobsByData:
    """Gathers the jobs of each data set and batch size; keeps one config of each.

    Args:
        runs: The first jobs' configs.
    """

    def __init__(self, runs: Iterable[RunConfig] = ()) -> None:
        self._firsts: dict[Any, RunConfig] = {}
        self._numbers: dict[Any, list[int]] = {}
        self._count = 0
        for run in runs:
            self.add(run)

    def add(self, run: RunConfig) -> None:
        """Notes the next job."""
        batch = (run.trainer.batch_size, run.trainer.drop_remainder)
        others = (repr(run.input), getattr(run.model, "weights", None))
        key = (repr(run.dataset), batch, run.task._target_, run.from_search, others)
        self._firsts.setdefault(key, run)
        self._numbers.setdefault(key, []).append(self._count)
        self._count += 1

    def groups(self) -> tuple[DataJobs, ...]:
        """Returns the jobs that were noted."""
        return tuple(
            DataJobs(run, tuple(self._numbers[key]))
            for key, run in self._firsts.items()
        )


def reads_known_place(run: RunConfig) -> bool:
    """Tells whether a job has data that can be looked at before it runs.

    A data set of a person's own is code, and what `from_search` names is in a record.
    """
    if takes_input(run):
        return True
    return _is_told(run) and run.dataset.known_place is not None


def needs_run(run: RunConfig) -> bool:
    """Tells whether a job does nothing without a run that was there before."""
    return bool(getattr(run.task, "needs_run", False))


def plans_itself(run: RunConfig) -> bool:
    """Tells whether a task says by `plan=true` what it would do."""
    return bool(getattr(run.task, "plans_itself", False))


def takes_input(run: RunConfig) -> bool:
    """Tells whether a task looks at what `input` names, and can do nothing without."""
    return bool(getattr(run.task, "takes_input", False))


def reads_corrections(run: RunConfig) -> bool:
    """Tells whether a job has a file of corrections that can be looked at likewise."""
    return _is_told(run) and getattr(run.dataset, NAME, None) is not None


def _is_told(run: RunConfig) -> bool:
    reads = isinstance(run.task, TrainTaskConfig | AuditTaskConfig)
    return reads and run.from_search is None
