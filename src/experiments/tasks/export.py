"""Writes a trained model for other run times, and asks each file what it says."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from experiments import job_files
from experiments.config.schema.shipping import INTEGERS
from experiments.counts import count_of
from experiments.errors import DataError, ExperimentError
from experiments.export.bundle import (
    READ_ME,
    SHOWN,
    Facts,
    Sample,
    measure_size,
    write_beside,
)
from experiments.export.description import describe_export, list_files
from experiments.export.formats import FORMATS, Format
from experiments.export.latency import Latency, measure_latency
from experiments.export.tables import Exported, align_rows, tabulate
from experiments.files import drafting
from experiments.jobs.job import Job, JobResult
from experiments.jobs.showing.display import (
    describe_ui,
    short_path,
    show_rows,
    show_unsent,
)
from experiments.progress import show_progress
from experiments.runtime.chatter import without_chatter
from experiments.tracking.addition import Added, Addition
from experiments.tracking.spool.contents import EXPORT
from experiments.tracking.surroundings.hardware import describe_hardware
from experiments.trained.adding import add_to_run, holding
from experiments.trained.evaluation_files import describe_images
from experiments.trained.exported import (
    ask_trained,
    check_encoded,
    check_files,
    find_truth,
)
from experiments.trained.finding import Found, find_trained
from experiments.trained.images import Chosen, ask_for_images, choose_images
from experiments.trained.sized import draw_in_size, show_in_size
from experiments.trained.trained import Trained, open_trained

if TYPE_CHECKING:
    from experiments.export.encoded import Decode
    from experiments.export.runtimes import Ask, Loaded

Images = npt.NDArray[np.uint8]


def export(job: Job) -> JobResult:
    """Writes a bundle into the job's folder; what is not right leaves nothing there.

    Args:
        job: Its `run.run_id` names the model, and what is typed of the data set the
            images over which the files are checked, in place of the run's own.

    Returns:
        A result with the parity of each file.

    Raises:
        ExperimentError: There is no such model, a form cannot hold it, or a file says
            something else than the model.
    """
    options, run = job.run.task.arguments(), job.run
    found = find_trained(str(run.run_id), run)
    request = ask_for_images(job, found, options["split"])
    bundle = job.output_dir / job_files.BUNDLE
    with open_trained(found, run, for_export=True) as trained:
        chosen = choose_images(request, trained)
        with drafting(bundle) as draft:
            draft.mkdir()
            facts, exported, timed = _write_bundle(draft, trained, chosen, options)
            if bundle.exists():  # of the same command, before
                shutil.rmtree(bundle)
    added = _record(job, found, facts, exported, timed)
    _show(job, facts, exported, timed, added)
    return JobResult(
        name=job.name,
        status="FINISHED",
        metrics=dict(_list_metrics(exported)),
        overrides=job.overrides,
        output_dir=str(job.output_dir),
    )


def _record(
    job: Job,
    found: Found,
    facts: Facts,
    exported: list[Exported],
    timed: list[Latency],
) -> Added | str | None:
    """Adds to the model's run what was exported; returns why that was not possible."""
    bundle = job.output_dir / job_files.BUNDLE
    left_out = [] if job.run.task.arguments()["log_models"] else exported
    addition = Addition(
        name=job.output_dir.name,
        files=list(list_files(bundle, left_out)),
        kind=EXPORT,
        below=bundle,
        note=describe_export(facts, exported, bundle, timed),
    )
    try:
        with holding(found.folder, later="Export it again"):
            return add_to_run(found, addition, job.run.destination())
    except (ExperimentError, OSError) as error:
        return str(error)


def _write_bundle(
    folder: Path, trained: Trained, chosen: Chosen, options: dict[str, Any]
) -> tuple[Facts, list[Exported], list[Latency]]:
    from experiments.export.encoded import build_decoder
    from experiments.export.network import build_exported

    network = build_exported(
        trained.model,
        kind=trained.kind,
        output=options["output"],
        any_size=options["any_size"],
        crop_ratio=trained.crop_ratio,
    )
    forms = [FORMATS[name] for name in options["formats"]]
    decode = build_decoder(
        trained.image_shape,
        crop_ratio=trained.crop_ratio,
        background=trained.background,
    )
    loaded = _write_models(folder, network, forms, chosen, decode, options)
    parities = check_files(trained, chosen, loaded, options)
    images, samples = _take_samples(trained, chosen, options["output"])
    if "saved_model" in options["formats"]:
        path = folder / FORMATS["saved_model"].file
        check_encoded(trained, path, images, options)
    timed: list[Latency] = []
    times: dict[str, list[Latency]] = {}
    if calls := options["calls"]:
        ask = _ask_keras(network, options["output"])
        timed = measure_latency(ask, images, calls=calls)
        for one in loaded:
            name = one.form.name
            times[name] = measure_latency(one.ask, images, calls=calls)
    exported = [
        Exported(
            form=form,
            size=measure_size(folder / form.file),
            parity=parities[form.name],
            latency=times.get(form.name, []),
        )
        for form in forms
    ]
    facts = Facts(
        model=trained.name,
        run_id=trained.run_id,
        state_sha256=trained.state_sha256,
        class_names=trained.class_names,
        image_shape=trained.image_shape,
        output=options["output"],
        any_size=options["any_size"],
        crop_ratio=trained.crop_ratio,
        background=trained.background,
        data=f"{describe_images(chosen)}: "
        f"{count_of(len(chosen.labelled.images), 'image')}",
        machine=_describe_machine(),
        has_several_labels=trained.has_several_labels,
    )
    write_beside(folder, facts, exported, samples, keras_latency=timed)
    return facts, exported, timed


def _write_models(
    folder: Path,
    network: Any,
    forms: list[Format],
    chosen: Chosen,
    decode: "Decode",
    options: dict[str, Any],
) -> "list[Loaded]":
    from experiments.export.runtimes import load_exported
    from experiments.export.write import write_format

    loaded = []
    with show_progress() as show:
        for form in forms:
            show(f"writing {form.file}")
            calibration = None
            if form.name == INTEGERS:
                calibration = _choose_calibration(network, chosen, options)
            path = folder / form.file
            with without_chatter(f"{form.name} and its run time"):
                write_format(
                    network, form, path, calibration=calibration, decode=decode
                )
                loaded.append(load_exported(form, path, options["output"]))
    return loaded


def _choose_calibration(
    network: Any, chosen: Chosen, options: dict[str, Any]
) -> Callable[[], Iterator[Images]]:
    """Returns what yields training images, the same ones each time.

    Raises:
        DataError: They are not at hand.
    """
    if chosen.dataset is None:
        raise DataError(
            f"{INTEGERS} learns the ranges of its integers of training images, and the "
            "images that are typed are others. Leave dataset out."
        )
    train, shape = chosen.dataset.train, network.input_shape[1:]
    return draw_in_size(train, options["calibration"], shape)


def _ask_keras(network: Any, output: str) -> "Ask":
    return lambda images: network.predict_on_batch(images)[output]


def _take_samples(
    trained: Trained, chosen: Chosen, output: str
) -> tuple[Images, list[Sample]]:
    """Returns some images, and the first ones of different classes as samples."""
    from experiments.data.samples import name_samples

    labelled = chosen.labelled
    truth = find_truth(trained, labelled)
    _, first = np.unique(truth, return_index=True, axis=0)
    known = truth >= 0 if truth.ndim == 1 else np.asarray(truth.any(axis=1))
    rows = [row for row in sorted(first.tolist()) if known[row]][:SHOWN]
    rows = rows or list(range(min(SHOWN, len(truth))))
    images = show_in_size(labelled.images, rows, trained.image_shape)
    outputs = np.asarray(ask_trained(trained, output)(images), np.float64)
    names = name_samples(labelled.images)
    samples = [
        Sample(
            name=names[row],
            pixels=images[place],
            truth=_name_truth(truth[row], trained.class_names),
            outputs=outputs[place],
        )
        for place, row in enumerate(rows)
    ]
    return images, samples


def _name_truth(label: Any, class_names: tuple[str, ...]) -> str | None:
    if np.ndim(label):
        return "; ".join(class_names[number] for number in np.flatnonzero(label))
    return class_names[label] if label >= 0 else None


def _describe_machine() -> str:
    hardware = describe_hardware()
    return f"{hardware.cpu}, {count_of(hardware.usable_threads or 1, 'thread')}"


def _list_metrics(exported: list[Exported]) -> Iterator[tuple[str, float]]:
    for one in exported:
        name, parity = one.form.name, one.parity
        yield f"{name}_agreement", parity.agreement
        yield f"{name}_largest_difference", parity.largest_difference
        if parity.accuracy is not None:
            yield f"{name}_accuracy", parity.accuracy


def _show(
    job: Job,
    facts: Facts,
    exported: list[Exported],
    timed: list[Latency],
    added: Added | str | None,
) -> None:
    heading, rows = tabulate(exported, timed)
    images = count_of(exported[0].parity.images, "image")
    print(f"\n{facts.model}, {images} checked\n")
    for line in align_rows([heading, *rows]):
        print(line)
    if timed:
        print("\nThe last columns are milliseconds a call, median/99th percentile.")
    print()
    bundle = job.output_dir / job_files.BUNDLE
    shown = {
        job_files.BUNDLE: short_path(bundle),
        "to use it": short_path(bundle / READ_ME),
    }
    if isinstance(added, Added) and added.run_url is not None:
        shown |= {"MLflow run": added.run_url, "to open it": describe_ui(job.run)}
    show_rows(shown)
    if isinstance(added, Added):
        show_unsent(added, job.run.output_dir, job.run.tracking.uri)
    elif added is not None:
        print(f"\nThe run's record does not tell of it: {added}")
