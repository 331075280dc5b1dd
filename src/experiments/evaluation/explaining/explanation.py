"""What a model says of an image, and where it sees it."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.special import expit, softmax

from experiments.counts import format_share, name_some
from experiments.errors import ConfigError, Problem
from experiments.evaluation.predictions import THRESHOLD

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from experiments.evaluation.explaining.heat_maps import Floats, Method

_LISTED = 3  # of the likeliest classes
_NAMED = 20  # classes that an error lists
STRONGEST = "the strongest place for this class in this image"


@dataclass(frozen=True, kw_only=True, eq=False)
class View:
    """Where an image speaks for a class.

    Attributes:
        class_name: Of the class.
        probability: That the model gives it, 0..1.
        heat: `(H, W)` in 0..1, a share of the strongest place; all 0 where none is.
    """

    class_name: str
    probability: float
    heat: npt.NDArray[np.float32]

    @property
    def heading(self) -> str:
        """The class, how likely it is, and whether anything is to be seen."""
        text = f"for {self.class_name} ({format_share(self.probability, 1)})"
        return text if self.heat.any() else f"nothing {text}"


@dataclass(frozen=True, kw_only=True, eq=False)
class Explanation:
    """What a model says of an image, and where it sees it; a notebook shows it.

    Attributes:
        name: Of the image.
        pixels: uint8 `(H, W, C)`, as the model sees it.
        likeliest: The likeliest classes and their probabilities, the first first.
        views: Where it speaks for the likeliest class, and for one of choice; where an
            image may have several labels, for each of the likeliest that is there.
        method: How that was found, see `experiments.evaluation.explaining.heat_maps`.
    """

    name: str
    pixels: npt.NDArray[np.uint8]
    likeliest: tuple[tuple[str, float], ...]
    views: tuple[View, ...]
    method: Literal["cam", "grad_cam"]

    def draw(self) -> "Figure":
        """Returns the image and its heat maps as a Matplotlib figure."""
        from experiments.pictures.heat_map import draw_heat_maps

        maps = [(view.heading, view.heat) for view in self.views]
        return draw_heat_maps(self.pixels, maps, title=self.name, scale=STRONGEST)

    def _repr_png_(self) -> bytes:
        """Returns what IPython shows of it."""
        from experiments.pictures.picture import as_png

        return as_png(self.draw())


def explain_images(
    model: Any,
    pixels: npt.NDArray[np.uint8],
    class_names: Sequence[str],
    *,
    names: Sequence[str],
    class_name: str | None = None,
    method: "Method" = "auto",
    has_several: bool = False,
) -> list[Explanation]:
    """Returns what a model says of images, and where it sees it.

    Args:
        model: A Keras model of such images -> logits or probabilities `(N, classes)`.
        pixels: uint8 `(N, H, W, C)`, at least one image.
        class_names: One a class.
        names: One an image.
        class_name: A class to be shown beside the likeliest one.
        method: As `make_heat_maps` takes it.
        has_several: Whether an image may have several labels: each score is the logit
            of a probability of its own.

    Raises:
        ConfigError: There is no such class.
        ExperimentError: The model has no maps, or not the head that `cam` needs.
    """
    from experiments.evaluation.explaining.heat_maps import make_heat_maps

    first = make_heat_maps(model, pixels, method=method)
    scores = first.scores.astype(np.float64)
    shares = expit(scores) if has_several else softmax(scores, axis=1)
    maps = [{int(first.classes[n]): one} for n, one in enumerate(first.maps)]
    wanted = list(_list_others(shares)) if has_several else []
    if class_name is not None:
        number = find_class(class_name, class_names)
        wanted.append(np.full(len(pixels), number))
    for classes in wanted:
        rows = np.flatnonzero(classes >= 0)
        chosen = classes[rows].tolist()
        more = make_heat_maps(model, pixels[rows], chosen, method=method)
        for row, label, one in zip(rows, more.classes, more.maps, strict=True):
            maps[row].setdefault(int(label), one)
    return [
        Explanation(
            name=name,
            pixels=pixels[row],
            likeliest=_list_likeliest(shares[row], class_names),
            views=tuple(_view(maps[row], shares[row], class_names)),
            method=first.method,
        )
        for row, name in enumerate(names)
    ]


def _list_others(
    shares: npt.NDArray[np.float64],
) -> Iterator[npt.NDArray[np.int64]]:
    """Yields the second class of each image, the third: -1 where it is not there."""
    ranking = np.argsort(-shares, axis=1, kind="stable")
    for place in range(1, min(_LISTED, shares.shape[1])):
        classes = ranking[:, place]
        likely = np.take_along_axis(shares, classes[:, None], axis=1)[:, 0]
        if (likely > THRESHOLD).any():
            yield np.where(likely > THRESHOLD, classes, -1)


def _list_likeliest(
    shares: npt.NDArray[np.float64], class_names: Sequence[str]
) -> tuple[tuple[str, float], ...]:
    ranking = np.argsort(-shares, kind="stable")[:_LISTED].tolist()
    return tuple((class_names[label], float(shares[label])) for label in ranking)


def _view(
    maps: Mapping[int, "Floats"],
    shares: npt.NDArray[np.float64],
    class_names: Sequence[str],
) -> Iterator[View]:
    """Yields the maps of an image."""
    for label, heat in maps.items():
        share = float(shares[label])
        yield View(class_name=class_names[label], probability=share, heat=heat)


def find_class(name: str, class_names: Sequence[str]) -> int:
    """Returns the number of a class.

    Raises:
        ConfigError: There is no such class.
    """
    if name in class_names:
        return list(class_names).index(name)
    lowered = {each.lower(): each for each in class_names}
    alike = difflib.get_close_matches(name.lower(), lowered, n=1)
    if alike:
        hint = f"Did you mean `{lowered[alike[0]]}`?"
    else:
        hint = f"There are: {name_some(class_names, _NAMED)}."
    reason = f"must be a class that the model knows. Received: {name!r}."
    raise ConfigError([Problem("task.class_name", reason, hint)])
