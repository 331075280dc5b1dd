"""Which states of an earlier process still count: damaged files are left out."""

import dataclasses
import logging
from pathlib import Path

from experiments import job_files
from experiments.config.kinds.objective import Objective
from experiments.training.checkpoints.manifest import (
    Manifest,
    Record,
    read_manifest,
)
from experiments.training.checkpoints.state_file import (
    hash_if_whole,
    read_facts,
)

log = logging.getLogger(__name__)


def recover_manifest(folder: Path, objective: Objective) -> Manifest:
    """Returns what is valid in `folder`, judged by `objective`.

    Without a manifest, or with one that judged by another metric, the states say
    themselves what they are.
    """
    empty = Manifest(monitor=objective.name, mode=objective.direction)
    try:
        former = read_manifest(folder)
    except ValueError as error:
        log.warning("%s. It is made anew from the states beside it.", error)
        return _read_states(folder, empty)
    if former is None or former.objective != objective:
        return _read_states(folder, empty)
    return _drop_damaged(folder, former)


def _read_states(folder: Path, empty: Manifest) -> Manifest:
    records = [
        record
        for path in folder.glob(f"epoch-*{job_files.STATE_SUFFIX}")
        if (record := _describe_state(path, empty.monitor)) is not None
    ]
    manifest = dataclasses.replace(empty, last=tuple(records))
    return _choose_best(dataclasses.replace(manifest, last=tuple(manifest.records())))


def _describe_state(path: Path, monitor: str) -> Record | None:
    """Returns the record of a state; `None` when it is damaged."""
    sha256 = hash_if_whole(path)
    if sha256 is None:
        return None
    try:
        facts = read_facts(path)
    except (OSError, ValueError):
        return None
    position, history = facts.position, facts.history
    ends_epoch = history and not position.step
    return Record(
        epoch=position.epoch,
        step=position.step,
        file=path.name,
        sha256=sha256,
        value=history[-1].get(monitor) if ends_epoch else None,
    )


def _drop_damaged(folder: Path, manifest: Manifest) -> Manifest:
    whole = {r.file for r in manifest.records() if hash_if_whole(folder / r.file)}
    last = tuple(record for record in manifest.last if record.file in whole)
    left = dataclasses.replace(manifest, last=last)
    if manifest.best is None or manifest.best.file in whole:
        return left
    left = _choose_best(dataclasses.replace(left, best=None))
    log.warning(
        "The best checkpoint %s, of epoch %d, is damaged or gone. The best one is now "
        "%s; %s is written anew with the next state.",
        folder / manifest.best.file,
        manifest.best.epoch,
        "none" if left.best is None else f"that of epoch {left.best.epoch}",
        job_files.MANIFEST,
    )
    return left


def _choose_best(manifest: Manifest) -> Manifest:
    return dataclasses.replace(manifest, best=next(iter(manifest.ranked()), None))
