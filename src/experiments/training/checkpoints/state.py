"""The whole state of a training: what has to come back for it to go on exactly."""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict

import keras
import numpy as np
import numpy.typing as npt

from experiments.errors import ExperimentError
from experiments.shapes import Count, conform

Arrays = Mapping[str, npt.NDArray[Any]]
PHASE = "(phase)"  # by which the phase of a training is remembered


class _PhaseMemory(TypedDict):
    number: Count


@dataclass(frozen=True, order=True)
class Position:
    """Where training is.

    Attributes:
        epoch: Completed epochs.
        step: Completed steps of the running epoch; all of them when only its
            validation is still to do.
    """

    epoch: Count = 0
    step: Count = 0


@dataclass(frozen=True, kw_only=True)
class TrainingState:
    """A training at one moment.

    Attributes:
        arrays: Copies of all variables on the host: weights, states of batch norm
            and of seed generators, metric accumulators, optimizer.
        position: Where training is.
        history: Metrics of each completed epoch.
        memory: Callback name -> what it remembers, as plain data.
        finished: Training has ended, early or at its last epoch.
    """

    arrays: Arrays
    position: Position
    history: Sequence[Mapping[str, float]] = ()
    memory: Mapping[str, Any] = field(default_factory=dict)
    finished: bool = False

    @property
    def phase(self) -> int:
        """Number of the phase of the training, from 0 on."""
        memory = self.memory.get(PHASE)
        return 0 if memory is None else conform(memory, _PhaseMemory)["number"]

    @property
    def size(self) -> int:
        """Bytes of the arrays, which are nearly all of what is saved."""
        return sum(array.nbytes for array in self.arrays.values())


def copy_variables(model: Any) -> dict[str, npt.NDArray[Any]]:
    """Returns copies of all variables of a compiled model by group, order and path."""
    return {
        name: np.array(keras.ops.convert_to_numpy(variable))
        for group in _GROUPS
        for name, variable in _list_variables(model, group)
    }


def copy_metrics(model: Any) -> dict[str, npt.NDArray[Any]]:
    """Returns copies of the metric accumulators alone, by the same names."""
    return {
        name: np.array(keras.ops.convert_to_numpy(variable))
        for name, variable in _list_variables(model, "metrics")
    }


def restore_variables(model: Any, arrays: Arrays) -> None:
    """Gives a compiled model its weights and its optimizer's variables back.

    Args:
        model: Of the layers and the optimizer that were saved.
        arrays: What `copy_variables` returned.

    Raises:
        ExperimentError: The model has other variables.
    """
    for group in ("model", "optimizer"):
        _assign(model, group, arrays)


def restore_metrics(model: Any, arrays: Arrays) -> None:
    """Gives the metrics of a built model their accumulators back; see above."""
    _assign(model, "metrics", arrays)


def digest(model: Any) -> str:
    """Returns the SHA-256 over all weights and optimizer variables, in their order."""
    return _digest([*model.weights, *model.optimizer.variables])


def digest_weights(model: Any) -> str:
    """Returns the SHA-256 over the weights alone, of a model without an optimizer."""
    return _digest(model.weights)


def _digest(variables: Iterable[Any]) -> str:
    result = hashlib.sha256()
    for variable in variables:
        array = np.ascontiguousarray(keras.ops.convert_to_numpy(variable))
        result.update(array.tobytes())
    return result.hexdigest()


def average_weights(model: Any) -> None:
    """Puts the moving averages into the weights, where the optimizer keeps any."""
    model.optimizer.finalize_variable_values(model.trainable_variables)


def keeps_averages(model: Any) -> bool:
    """Tells whether the optimizer keeps moving averages of the weights."""
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    return bool(optimizer.use_ema)


# Not all in `model.variables`: metrics and optimizer are kept apart by Keras.
_GROUPS = {
    "model": lambda model: model.variables,
    "metrics": lambda model: model.metrics_variables,
    "optimizer": lambda model: model.optimizer.variables,
}


def _list_variables(model: Any, group: str) -> Iterator[tuple[str, Any]]:
    """Yields names and variables.

    Paths alone need not be unique, and Keras counts what it names in a process, such
    as `adam_1`: a job that is not the first one there must find its names again.
    """
    for number, variable in enumerate(_GROUPS[group](model)):
        path = re.sub(r"_\d+(?=_|/|$)", "", variable.path)
        yield f"{group}/{number:05d}/{path}", variable


def _assign(model: Any, group: str, arrays: Arrays) -> None:
    variables = dict(_list_variables(model, group))
    saved = {name for name in arrays if name.startswith(f"{group}/")}
    wrong = sorted(saved ^ variables.keys()) or [
        name for name, v in variables.items() if tuple(v.shape) != arrays[name].shape
    ]
    if wrong:
        raise ExperimentError(
            f"The saved state is one of another model: {wrong[0]} is not the same in "
            "both. Has the code changed? Start anew with fresh=true."
        )
    for name, variable in variables.items():
        variable.assign(arrays[name])
