"""Puts weights into a network: what fits by name and shape, and nothing by accident."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from experiments.counts import count_of, format_share
from experiments.models.cost import walk
from experiments.weights.faults import WeightsError
from experiments.weights.variables import name_variables

# Of the arrays of a file and a network, but for their last layers. One that lacks more
# is of another network, such as a deeper one, whose first layers fit by their names.
LEAST_SHARE = 0.9
_SHOWN = 3  # arrays that a message names

State = Literal["loaded", "skipped", "new", "unused"]
Layers = Mapping[str, Mapping[str, npt.NDArray[Any]]]


@dataclass(frozen=True, kw_only=True)
class Row:
    """What became of an array.

    Attributes:
        layer: Its layer.
        variable: `kernel`, `bias`, `gamma`, ...
        state: `loaded`; `skipped` for another shape; `new` where the file has none;
            `unused` where the network has none.
        shape: In the network.
        file_shape: In the file.
        note: How it was changed to fit.
    """

    layer: str
    variable: str
    state: State
    shape: tuple[int, ...] | None = None
    file_shape: tuple[int, ...] | None = None
    note: str = ""

    def __str__(self) -> str:
        """Returns the array and its shapes in words."""
        shapes = {"": self.shape, "in the file ": self.file_shape}
        told = [f"{k}{_write(v)}" for k, v in shapes.items() if v is not None]
        return f"{self.layer}/{self.variable} ({', '.join(told)})"


@dataclass(frozen=True, kw_only=True)
class Table:
    """What became of all arrays of a network and a file.

    Attributes:
        rows: One an array.
        head: The network's last layer with weights.
    """

    rows: tuple[Row, ...]
    head: str

    def of_state(self, state: State) -> list[Row]:
        """Returns the rows of one state."""
        return [row for row in self.rows if row.state == state]

    @property
    def share(self) -> float:
        """Share of loaded arrays, of all that are not of a last layer."""
        body = [row for row in self.rows if row.layer != self.head]
        loaded = sum(row.state == "loaded" for row in body)
        ours = sum(row.state != "unused" for row in body)
        theirs = sum(row.state != "new" for row in body)
        return loaded / max(ours, theirs, 1)

    def describe(self) -> str:
        """Returns in a line what was loaded, and what is new."""
        loaded = len(self.of_state("loaded"))
        total = sum(row.state != "unused" for row in self.rows)
        text = f"{loaded} of {count_of(total, 'array')} loaded"
        left = [*self.of_state("skipped"), *self.of_state("new")]
        names = list(dict.fromkeys(row.layer for row in left))
        if names == [self.head]:
            kernels = [r for r in left if r.variable == "kernel" and r.file_shape]
            text += f"; the last layer, {self.head}, begins new"
            for row in kernels[:1]:
                theirs, ours = (row.file_shape or (0,))[-1], (row.shape or (0,))[-1]
                text += f": the file has {count_of(theirs, 'class', 'classes')}"
                text += f", here are {'others' if theirs == ours else ours}"
        elif names:
            text += f"; new: {_enumerate(names)}"
        notes = list(dict.fromkeys(row.note for row in self.rows if row.note))
        return "; ".join([text, *notes])

    def as_dict(self) -> list[dict[str, Any]]:
        """Returns the rows as plain data."""
        return [
            {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(row).items()}
            for row in self.rows
        ]


def load_into(
    network: Any,
    layers: Layers,
    *,
    reversed_channels: bool = False,
    other_classes: bool = False,
) -> Table:
    """Gives a network the weights that are its own by name and shape.

    A layer is loaded whole or not at all. The last one is left as it is where the file
    has another number of classes, or other ones.

    Args:
        network: A built `keras.Model` of float images (B, H, W, C).
        layers: Layer -> variable, or its number in the layer -> array.
        reversed_channels: They were trained on images of blue, green and red: the
            channels of the first convolution are turned round.
        other_classes: The last layer tells other classes apart than the network's,
            however many.

    Returns:
        What became of each array.

    Raises:
        WeightsError: Less than `LEAST_SHARE` fits, or a number is not finite.
    """
    own = [layer for layer in walk(network) if getattr(layer, "weights", None)]
    if not own:
        raise WeightsError("fits nothing: the network has no weights")
    stem = own[0].name
    rows: list[Row] = []
    chosen: list[tuple[Any, npt.NDArray[Any]]] = []
    for layer in own:
        given = dict(layers.get(layer.name, {}))
        notes: dict[str, str] = {}
        if layer.name == stem:
            given, notes = _fit_stem(layer, given, reverse=reversed_channels)
        found, pairs = _compare(layer, given, notes)
        if other_classes and layer is own[-1]:
            found, pairs = [_skip(row) for row in found], []
        rows += found
        chosen += pairs
    rows += _list_unused(layers, {layer.name for layer in own})
    table = Table(rows=tuple(rows), head=own[-1].name)
    if table.share < LEAST_SHARE:
        raise WeightsError(_describe_misfit(table))
    for variable, array in chosen:
        values = np.asarray(array, np.float32)
        if not np.isfinite(values).all():
            raise WeightsError(f"holds numbers that are not finite: {variable.path}")
        variable.assign(values)
    return table


def _compare(
    layer: Any, given: Mapping[str, npt.NDArray[Any]], notes: Mapping[str, str]
) -> tuple[list[Row], list[tuple[Any, npt.NDArray[Any]]]]:
    """Returns what becomes of a layer's arrays, and those that it gets."""
    rows, pairs, used = [], [], set()
    for number, own in enumerate(name_variables(layer)):
        variable = layer.weights[number]
        name = own if own in given else str(number)
        array, shape = given.get(name), tuple(variable.shape)
        used.add(name)
        fits = array is not None and array.shape == shape
        rows.append(
            Row(
                layer=layer.name,
                variable=own,
                state="new" if array is None else "loaded" if fits else "skipped",
                shape=shape,
                file_shape=None if array is None else array.shape,
                note=notes.get(own, "") if fits else "",
            )
        )
        if array is not None and fits:
            pairs.append((variable, array))
    if len(pairs) < len(rows):
        pairs = []
        rows = [_skip(row) for row in rows]
    rows += [
        Row(layer=layer.name, variable=n, state="unused", file_shape=array.shape)
        for n, array in given.items()
        if n not in used
    ]
    return rows, pairs


def _skip(row: Row) -> Row:
    state: State = "skipped" if row.state == "loaded" else row.state
    return Row(**{**asdict(row), "state": state, "note": ""})


def _fit_stem(
    layer: Any, given: Mapping[str, npt.NDArray[Any]], *, reverse: bool
) -> tuple[dict[str, npt.NDArray[Any]], dict[str, str]]:
    """Returns a first convolution's arrays for images of the network's channels."""
    arrays, notes = dict(given), []
    name = "kernel" if "kernel" in arrays else "0"
    kernel = arrays.get(name)
    if kernel is None or kernel.ndim != 4 or len(layer.weights[0].shape) != 4:
        if reverse:
            raise WeightsError(
                "was trained on blue, green and red, and the network begins with no "
                "convolution whose channels could be turned round"
            )
        return arrays, {}
    channels = layer.weights[0].shape[2]
    if reverse:
        kernel = kernel[:, :, ::-1]
        notes.append("red and blue change places, as it was trained on BGR")
    if channels == 1 and kernel.shape[2] == 3:
        kernel = np.asarray(kernel, np.float64).sum(axis=2, keepdims=True)
        notes.append("the first kernels are summed over the colours, for grey images")
    arrays[name] = kernel
    return arrays, {layer.weights[0].name: "; ".join(notes)}


def _list_unused(layers: Layers, known: set[str]) -> Iterator[Row]:
    for layer, variables in layers.items():
        for name, array in variables.items():
            if layer not in known:
                yield Row(
                    layer=layer, variable=name, state="unused", file_shape=array.shape
                )


def _describe_misfit(table: Table) -> str:
    body = {row.layer for row in table.rows} - {table.head}
    parts = {
        "of another shape": table.of_state("skipped"),
        "only in the network": table.of_state("new"),
        "only in the file": table.of_state("unused"),
    }
    told = [
        f"{what}: {_enumerate([str(row) for row in rows])}"
        for what, found in parts.items()
        if (rows := [row for row in found if row.layer in body])
    ]
    return (
        f"does not fit the network: {format_share(table.share)} of the arrays have the "
        f"same name and shape in both, and {format_share(LEAST_SHARE)} must; "
        f"{'; '.join(told)}. Choose the network that they were trained "
        "in: model=..., model.variant=v1 for Keras' and v1_5 for PyTorch's, "
        "model.stem=imagenet."
    )


def _enumerate(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _write(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) or "one number"
