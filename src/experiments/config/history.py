"""Earlier names of components, which stand in records and in what identifies a job."""

from collections.abc import Mapping
from typing import Any

_DATASETS = "digits cifar10 cifar100 fashion_mnist folder imagenet mnist"
# Earlier path of a component -> its present one.
MOVED = {
    **{
        f"experiments.data.{name}.load_{name}": (
            f"experiments.data.datasets.{name}.load_{name}"
        )
        for name in _DATASETS.split()
    },
    "experiments.data.synthetic.make_synthetic": (
        "experiments.data.datasets.synthetic.make_synthetic"
    ),
    "experiments.models.resnet.build_resnet": (
        "experiments.models.resnet.builder.build_resnet"
    ),
    **{
        f"experiments.training.{name}": f"experiments.training.callbacks.{name}"
        for name in (
            "checkpoint.Checkpoint",
            "early_stopping.EarlyStopping",
            "plateau.ReduceOnPlateau",
            "pruning.MedianPruner",
            "pruning.SuccessiveHalvingPruner",
            "tensorboard.TensorBoard",
            "timing.Timing",
        )
    },
    **{
        f"experiments.training.callbacks.{name}": (
            f"experiments.training.callbacks.monitors.{name}"
        )
        for name in ("LearningRateMonitor", "TerminateOnNaN")
    },
}
_EARLIER = {now: earlier for earlier, now in MOVED.items()}


def to_present(config: Any) -> Any:
    """Returns recorded plain data with the present path in each `_target_`."""
    return _rename(config, MOVED)


def to_earliest(config: Any) -> Any:
    """Returns plain data with the earliest path in each `_target_`."""
    return _rename(config, _EARLIER)


def _rename(node: Any, names: Mapping[str, str]) -> Any:
    if isinstance(node, Mapping):
        named = {key: _rename(value, names) for key, value in node.items()}
        target = named.get("_target_")
        if isinstance(target, str):
            named["_target_"] = names.get(target, target)
        return named
    if isinstance(node, list | tuple):
        return [_rename(item, names) for item in node]
    return node
