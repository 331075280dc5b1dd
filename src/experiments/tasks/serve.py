"""Has a trained model answer over HTTP, as `mlflow models serve` would."""

import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments import job_files
from experiments.counts import count_of
from experiments.errors import make_printable
from experiments.jobs.job import Job, JobResult
from experiments.jobs.showing.display import short_path, show_rows
from experiments.serving.server import (
    LOOPBACK,
    holding_port,
    name_address,
    serve_until,
)
from experiments.trained.finding import find_trained
from experiments.trained.trained import Trained, open_trained

if TYPE_CHECKING:
    import socket

_MEGABYTE = 10**6
_EXAMPLE = "serving_input_example.json"
_GREY = 128


def serve(job: Job) -> JobResult:
    """Writes a model as MLflow takes it, and answers until somebody presses Ctrl-C.

    Args:
        job: Its `run.run_id` names the model.

    Returns:
        A result without scores.

    Raises:
        ConfigError: The port is taken, or the address is none of this machine.
        ExperimentError: There is no such model, or the server has ended by itself.
    """
    options, run = job.run.task.arguments(), job.run
    found = find_trained(str(run.run_id), run)
    with holding_port(options["host"], options["port"]) as place:
        _tell_who_may_ask(options["host"])
        with open_trained(found, run) as trained:
            _answer(job, trained, options, place)
    return JobResult(
        name=job.name,
        status="FINISHED",
        metrics={},
        overrides=job.overrides,
        output_dir=str(job.output_dir),
    )


def _tell_who_may_ask(host: str) -> None:
    if host not in LOOPBACK:
        print(
            f"task.host={host} opens the model to the network: whoever reaches this "
            "machine may ask it, without a password and unencrypted.",
            flush=True,
        )


def _answer(
    job: Job, trained: Trained, options: dict[str, Any], place: "socket.socket"
) -> None:
    from experiments.serving.app import build_app

    package = _write(job, trained)
    app = build_app(
        package,
        title=f"What {make_printable(trained.name)} sees",
        page=options["page"],
        max_pixels=options["max_pixels"],
        max_request_bytes=options["max_request_mb"] * _MEGABYTE,
        only_here=options["host"] in LOOPBACK,
    )
    with job.stop.listening("stopping: the server ends", ends=False):
        serve_until(
            app,
            place,
            wanted=lambda: job.stop.reason is None,
            ready=lambda: _show(trained, package, place, page=options["page"]),
        )
    print("The server has ended.")


def _write(job: Job, trained: Trained) -> Path:
    """Writes the model into the job's folder and returns where."""
    import numpy as np

    from experiments.serving.package import write_package

    package = job.output_dir / job_files.SERVED
    if package.exists():  # of the same command, before
        shutil.rmtree(package)
    example = np.full((1, *trained.image_shape), _GREY, np.uint8)
    write_package(package, trained, example=example, metadata={})
    return package


def _show(
    trained: Trained, package: Path, place: "socket.socket", *, page: bool
) -> None:
    address = name_address(place)
    height, width, channels = trained.image_shape
    classes = count_of(len(trained.class_names), "class", "classes")
    example = shlex.quote(f"@{short_path(package / _EXAMPLE)}")
    rows = {
        "model": f"{make_printable(trained.name)}: {classes}, {height} x {width} x "
        f"{channels}",
        "MLflow model": short_path(package),
        "address": f"{address}/invocations",
        **({"page": f"{address}/"} if page else {}),
        "to try it": f"curl -H Content-Type:application/json -d {example} "
        f"{address}/invocations",
    }
    print()
    show_rows(rows)
    print("\nCtrl-C ends it.", flush=True)
