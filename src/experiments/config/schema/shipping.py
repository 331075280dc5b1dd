"""Schemas of the tasks that bring a trained model to those who use it."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

from experiments.config.reading.fields import Target, setting
from experiments.errors import Problem

INTEGERS = "litert_int8"


@dataclass(frozen=True, kw_only=True)
class ExportTaskConfig(Target):
    """Write a trained model for other run times, and check it in each of them.

    Attributes:
        formats: Which files.
        output: What they give.
        any_size: Take images of any size, of which the file scales the central window.
        split: Over which images they are checked; null for the test split.
        tolerance: Largest difference of an output from the model's own, of the files
            that compute in the same numbers.
        agreement: Smallest share of images with the same label, of those of integers.
        calibration: Training images that ranges of integers are learnt of.
        calls: How often each file is timed, with one image and with 32; 0 for never.
        log_models: Keep the models in the run's record too, beside report and samples.
    """

    keeps_result: ClassVar[bool] = False
    folder_of_its_own: ClassVar[bool] = True
    needs_run: ClassVar[bool] = True
    asks_model: ClassVar[bool] = True
    uses: ClassVar[Collection[str]] = (
        "output_dir",
        "tracking",
        "fresh",
        "name",
        "allowed_targets",
        "run_id",
        "dataset",
        "max_disk_gb",
    )

    formats: list[Literal["saved_model", "onnx", "litert", "litert_int8"]] = setting(
        min_length=1, max_length=4
    )
    output: Literal["probabilities", "logits"]
    any_size: bool
    split: Literal["train", "validation", "test"] | None
    tolerance: float = setting(gt=0, least=1e-9, most=1.0)
    agreement: float = setting(ge=0, le=1)
    calibration: int = setting(ge=1, most=100_000)
    calls: int = setting(ge=0, most=100_000)
    log_models: bool = setting(added=6, before=False)

    def check(self) -> Iterator[Problem]:
        """Yields a problem for a form named twice, and for two that contradict."""
        if len(set(self.formats)) < len(self.formats):
            yield Problem("formats", f"names one twice. Received: {self.formats}.")
        if self.any_size and INTEGERS in self.formats:
            reason = f"cannot have {INTEGERS} with task.any_size=true: ranges of "
            hint = "Leave one of the two out."
            yield Problem("formats", f"{reason}integers are learnt of one size.", hint)


@dataclass(frozen=True, kw_only=True)
class ServeTaskConfig(Target):
    """Answer images over HTTP with what a trained model says of them.

    Attributes:
        host: Address of this machine that is listened on; 127.0.0.1 is for programs of
            this machine alone.
        port: 0 for one that is free.
        page: Also a page on which people drop images.
        max_pixels: An image that declares more is refused before it is decoded.
        max_request_mb: A longer request is refused before all of it is read, in
            millions of bytes.
    """

    keeps_result: ClassVar[bool] = False
    folder_of_its_own: ClassVar[bool] = True
    needs_run: ClassVar[bool] = True
    asks_model: ClassVar[bool] = True
    uses: ClassVar[Collection[str]] = (
        "output_dir",
        "tracking",
        "fresh",
        "name",
        "allowed_targets",
        "run_id",
        "gpu",
        "max_disk_gb",
    )

    host: str = setting(incidental=True)
    port: int = setting(ge=0, le=65_535, incidental=True)
    page: bool
    max_pixels: int = setting(ge=1, most=2_000_000_000)
    max_request_mb: int = setting(ge=1, most=2_000)


@dataclass(frozen=True, kw_only=True)
class PromoteTaskConfig(Target):
    """Register a trained model, and make it the champion where it is better.

    Attributes:
        seeds: With so many seeds the best trial of `from_search` is trained first, of
            which the best by its validation is promoted; null for the trial's own run.
        force: Make it the champion whatever the comparison says.
        batch_size: Images at a time; null for those of the training.
    """

    keeps_result: ClassVar[bool] = False
    folder_of_its_own: ClassVar[bool] = True
    needs_run: ClassVar[bool] = True
    asks_model: ClassVar[bool] = True
    plans_itself: ClassVar[bool] = True
    uses: ClassVar[Collection[str]] = (
        "output_dir",
        "tracking",
        "fresh",
        "plan",
        "name",
        "allowed_targets",
        "run_id",
        "from_search",
        "registered_name",
        "dataset",
        "gpu",
        "max_disk_gb",
    )

    seeds: int | None = setting(ge=2, most=100)
    force: bool
    batch_size: int | None = setting(ge=1, most=1_000_000, incidental=True)
