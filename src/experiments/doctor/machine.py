"""Memory, disk, threads, and the folders that a training writes to."""

import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil

from experiments.config.checks.machine import total_memory
from experiments.counts import count_of, format_bytes
from experiments.data.arrays.keras_cache import keras_home
from experiments.disk_space import DiskSpace, measure_tree
from experiments.doctor.finding import Finding
from experiments.files import cache_folder

_LITTLE_MEMORY = 4e9  # bytes: TensorFlow, MLflow and a small data set
_LITTLE_DISK = 5e9  # some checkpoints and models of a ResNet-50
_NO_DISK = 500e6
_RESULTS = "results"


def check_machine(output_dir: Path, space: DiskSpace) -> Iterator[Finding]:
    """Yields what there is of memory, threads and disk, and what cannot be written."""
    yield _check_memory()
    yield _check_threads()
    yield _check_disk(output_dir)
    if space.most_gb is not None:
        yield _check_share(output_dir, space.most_gb)
    folders = {_RESULTS: output_dir, "cache": cache_folder(), "Keras": keras_home()}
    for what, folder in folders.items():
        yield check_writable(what, folder)


def check_writable(what: str, folder: Path) -> Finding:
    """Tries to write a file, in the nearest folder above that there is already."""
    place = _nearest(folder)
    probe = place / f".{uuid.uuid4().hex}.tmp"
    try:
        probe.touch()
        probe.unlink()
    except OSError as error:
        told = f"{folder} cannot be written: {error.strerror}"
        if what == _RESULTS:
            advice = f"Make {place} writable, or type output_dir=..."
            return Finding(level="error", what=what, told=told, advice=advice)
        advice = f"Make {place} writable, or choose another folder."
        return Finding(level="warning", what=what, told=told, advice=advice)
    return Finding(level="ok", what=what, told=f"{folder} can be written")


def _check_memory() -> Finding:
    allowed = total_memory() or psutil.virtual_memory().total
    free = min(psutil.virtual_memory().available, allowed)
    told = f"{format_bytes(free)} free of {format_bytes(allowed)}"
    if free >= _LITTLE_MEMORY:
        return Finding(level="ok", what="memory", told=told)
    advice = "Close other programs, or take smaller batches and dataset.cache=none."
    return Finding(level="warning", what="memory", told=told, advice=advice)


def _check_threads() -> Finding:
    affinity = getattr(os, "sched_getaffinity", None)
    usable = len(affinity(0)) if affinity else os.cpu_count() or 1
    there = os.cpu_count() or usable
    told = count_of(usable, "thread")
    if usable == there:
        return Finding(level="ok", what="CPU", told=told)
    told += f" of {there}, as this process was given"
    return Finding(level="ok", what="CPU", told=told)


def _check_disk(folder: Path) -> Finding:
    free = shutil.disk_usage(_nearest(folder)).free
    told = f"{format_bytes(free)} free at {folder}"
    advice = "Make room: task=clean says what can go."
    if free < _NO_DISK:
        return Finding(level="error", what="disk", told=told, advice=advice)
    if free < _LITTLE_DISK:
        return Finding(level="warning", what="disk", told=told, advice=advice)
    return Finding(level="ok", what="disk", told=told)


def _check_share(folder: Path, most_gb: float) -> Finding:
    taken = measure_tree(folder) if folder.is_dir() else 0
    told = f"{format_bytes(taken)} of max_disk_gb={most_gb:g} are taken"
    if taken < most_gb * 1e9:
        return Finding(level="ok", what="disk", told=told)
    advice = "task=clean says what can go; or allow more."
    return Finding(level="error", what="disk", told=told, advice=advice)


def _nearest(folder: Path) -> Path:
    """Returns the folder, or the first one above it that there is already."""
    place = folder.absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    return place
