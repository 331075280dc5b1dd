"""What a person sees on the screen before and after training."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from rich.text import Text

from experiments.command.printed import (
    describe_command,
    describe_output,
    describe_store,
    from_folder,
    typed_folder,
)
from experiments.config.kinds.corrections import NAME as CORRECTIONS
from experiments.config.kinds.metric_names import BEST, TEST, name_of_epoch
from experiments.config.schema.run import RunConfig
from experiments.counts import agree, count_of, format_bytes, format_duration, set_apart
from experiments.jobs.job import End, Job, JobResult
from experiments.screen import open_console

if TYPE_CHECKING:
    from experiments.data.dataset import Dataset
    from experiments.models.cost import Cost
    from experiments.runtime.devices import Devices

_CLASSES_WIDTH = 90  # characters


def show_start(
    job: Job,
    dataset: "Dataset",
    cost: "Cost",
    devices: "Devices",
    beginning: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Prints what is about to be trained, on what, and what it costs.

    In a sweep the first job prints everything, and the others what differs from it.

    Args:
        job: The job.
        dataset: What it trains on.
        cost: Of its model.
        devices: Those that compute.
        beginning: As `describe_start` takes it.
    """
    rows = describe_start(job, dataset, cost, devices, beginning)
    rows["folder"] = short_path(job.output_dir)
    if job.place is None:
        show_rows({"experiment": job.name, **rows})
        return
    seconds = job.place.seconds_left(None)
    left = "" if seconds is None else f", about {format_duration(seconds)} left"
    print(f"\n{job.place}{left}: {job.name}")
    show_rows(job.place.keep_new(rows))


def describe_start(
    job: Job,
    dataset: "Dataset",
    cost: "Cost",
    devices: "Devices",
    beginning: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, str]:
    """Returns what is trained, on what, and what it costs: heading -> sentence.

    Args:
        job: The job.
        dataset: What it trains on.
        cost: Of its model.
        devices: Those that compute.
        beginning: What the network begins with, where not with random numbers: title
            -> text.
    """
    run = job.run
    return {
        "device": _describe_device(job, devices),
        "data": _describe_data(dataset),
        **_describe_corrections(dataset),
        "classes": _describe_classes(dataset.class_names),
        "model": describe_cost(cost),
        **beginning,
        "training": f"{count_of(run.trainer.epochs, 'epoch')}, "
        f"{count_of(run.trainer.batch_size, 'image')} a step, seed {run.seed}, "
        f"about {format_bytes(cost.training_bytes)} of memory",
    }


def show_continuation(epoch: int, step: int) -> None:
    """Says where a job that was interrupted goes on."""
    after = f"epoch {epoch}" + (f" and {count_of(step, 'step')}" if step else "")
    print(f"This job was interrupted; it continues after {after}.")


def show_end(*, last: int, planned: int, best: int, end: End = "complete") -> None:
    """Says why training ended before its last epoch; nothing when it did not."""
    if end == "pruned":
        print(f"Pruned after epoch {last} of {planned}; the best one was {best}.")
    elif end == "paused":
        print(f"Paused after epoch {last} of {planned}, as trainer.until_epoch says.")
    elif last < planned:
        print(f"Stopped early after epoch {last}: no improvement since epoch {best}.")


def show_result(run: RunConfig, result: JobResult, *, in_sweep: bool = False) -> None:
    """Prints the scores and where everything is.

    Args:
        run: The config.
        result: What came of it.
        in_sweep: Its folder was shown before, and the rest stands at the sweep's end.
    """
    fold = run.dataset.known_fold
    test = "held-out test" if fold is None else f"fold {fold[0]} of {fold[1]}"
    kinds = {BEST: "best epoch", TEST: test}
    rows = {}
    for kind, title in kinds.items():
        scores = {
            name_of_epoch(name).removeprefix(TEST): value
            for name, value in result.metrics.items()
            if name.startswith(kind)
        }
        if scores:
            rows[title] = _describe_scores(scores)
    if result.reason:
        rows["reason" if result.end == "pruned" else "verdict"] = result.reason
    if not in_sweep:
        rows["folder"] = short_path(Path(result.output_dir))
    if result.run_url is not None:
        rows["MLflow run"] = result.run_url
        if not in_sweep:
            rows["to open it"] = describe_ui(run)
    if not in_sweep:
        print()
    show_rows(rows)


class Sender(Protocol):
    """What sends the records of a run, or has sent them."""

    @property
    def unsent(self) -> int:
        """Records that MLflow does not hold yet."""
        ...

    @property
    def problem(self) -> str | None:
        """Why something is unsent, in one line."""
        ...


def show_unsent(sender: Sender, output_dir: str, uri: str | None) -> None:
    """Says what the tracker did not get and how it will; nothing when all arrived.

    Args:
        sender: Of the run's records.
        output_dir: As `output_dir`.
        uri: As `tracking.uri`.
    """
    if sender.unsent:
        records = count_of(sender.unsent, "record")
        are = agree(sender.unsent, "is", "are")
        print(f"\n{records} {are} not in MLflow yet: {sender.problem}.")
        place = [*describe_output(output_dir), *describe_store(uri)]
        command = describe_command("task=sync", *place)
        kept = agree(sender.unsent, "It is kept", "They are kept")
        them = agree(sender.unsent, "it", "them")
        print(f"{kept}. To send {them}: {command}")


def show_skipped(dataset: "Dataset") -> None:
    """Prints how many files were left out, with the first few; nothing without any."""
    skipped = dataset.skipped_files
    if not skipped:
        return
    were = agree(len(skipped), "was", "were")
    print(f"\n{count_of(len(skipped), 'file')} {were} skipped as unusable:")
    for file in skipped[:5]:
        print(f"  {file.path}: {file.reason}")
    if len(skipped) > 5:
        print(f"  ... and {len(skipped) - 5} more")


def describe_cost(cost: "Cost") -> str:
    """Returns parameters, FLOPs and activation memory in words."""
    return (
        f"{count_of(cost.parameters, 'parameter')}; an image takes "
        f"{cost.flops_per_image / 1e9:.3g} GFLOP and "
        f"{format_bytes(cost.activation_bytes_per_image)} of activations"
    )


def _describe_device(job: Job, devices: "Devices") -> str:
    run = job.run
    name = f"GPU {', '.join(devices.gpus)}" if devices.gpus else "CPU"
    return f"{name}, {run.backend}, {run.trainer.precision}"


def _describe_data(dataset: "Dataset") -> str:
    height, width, channels = dataset.image_shape
    counts = ", ".join(f"{len(s):,} {name}" for name, s in dataset.splits.items())
    return (
        f"{dataset.name}: {counts} images of {height} x {width} x {channels}, "
        f"{count_of(dataset.num_classes, 'class', 'classes')}"
    )


def _describe_corrections(dataset: "Dataset") -> dict[str, str]:
    """Returns what a file of corrections changed; nothing without one."""
    changes = dataset.findings.get(CORRECTIONS)
    if not changes:
        return {}
    told = [
        f"{count_of(sum(split[what] for split in changes.values()), 'image')} {what}"
        for what in ("relabelled", "dropped")
    ]
    return {CORRECTIONS: ", ".join(told)}


def _describe_classes(names: Sequence[str]) -> str:
    """Returns the names, of many the first ones and their number."""
    text = ", ".join(set_apart(names))
    if len(text) <= _CLASSES_WIDTH:
        return text
    end = text.rfind(", ", 0, _CLASSES_WIDTH)
    return f"{text[: end if end > 0 else _CLASSES_WIDTH]}, ... ({len(names):,} in all)"


def _describe_scores(scores: Mapping[str, float]) -> str:
    parts = []
    for name, value in scores.items():
        parts.append(f"{value:.0f}" if name == "epoch" else f"{name} {value:.4f}")
    return ", ".join(parts)


def describe_ui(run: RunConfig) -> str:
    """Returns the command that starts MLflow's pages, the short one where it can."""
    from experiments.tracking.store.links import ui_command

    usual = run.tracking.uri is None and not describe_output(run.output_dir)
    folder = typed_folder()
    if usual and (folder / "Makefile").is_file() and (folder / "run.py").is_file():
        return from_folder("make ui")
    command = ui_command(run.destination())
    return command or "the tracking server shows its own pages"


def short_path(path: Path) -> str:
    """Returns a path as seen from where the command was typed, if it lies below."""
    typed_in = typed_folder()
    return str(path.relative_to(typed_in) if path.is_relative_to(typed_in) else path)


def show_rows(rows: Mapping[str, str]) -> None:
    """Prints aligned lines, never broken: paths and links can be copied whole."""
    console = open_console()
    width = max(map(len, rows), default=0)
    for name, text in rows.items():
        line = Text(f"{name:{width}}", style="bold").append(
            f"  {text}", style="not bold"
        )
        console.print(line, soft_wrap=True)


def show_sweep(
    table: str,
    folder: Path,
    *,
    page: Path | None = None,
    run_url: str | None,
    compare_url: str | None,
) -> None:
    """Prints the sorted table of a sweep and where to compare its runs.

    Args:
        table: In Markdown.
        folder: Of the sweep.
        page: That compares its runs without a server.
        run_url: Of its parent run in MLflow.
        compare_url: Of MLflow's charts of its runs.
    """
    rows = {"folder": short_path(folder)}
    if page is not None:
        rows["compare"] = short_path(page)
    if run_url is not None:
        rows["MLflow run"] = run_url
    if compare_url is not None:
        rows["charts"] = compare_url
    print(f"\n{table}")
    show_rows(rows)
