"""One job: a checked config and where it runs."""

import copy
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from experiments import job_files
from experiments.config.kinds.metric_names import name_as_today
from experiments.config.schema.run import RunConfig
from experiments.config.validation import validate
from experiments.errors import make_printable
from experiments.interruption import StopRequest
from experiments.jobs.sweep_place import SweepPlace
from experiments.records import RecordError, read_record, write_record
from experiments.redaction import redact_data
from experiments.shapes import Count, Rule

log = logging.getLogger(__name__)

# Environment of a job: the process that may replace itself by a fresh one, the folder
# of the sweep or trial that it belongs to, and the keys that tell it from the others.
PROCESS_VARIABLE = "EXPERIMENTS_PROCESS"
SWEEP_VARIABLE = "EXPERIMENTS_SWEEP_FOLDER"
SWEPT_VARIABLE = "EXPERIMENTS_SWEPT_KEYS"
Status = Literal["FINISHED", "FAILED", "KILLED"]
End = Literal["complete", "paused", "pruned"]
ExitCode = Annotated[int, Rule(lambda code: code in (0, 1, 2, 75), "0, 1, 2 or 75")]


@dataclass(frozen=True, kw_only=True)
class Job:
    """What a task receives.

    What runs and what is recorded are one config: `run` is made of `resolved` and can't
    be replaced alone. Whoever derives another config while the job runs replaces
    `resolved`, or takes `with_values`.

    Attributes:
        resolved: The config as plain data, for the record.
        run: The same, checked.
        output_dir: Folder of this job, absolute.
        overrides: What the command line changed.
        choices: Group -> chosen option.
        name: Readable name of the run; in a sweep, only what differs.
        sweep_dir: Folder of the sweep it belongs to, absolute.
        differing: Overrides that tell it from the other jobs of its sweep.
        place: Which job of its sweep it is, where these are counted.
        links: Keys that follow others: key -> interpolation.
        stop: How it is asked to stop.
    """

    resolved: Mapping[str, Any]
    run: RunConfig = field(init=False)
    output_dir: Path
    overrides: Sequence[str] = ()
    choices: Mapping[str, str] = field(default_factory=dict)
    name: str
    sweep_dir: Path | None = None
    differing: Sequence[str] = ()
    place: SweepPlace | None = None
    links: Mapping[str, str] = field(default_factory=dict)
    stop: StopRequest = field(default_factory=StopRequest)

    def __post_init__(self) -> None:
        object.__setattr__(self, "run", validate(self.resolved))

    def with_values(self, values: Mapping[str, Any]) -> "Job":
        """Returns the job with other values, for the run and for its record.

        Args:
            values: Dotted key, such as `trainer.accumulate_steps` -> value.

        Raises:
            ConfigError: A value is refused, as it would be on the command line.
            KeyError: The config has no such key.
        """
        resolved = copy.deepcopy(dict(self.resolved))
        for key, value in values.items():
            *groups, name = key.split(".")
            node: Any = resolved
            for group in groups:
                node = node[group]
            if name not in node:
                raise KeyError(key)
            node[name] = value
        return replace(self, resolved=resolved)


@dataclass(frozen=True, kw_only=True)
class JobResult:
    """What a job leaves behind, also on disk as `result.json`.

    Attributes:
        name: Name of the run.
        status: How it ended.
        objective: The monitored value of the best epoch; `None` without one.
        metrics: Final metrics by name, the best epoch's and the test set's.
        run_id: Tracking id; `None` with `tracking=off`.
        run_url: Address of its page in the tracker.
        state_sha256: Hash over all final weights and optimizer variables.
        overrides: What the command line changed.
        output_dir: Folder of the job; in the file relative to its own, `.`.
        reason: Why it did not finish, or was pruned, or how it went where it was a
            test, one line.
        failure: Kind of failure, such as `oom`; see `ExperimentError.failure`.
        epochs: Completed epochs.
        end: How a finished job ended: `complete`, `paused` by `trainer.until_epoch` or
            `pruned` as hopeless beside its siblings.
        exit_code: What the process should exit with if this is its only job.
    """

    name: str
    status: Status
    objective: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    run_id: str | None = None
    run_url: str | None = None
    state_sha256: str | None = None
    overrides: Sequence[str] = ()
    output_dir: str = ""
    reason: str | None = None
    failure: str | None = None
    epochs: Count = 0
    end: End = "complete"
    exit_code: ExitCode = 0

    def save(self) -> None:
        """Writes `result.json` into the job's folder, which may be moved later."""
        texts = redact_data({**asdict(self), "output_dir": "."})
        content = {**texts, "metrics": dict(self.metrics)}
        write_record(Path(self.output_dir) / job_files.RESULT, content, indent=2)

    @classmethod
    def load(cls, folder: Path) -> "JobResult | None":
        """Reads the result in `folder`; `None` when the job left none that is whole.

        Raises:
            NewerRecordError: A later release wrote it.
        """
        try:
            found: JobResult = read_record(folder / job_files.RESULT, cls)
        except FileNotFoundError:
            return None
        except RecordError as error:
            log.warning("%s. It is not used: the job counts as not finished.", error)
            return None
        return replace(
            found,
            # Whoever wrote it does not move the cursor of whoever reads it.
            name=make_printable(found.name),
            metrics=name_as_today(
                {make_printable(k): v for k, v in found.metrics.items()}
            ),
            run_url=None if found.run_url is None else make_printable(found.run_url),
            reason=None if found.reason is None else make_printable(found.reason),
            output_dir=str(folder),
        )
