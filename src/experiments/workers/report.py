"""What came back from the place where a trial ran."""

from dataclasses import dataclass
from typing import Literal

from experiments.jobs.job import JobResult

Failure = Literal["error", "oom", "killed", "timeout", "config", "nan"]
Status = Literal["returned", "failed", "stopped"]


@dataclass(frozen=True, kw_only=True)
class Report:
    """How one start of a job ended.

    Attributes:
        status: `returned`, `failed`, or `stopped` because the search was.
        value: What the task returned.
        result: What the job left; `None` without a `result.json`.
        output_dir: Folder of a job that left nothing and has failed.
        failure: Kind of failure.
        reason: Why it failed, one line.
        memory: Resident bytes of the process that ran it.
    """

    status: Status
    value: float | None = None
    result: JobResult | None = None
    output_dir: str | None = None
    failure: Failure | None = None
    reason: str | None = None
    memory: int = 0


STOPPED = Report(status="stopped", reason="the search was stopped")
