"""What happens when a step does not fit the memory: a clear error, or smaller parts."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypedDict

from experiments import job_files
from experiments.counts import count_of
from experiments.errors import ExperimentError, RestartNeeded
from experiments.jobs.job import Job
from experiments.records import RecordError, read_record, write_record
from experiments.shapes import Count

if TYPE_CHECKING:
    from experiments.models.cost import Cost

_ADVICE = "Remove it, which starts with whole batches, or start anew: fresh=true"
Stage = Literal["data", "network", "step"]


class _Memory(TypedDict):
    accumulate_steps: Count


class OutOfMemoryError(ExperimentError):
    """A step needs more memory than the device has."""

    failure = "oom"


def fit_to_memory(job: Job) -> Job:
    """Returns the job with the micro-batches that an earlier process found to need.

    Raises:
        RecordError: What it left is damaged.
    """
    steps = read_accumulate_steps(job.output_dir)
    if steps is None or job.run.trainer.oom == "error":
        return job
    batch_size = job.run.trainer.batch_size
    if not 1 <= steps <= batch_size or batch_size % steps:
        parts = count_of(steps, "equal part")
        problem = f"trainer.batch_size={batch_size} has no {parts}"
        raise RecordError(job.output_dir / job_files.ACCUMULATE, problem, _ADVICE)
    return job.with_values({"trainer.accumulate_steps": steps})


@dataclass
class MemoryGuard:
    """Turns exhausted memory into an error that says what asked for it.

    Attributes:
        job: The job.
        stage: What is being done.
        cost: What a step was estimated to need, as soon as that is known.
    """

    job: Job
    stage: Stage = "step"
    cost: "Cost | None" = None

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Watches what is done in the block.

        Raises:
            OutOfMemoryError: The memory did not suffice.
            RestartNeeded: Likewise, with `trainer.oom=accumulate`: a fresh process
                will take smaller micro-batches.
        """
        try:
            yield
        except Exception as error:
            if not is_exhaustion(error):
                raise
            self._answer(error)

    def _answer(self, error: Exception) -> None:
        stage = "data" if _reads_images(error) else self.stage
        if stage != "step":
            raise OutOfMemoryError(_blame_start(error, stage)) from error
        trainer = self.job.run.trainer
        micro_batch = trainer.batch_size // trainer.accumulate_steps
        estimate = (
            ""
            if self.cost is None
            else f" (a step was estimated at {self.cost.training_bytes / 1e9:.1f} GB)"
        )
        images = count_of(micro_batch, "image")
        what = f"Out of memory with {images} at a time{estimate}."
        steps = 2 * trainer.accumulate_steps
        ends = trainer.oom == "error" or trainer.batch_size % steps > 0
        if ends and self.cost is not None and _is_mostly_state(self.cost):
            raise OutOfMemoryError(f"{what} {_blame_weights(self.cost)}") from error
        if trainer.oom == "error":
            raise OutOfMemoryError(
                f"{what} Lower trainer.batch_size={trainer.batch_size} or the image "
                "size, or set trainer.oom=accumulate to add up smaller micro-batches."
            ) from error
        if ends:
            raise OutOfMemoryError(
                f"{what} trainer.batch_size={trainer.batch_size} cannot be divided any "
                "further. Lower it or the image size."
            ) from error
        write_record(
            self.job.output_dir / job_files.ACCUMULATE, {"accumulate_steps": steps}
        )
        raise RestartNeeded(f"{what} Restarting with {micro_batch // 2}") from error


def _reads_images(error: Exception) -> bool:
    """Tells whether code that holds images asked: a split is kept when it is used."""
    frames = traceback.walk_tb(error.__traceback__)
    modules = [frame.f_globals.get("__name__", "") for frame, _ in frames]
    return any(name.startswith("experiments.data.") for name in modules)


def _blame_start(error: Exception, stage: Stage) -> str:
    """Returns what asked for the memory before the first step."""
    told = " ".join(str(error).split())[:200]
    detail = f" ({told})" if isinstance(error, MemoryError) and told else ""
    if stage == "data":
        return (
            f"Out of memory while the images were read{detail}. Take fewer or smaller "
            "images (dataset.image_size), or set dataset.cache=none."
        )
    return (
        f"Out of memory while the network was built{detail}. Take a smaller one, such "
        "as model=resnet18, or lower model.width."
    )


def _is_mostly_state(cost: "Cost") -> bool:
    """Tells whether a smaller batch would need more than half as much still."""
    return 2 * cost.state_bytes > cost.training_bytes


def _blame_weights(cost: "Cost") -> str:
    return (
        f"Its {count_of(cost.parameters, 'weight')} alone, with gradients and what the "
        f"optimizer keeps, take {cost.state_bytes / 1e9:.1f} GB. Take a smaller "
        "network, such as model=resnet18, or an optimizer that keeps less, such as "
        "optimizer=sgd."
    )


def is_exhaustion(error: BaseException) -> bool:
    """Tells whether an error of Python, TensorFlow or JAX means exhausted memory."""
    if isinstance(error, MemoryError):
        return True
    name = type(error).__name__
    return name == "ResourceExhaustedError" or "RESOURCE_EXHAUSTED" in str(error)


def read_accumulate_steps(folder: Path) -> int | None:
    """Returns how many micro-batches a job was found to need; `None` for any."""
    try:
        found = read_record(folder / job_files.ACCUMULATE, _Memory, advice=_ADVICE)
    except FileNotFoundError:
        return None
    return int(found["accumulate_steps"])
