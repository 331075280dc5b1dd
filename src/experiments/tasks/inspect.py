"""Shows what a training would see and do, and trains nothing."""

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from experiments import job_files
from experiments.builders.cost import measure_cost
from experiments.builders.data import (
    Pipelines,
    build_dataset,
    build_pipelines,
    naming_damaged_files,
)
from experiments.builders.devices import (
    claim_devices,
    configure_framework,
    describe_choices,
)
from experiments.builders.model import build_model
from experiments.builders.optimizer import find_rates, rate_options
from experiments.command.printed import describe_command
from experiments.config.checks.doubts import find_doubts
from experiments.config.checks.memory import check_memory
from experiments.config.code.programs import typed_config_flags
from experiments.config.kinds.phases import describe_phases
from experiments.config.reading.fields import Target
from experiments.config.schema.augment import RepeatedConfig
from experiments.config.schema.run import RunConfig
from experiments.counts import count_of, format_bytes, format_size
from experiments.data.dataset import Dataset
from experiments.data.readiness.check import check_data
from experiments.files import replace_bytes
from experiments.fitting.beginning import Beginning
from experiments.forecast.estimate import find_alike
from experiments.forecast.past import list_past
from experiments.forecast.words import about
from experiments.jobs.job import Job, JobResult
from experiments.jobs.runs.recorded_job import best_of_search
from experiments.jobs.showing import display
from experiments.redaction import redact_data
from experiments.runtime.devices import Devices, free_memory
from experiments.tracking.tracker import NoTracker
from experiments.trained.start import find_start

if TYPE_CHECKING:
    from experiments.inspection.inspection import Inspection
    from experiments.models.cost import LayerCost

_MOST_STAGES = 8  # on the screen
_ORDER = (
    *("device", "data", "classes", "balance", "files"),
    *(
        "model",
        "weights",
        "images",
        "frozen",
        "training",
        "phases",
        "rate",
        "rate factors",
        "time",
    ),
)
_OWN = ("task", "task.images", "task.files")  # keys that say what to show


def inspect(job: Job) -> JobResult:
    """Builds all that a training is made of, and shows it.

    Args:
        job: As `train` takes it.

    Returns:
        A result without metrics.

    Raises:
        ExperimentError: What a training would raise before its first step.
    """
    found = look(job)
    page = job.output_dir / job_files.INSPECTION
    show(found, page)
    return JobResult(
        name=job.name,
        status="FINISHED",
        overrides=job.overrides,
        output_dir=str(job.output_dir),
    )


def look(job: Job) -> "Inspection":
    """Returns all that is to be seen of a job before it is trained."""
    options = job.run.task.arguments()  # those of a record are the training's
    job = best_of_search(job)
    job.stop.plan = "stopping: nothing is trained, and nothing is lost"
    run = job.run
    check_data([run])
    claimed = claim_devices(run)
    check_memory(run, gpu_memory=_ask_gpu(claimed))
    devices = configure_framework(run, claimed)
    return _look(job, devices, options)


def _look(job: Job, devices: Devices, options: Mapping[str, Any]) -> "Inspection":
    """Returns what is to be seen; from here on the framework may be imported."""
    from experiments.inspection.balance import count_classes
    from experiments.inspection.batch import take_batch
    from experiments.inspection.doubts import find_data_doubts
    from experiments.inspection.inspection import Inspection
    from experiments.inspection.rates import list_rates
    from experiments.inspection.sizes import measure_sizes
    from experiments.models.cost import measure_layers
    from experiments.models.freezing import describe_frozen
    from experiments.models.layer_rates import describe_rate_factors

    run = job.run
    dataset = build_dataset(run)
    pipelines = build_pipelines(run, dataset)
    steps = pipelines.steps_per_epoch
    start = find_start(run, dataset, devices, typed=job.overrides)
    beginning = Beginning(start, NoTracker()) if start.weights else None
    images = start.images or dataset
    model = build_model(
        run, images, steps_per_epoch=steps, devices=devices, begin=beginning
    )
    plain = _build_plain(run, dataset)
    with naming_damaged_files(dataset):
        batch = take_batch(model, pipelines.train_from(0), plain)
    epochs = run.trainer.epochs
    rates = list_rates(find_rates(run, steps), steps_per_epoch=steps, epochs=epochs)
    balance = count_classes(dataset)
    sizes = measure_sizes(dataset, most=options["files"])
    taken = None if beginning else steps * epochs
    of_data = find_data_doubts(dataset, balance, sizes, steps_from_nothing=taken)
    rows = {
        **_describe_built(job, dataset, model, devices),
        **(beginning.rows if beginning else {}),
        **describe_frozen(model),
        **describe_phases(run),
        **describe_rate_factors(model, **rate_options(run)),
        "balance": balance.describe(),
        **({} if sizes is None else {"files": sizes.describe()}),
        "rate": rates.describe(),
        "time": _describe_time(run),
    }
    return Inspection(
        title=f"Before training: {job.name.removeprefix('inspect ')}",
        rows={name: rows[name] for name in _ORDER if name in rows},
        doubts=[*find_doubts(run), *of_data],
        dataset=dataset,
        images=images,
        rates=rates,
        batch=batch,
        shown=options["images"],
        balance=balance,
        sizes=sizes,
        layers=measure_layers(model, precision=run.trainer.precision),
        config=yaml.safe_dump(redact_data(dict(job.resolved)), sort_keys=False),
        command=_describe_training(job),
    )


def show(found: "Inspection", page: Path) -> None:
    """Writes the page and prints what matters of it.

    Args:
        found: What was found.
        page: Where the page goes.
    """
    from experiments.inspection.page import build_inspection_page

    replace_bytes(page, build_inspection_page(found).encode())
    print(found.title)
    display.show_rows(_add_stages(found))
    print()
    for doubt in found.doubts:
        print(f"Doubt: {doubt}")
    display.show_rows({"page": display.short_path(page), "to train it": found.command})


def _ask_gpu(claimed: Devices) -> Callable[[], int | None] | None:
    """Returns what tells the memory of a claimed GPU; `None` without one."""
    return partial(free_memory, claimed) if claimed.gpus else None


def _build_plain(run: RunConfig, dataset: Dataset) -> Any | None:
    """Returns the training's batches without augmentation; `None` where it has none."""
    if not run.augment:
        return None
    # What changes the order of the images is no change of an image.
    order: dict[str, Target] = {
        name: config
        for name, config in run.augment.items()
        if isinstance(config, RepeatedConfig)
    }
    plain: Pipelines = build_pipelines(replace(run, augment=order), dataset)
    return plain.train_from(0)


def _describe_built(
    job: Job, dataset: Dataset, model: Any, devices: Devices
) -> dict[str, str]:
    """Returns what a training would say at its start, and what `auto` has become."""
    cost = measure_cost(job.run, model, devices)
    rows = display.describe_start(job, dataset, cost, devices)
    rows["device"] += _describe_choices(job.run, model, devices)
    return rows


def _describe_choices(run: RunConfig, model: Any, devices: Devices) -> str:
    """Returns what `auto` has become, and the memory that is free."""
    chosen = describe_choices(run, model, devices)
    words = [f"{name} {'on' if value else 'off'}" for name, value in chosen.items()]
    memory = free_memory(devices)
    free = "" if memory is None else f"; {format_bytes(memory)} of memory is free"
    return f", {', '.join(words)}{free}"


def _describe_time(run: RunConfig) -> str:
    """Returns what jobs like it took on this machine."""
    alike = find_alike(run, list_past(Path(run.output_dir).absolute()))
    if not alike:
        return (
            "unknown: no job like it has run on this machine; plan=measure in place "
            "of task=inspect trains some steps to see"
        )
    each = statistics.median(job.epoch_seconds for job in alike)
    around = statistics.median(job.other_seconds for job in alike)
    whole = around + each * run.trainer.epochs
    jobs = count_of(len(alike), "earlier job")
    return f"about {about(each)} an epoch, {about(whole)} in all, judged by {jobs}"


def _add_stages(found: "Inspection") -> dict[str, str]:
    """Returns the rows with those of the network's stages below the network's."""
    pairs = list(found.rows.items())
    below = 1 + list(found.rows).index("model")
    return dict([*pairs[:below], *_list_stages(found.layers), *pairs[below:]])


def _list_stages(layers: "Sequence[LayerCost]") -> Iterator[tuple[str, str]]:
    from experiments.inspection.stages import gather_stages

    stages = gather_stages(layers)
    for stage in stages[:_MOST_STAGES]:
        yield (
            f"  {stage.name}",
            f"{count_of(len(stage.layers), 'layer')}, {stage.parameters:,} parameters, "
            f"{stage.flops / 1e6:,.1f} MFLOP, "
            f"{format_size(stage.activation_bytes)} of activations",
        )
    if (left := len(stages) - _MOST_STAGES) > 0:
        yield "  ...", f"{left} more on the page"


def _describe_training(job: Job) -> str:
    """Returns the command that trains what was looked at."""
    kept = [word for word in job.overrides if _key(word) not in _OWN]
    return describe_command(*typed_config_flags(), *kept)


def _key(override: str) -> str:
    return override.lstrip("+~").partition("=")[0]
