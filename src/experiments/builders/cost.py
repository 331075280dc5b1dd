"""What the model of a config costs, and whether a batch fits."""

import logging
import math
from typing import TYPE_CHECKING, Any

from experiments.config.schema.run import RunConfig
from experiments.runtime.devices import Devices, free_memory

if TYPE_CHECKING:
    from experiments.models.cost import Cost

log = logging.getLogger(__name__)


def measure_cost(run: RunConfig, model: Any, devices: Devices) -> "Cost":
    """Estimates parameters, FLOPs and memory, and warns when a batch can't fit.

    Args:
        run: The checked config.
        model: What `build_model` returned.
        devices: The claimed devices, which share a batch.
    """
    from experiments.models.cost import measure_cost

    weights = sum(math.prod(v.shape) for v in model.trainable_variables)
    slots = sum(math.prod(v.shape) for v in model.optimizer.variables)
    sums = run.trainer.accumulate_steps > 1  # of gradients, beside a micro-batch's
    cost = measure_cost(
        model,
        batch_size=math.ceil(micro_batch(run) / max(len(devices.gpus), 1)),
        precision=run.trainer.precision,
        optimizer_slots=round(slots / max(weights, 1)) + sums,
    )
    memory = free_memory(devices)
    if memory is not None and cost.training_bytes > memory:
        log.warning(
            "trainer.batch_size=%d needs about %.1f GB on a device, which has %.1f GB. "
            "Lower it, dataset.image_size or the model's depth.",
            run.trainer.batch_size,
            cost.training_bytes / 1e9,
            memory / 1e9,
        )
    return cost


def micro_batch(run: RunConfig) -> int:
    """Returns how many images go through the network at a time."""
    return run.trainer.batch_size // run.trainer.accumulate_steps
