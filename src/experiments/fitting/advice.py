"""Says where an epoch lost time, and which key to change."""

import logging
import math
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.config.schema.run import RunConfig
from experiments.data.dataset import Dataset
from experiments.data.split import FileSplit
from experiments.jobs.sweep_place import is_first_to_say

if TYPE_CHECKING:
    from experiments.training.loop.spending import Spent

log = logging.getLogger(__name__)

# Advice is given where something takes a fifth of an epoch or more, and so over the
# epochs that are left a minute or more: less is not worth a change of the config.
LARGE_SHARE = 0.2
WORTHWHILE_SECONDS = 60.0
_GOOD_SHARE = 0.05  # what saving may take
_MEMORY_SHARE = 0.5  # of what is free, for images that are kept

_given: set[str] = set()  # what this process has advised


@dataclass(frozen=True, kw_only=True)
class _Loss:
    """Something that took a share of an epoch."""

    share: float
    what: str
    advice: str


def advise(
    run: RunConfig,
    dataset: Dataset,
    spent: "Spent",
    *,
    epoch: int,
    sweep_dir: Path | None = None,
) -> None:
    """Logs one line about the largest loss of an epoch that is worth one.

    No advice is given twice by a process, nor by another job of its sweep.

    Args:
        run: The config.
        dataset: What is trained on.
        spent: Where the epoch's time went.
        epoch: Its number, from 1 on.
        sweep_dir: Folder of the sweep that the job belongs to.
    """
    left = run.trainer.epochs - epoch
    losses = [
        loss
        for loss in find_losses(run, dataset, spent)
        if loss.share >= LARGE_SHARE
        and loss.share * spent.seconds * left >= WORTHWHILE_SECONDS
        and loss.advice not in _given
    ]
    for worst in sorted(losses, key=lambda loss: loss.share, reverse=True):
        _given.add(worst.advice)
        if sweep_dir is None or is_first_to_say(sweep_dir, worst.advice):
            log.warning(
                "%.0f %% of epoch %d went to %s. %s",
                100 * worst.share,
                epoch,
                worst.what,
                worst.advice,
            )
            break


def find_losses(run: RunConfig, dataset: Dataset, spent: "Spent") -> list[_Loss]:
    """Returns what an epoch's time went to beside its steps, and what to change."""
    shares = spent.shares()
    losses = [
        _Loss(
            share=shares["saving"],
            what="saving the state",
            advice=_advise_on_saving(run, shares["saving"]),
        ),
        _Loss(
            share=shares["tracking"],
            what="recording the run",
            advice="Put output_dir=... on a faster disk, one of this machine.",
        ),
    ]
    if "data" in shares:
        advice = _advise_on_data(run, dataset)
        losses.append(
            _Loss(share=shares["data"], what="waiting for images", advice=advice)
        )
    for name, seconds in spent.callbacks.items():
        alone = replace(spent, callbacks={name: seconds}).shares()["callbacks"]
        advice = _advise_on_callback(name)
        losses.append(_Loss(share=alone, what=_describe_callback(name), advice=advice))
    return losses


def _describe_callback(name: str) -> str:
    return name if name.startswith("(") else f"callbacks.{name}"


def _advise_on_callback(name: str) -> str:
    if name == "(display)":
        return "Print nothing while it trains: trainer.progress=off"
    if name.startswith("("):
        return "Without averages it is not needed: optimizer.ema_momentum=null"
    return f"Leave it out, if you can do without it: callbacks.{name}=null"


def _advise_on_saving(run: RunConfig, share: float) -> str:
    """Returns how often to save so that it takes a twentieth of the time."""
    checkpoint: Any = run.callbacks.get("checkpoint")
    every = getattr(checkpoint, "every_epochs", 1)
    factor = math.ceil(share * (1 - _GOOD_SHARE) / (_GOOD_SHARE * max(1 - share, 0.01)))
    return f"Save less often: callbacks.checkpoint.every_epochs={every * factor}"


def _advise_on_data(run: RunConfig, dataset: Dataset) -> str:
    """Returns the first of the keys that this data set has and that would help."""
    ways: list[Callable[[RunConfig, Dataset], str | None]] = [
        _use_all_threads,
        _keep_in_memory,
        _take_smaller_images,
    ]
    found = (way(run, dataset) for way in ways)
    return next(
        (advice for advice in found if advice is not None),
        "Let the data set's own code do less for each image.",
    )


def _use_all_threads(run: RunConfig, dataset: Dataset) -> str | None:
    cores = os.cpu_count() or 1
    threads = getattr(run.dataset, "decode_threads", None)
    if threads is None or threads >= cores:
        return None
    return f"Prepare them on all {cores} cores: dataset.decode_threads=null"


def _keep_in_memory(run: RunConfig, dataset: Dataset) -> str | None:
    import psutil

    if not hasattr(run.dataset, "cache") or run.dataset.cache == "memory":
        return None
    if not isinstance(dataset.train, FileSplit):
        return None
    images = sum(len(split) for split in dataset.splits.values())
    needed = images * math.prod(dataset.image_shape)
    if needed > _MEMORY_SHARE * psutil.virtual_memory().available:
        return None
    return f"Keep them in memory, {needed / 1e9:.1f} GB: dataset.cache=memory"


def _take_smaller_images(run: RunConfig, dataset: Dataset) -> str | None:
    if getattr(run.dataset, "image_size", None) is None:
        return None
    half = max(dataset.image_shape[0] // 2, 1)
    return f"Take smaller images: dataset.image_size={half}"
