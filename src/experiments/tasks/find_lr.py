"""Finds a learning rate by short trainings at rising ones: the range test."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from experiments import job_files
from experiments.builders.cost import measure_cost
from experiments.builders.data import (
    build_dataset,
    build_pipelines,
    naming_damaged_files,
)
from experiments.builders.devices import claim_devices, configure_framework
from experiments.builders.model import build_model
from experiments.builders.optimizer import scale_to_batch
from experiments.command.printed import describe_command
from experiments.config.checks.memory import check_memory
from experiments.config.code.programs import typed_config_flags
from experiments.config.kinds.freezing import write_freeze
from experiments.config.kinds.phases import find_rate_phase, list_phases
from experiments.counts import count_of
from experiments.data.dataset import Dataset
from experiments.data.readiness.check import check_data
from experiments.files import replace_bytes
from experiments.fitting.beginning import Beginning
from experiments.fitting.memory import MemoryGuard, fit_to_memory
from experiments.jobs.job import Job, JobResult
from experiments.jobs.runs.recorded_job import best_of_search
from experiments.jobs.showing import display
from experiments.progress import show_progress
from experiments.records import write_record
from experiments.runtime.devices import Devices, free_memory
from experiments.tracking.tracker import NoTracker
from experiments.trained.start import Start, find_start

if TYPE_CHECKING:
    from experiments.range_test.curve import Curve
    from experiments.range_test.proposal import Proposal

_ROWS = ("device", "data", "model", "weights")  # of what a training says at its start
_ALONE = {"trainer.steps_per_execution": 1}  # each step has its own rate and loss


def find_lr(job: Job) -> JobResult:
    """Trains some steps at rising rates with each of some seeds, and proposes a rate.

    Args:
        job: As `train` takes it; its run is neither made nor touched.

    Returns:
        The proposal as the metric `lr`, where there is one.

    Raises:
        ExperimentError: What a training would raise in its first steps.
    """
    options = job.run.task.arguments()  # those of a record are the training's
    find_rate_phase(job.run)
    job = fit_to_memory(best_of_search(job)).with_values(_ALONE)
    job.stop.plan = "stopping: nothing is kept of what was tried"
    check_data([job.run])
    claimed = claim_devices(job.run)
    asks = partial(free_memory, claimed) if claimed.gpus else None
    check_memory(job.run, gpu_memory=asks)
    memory = MemoryGuard(job, stage="data")
    with memory.watch():
        devices = configure_framework(job.run, claimed)
        dataset = build_dataset(job.run)
        with naming_damaged_files(dataset):
            rows, curves = _train_all(job, dataset, devices, options, memory)
    from experiments.range_test.proposal import propose

    found = propose(curves, lowest=options["lowest"], highest=options["highest"])
    _show(job, rows, curves, found)
    return JobResult(
        name=job.name,
        status="FINISHED",
        metrics={} if found.rate is None else {"lr": found.rate},
        overrides=job.overrides,
        output_dir=str(job.output_dir),
    )


def _train_all(
    job: Job,
    dataset: Dataset,
    devices: Devices,
    options: Mapping[str, Any],
    memory: MemoryGuard,
) -> tuple[dict[str, str], list["Curve"]]:
    """Returns what a person is told, and a curve of each seed."""
    start = find_start(job.run, dataset, devices, typed=job.overrides)
    rows: dict[str, str] = {}
    curves: list[Curve] = []
    seeds = range(job.run.seed, job.run.seed + options["seeds"])
    with show_progress(first=0) as progress:
        for number, seed in enumerate(seeds, start=1):
            memory.stage = "network"
            one = job.with_values({"seed": seed})
            model, told = _build(one, dataset, devices, start)
            rows = rows or told
            memory.stage = "step"

            def tell(losses: Sequence[float], of: str = f"{number}") -> None:
                step = f"step {len(losses)} of {options['steps']}"
                progress(f"seed {of} of {len(seeds)}, {step}, loss {losses[-1]:.4g}")

            curves.append(_train_one(one, dataset, model, options, tell))
    return rows, curves


def _build(
    job: Job, dataset: Dataset, devices: Devices, start: Start
) -> tuple[Any, dict[str, str]]:
    """Returns a fresh model of the job's seed, and what a person is told of it."""
    import keras

    keras.utils.set_random_seed(job.run.seed)
    beginning = Beginning(start, NoTracker()) if start.weights else None
    steps = build_pipelines(job.run, dataset).steps_per_epoch
    model = build_model(
        job.run,
        start.images or dataset,
        steps_per_epoch=steps,
        devices=devices,
        begin=beginning,
        phase=find_rate_phase(job.run)[0],
    )
    cost = measure_cost(job.run, model, devices)
    told = beginning.rows if beginning else {}
    rows = display.describe_start(job, dataset, cost, devices, told)
    told = {name: rows[name] for name in _ROWS if name in rows}
    return model, {**told, **_describe_phase(job)}


def _describe_phase(job: Job) -> dict[str, str]:
    """Returns which phase is tried, title -> text; nothing without phases."""
    if job.run.trainer.phases is None:
        return {}
    phases, (number, factor) = list_phases(job.run), find_rate_phase(job.run)
    frozen = f"freeze={write_freeze(phases[number].freeze)}"
    rate = "" if factor == 1 else f", at {factor:g} times the rate"
    return {"phase": f"{number + 1} of {len(phases)}, {frozen}{rate}"}


def _train_one(
    job: Job, dataset: Dataset, model: Any, options: Mapping[str, Any], tell: Any
) -> "Curve":
    from experiments.range_test.curve import Curve, has_diverged, smooth
    from experiments.training.loop.rising import train_rising

    def goes_on(losses: Sequence[float]) -> bool:
        tell(losses)
        return not has_diverged(smooth(losses, options["smoothing"]))

    # `optimizer.lr` is what is looked for; a phase and reference_batch_size scale it.
    scale = scale_to_batch(job.run, find_rate_phase(job.run)[1])
    rates, losses = train_rising(
        model,
        build_pipelines(job.run, dataset).train_from(0),
        lowest=scale * options["lowest"],
        highest=scale * options["highest"],
        steps=options["steps"],
        goes_on=goes_on,
    )
    return Curve(
        seed=job.run.seed,
        rates=tuple(rate / scale for rate in rates),
        losses=tuple(losses),
        smoothing=options["smoothing"],
    )


def _show(
    job: Job, rows: Mapping[str, str], curves: Sequence["Curve"], found: "Proposal"
) -> None:
    """Writes the record, the picture and the page, and prints what matters."""
    from experiments.pictures.picture import as_png
    from experiments.range_test.page import build_range_page, draw

    folder = job.output_dir
    title = f"Learning rate: {job.name.removeprefix('find_lr ')}"
    line = None if found.override is None else _describe_training(job, found.override)
    steps = sum(len(curve.losses) for curve in curves)
    seeds = count_of(len(curves), "seed")
    told = {
        **rows,
        "trained": f"{count_of(steps, 'step')} with {seeds}, all forgotten",
        **found.describe(),
    }
    content = {**found.as_dict(), "curves": [curve.as_dict() for curve in curves]}
    write_record(folder / job_files.RANGE_TEST, content)
    replace_bytes(folder / job_files.RANGE_PICTURE, as_png(draw(curves, found)))
    page = build_range_page(title, curves, found, rows=told, line=line)
    replace_bytes(folder / job_files.RANGE_PAGE, page.encode())
    print(title)
    display.show_rows(told)
    print()
    print(found.override or f"No proposal: {found.reason}")
    last = {"page": display.short_path(folder / job_files.RANGE_PAGE)}
    display.show_rows(last if line is None else {**last, "to train it": line})


def _describe_training(job: Job, override: str) -> str:
    """Returns the command that trains with the proposal."""
    kept = [word for word in job.overrides if not _is_replaced(word)]
    return describe_command(*typed_config_flags(), *kept, override)


def _is_replaced(override: str) -> bool:
    key = override.lstrip("+~").partition("=")[0]
    return key in ("task", "optimizer.lr") or key.startswith("task.")
