"""What Hydra calls for each job of a sweep, and by which launcher."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import TaskFunction
from omegaconf import DictConfig

from experiments.command.plan import Plan
from experiments.config.code.authority import SIDE_BY_SIDE
from experiments.errors import Preempted
from experiments.sweeps.best_weights import BestWeights
from experiments.sweeps.side_by_side import SideBySide, has_finished, runs_side_by_side


@dataclass(frozen=True, kw_only=True)
class InTurn:
    """The task function of a sweep whose jobs run here, one after the other.

    Attributes:
        task: Runs one job.
        ended: Called after each.
        find_obstacle: Returns why none may start; `None` where one may.
    """

    task: TaskFunction
    ended: Callable[[], None]
    find_obstacle: Callable[[], Preempted | None]

    def __call__(self, config: DictConfig) -> Any:
        """Runs a job.

        Raises:
            Preempted: None may start.
        """
        folder = Path(str(HydraConfig.get().runtime.output_dir))
        obstacle = None if has_finished(folder) else self.find_obstacle()
        if obstacle is not None:
            raise obstacle
        value = self.task(config)
        self.ended()
        return value


def choose_task(
    task: TaskFunction, plan: Plan, weights: BestWeights
) -> tuple[TaskFunction, dict[str, str]]:
    """Returns the task function of a sweep and settings of Hydra's own node for it.

    Args:
        task: Runs one job.
        plan: The checked command line.
        weights: Looks at the jobs whenever one has ended.
    """
    if plan.search is not None:
        return task, {}
    hooks: dict[str, Any] = {
        "ended": weights.look,
        "find_obstacle": plan.run.disk_space().find_obstacle,
    }
    if not runs_side_by_side(plan):
        return InTurn(task=task, **hooks), {}
    side_by_side = SideBySide(task=task, plan=plan, **hooks)
    return side_by_side, {"hydra.launcher._target_": SIDE_BY_SIDE}
