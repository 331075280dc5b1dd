"""What the compared runs are ranked by."""

from collections.abc import Sequence

from experiments.comparison.member import Member
from experiments.config.kinds.objective import Objective
from experiments.errors import ConfigError


def choose_objective(members: Sequence[Member]) -> Objective | None:
    """Returns what all of the runs chose their best epoch by.

    Returns:
        `None` where they do not agree, or no record says so.
    """
    keys = ("trainer.monitor", "trainer.monitor_mode")
    found = {tuple(member.settings.get(key) for key in keys) for member in members}
    found.discard((None, None))
    if len(found) != 1:
        return None
    name, mode = found.pop()
    try:
        return Objective(str(name), mode if mode in ("max", "min") else "auto")  # type: ignore[arg-type]
    except ConfigError:
        return None
