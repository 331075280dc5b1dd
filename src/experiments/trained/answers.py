"""What a trained model says of any number of files, batch by batch."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from experiments.evaluation.predictions import UNLABELLED, Predictions
from experiments.trained.reading import read_for
from experiments.trained.trained import Trained

if TYPE_CHECKING:
    from experiments.data.files.asked.reading import ReadImage


@dataclass(frozen=True, kw_only=True)
class Unreadable:
    """A file that is no usable image.

    Attributes:
        file: Its name.
        reason: Half a sentence.
    """

    file: str
    reason: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Answers:
    """What a model said of some files that follow each other.

    Attributes:
        predictions: Of the N images among them, in their order.
        paths: Where these lie.
        pixels: uint8 `(N, H, W, C)`, as the model saw them.
        unreadable: The other files.
    """

    predictions: Predictions
    paths: tuple[str, ...]
    pixels: npt.NDArray[np.uint8]
    unreadable: tuple[Unreadable, ...]


def answer_files(
    trained: Trained,
    paths: Iterable[str],
    *,
    batch_size: int,
    name: Callable[[str], str],
) -> Iterator[Answers]:
    """Asks a model about files, which are decoded as those it was trained on.

    Args:
        trained: The model, with its framework set up.
        paths: Files in any number; they are asked for as they are needed.
        batch_size: Images that the model is asked about at once.
        name: Returns what a path is called in the answers, one line of UTF-8 text.

    Yields:
        Answers, a batch each, in the order of the files.

    Raises:
        DataError: An output is no number.
    """
    images: list[ReadImage] = []
    unreadable: list[Unreadable] = []
    for one in read_for(trained, paths):
        if one.fault is None:
            images.append(one)
        else:
            unreadable.append(Unreadable(file=name(one.path), reason=one.fault))
        if len(images) == batch_size:
            yield _answer(trained, images, unreadable, name)
            images, unreadable = [], []
        elif len(unreadable) == batch_size:
            # Each other number of images would have the network compiled again.
            yield _answer(trained, [], unreadable, name)
            unreadable = []
    if images or unreadable:
        yield _answer(trained, images, unreadable, name)


def _answer(
    trained: Trained,
    images: "list[ReadImage]",
    unreadable: list[Unreadable],
    name: Callable[[str], str],
) -> Answers:
    count, classes = len(images), len(trained.class_names)
    read = [image.pixels for image in images if image.pixels is not None]
    pixels = np.reshape(np.asarray(read, np.uint8), (count, *trained.image_shape))
    outputs = np.zeros((0, classes))
    if count:
        outputs = np.asarray(trained.model.predict_on_batch(pixels), np.float64)
    return Answers(
        predictions=Predictions(
            samples=[name(image.path) for image in images],
            digests=[image.digest for image in images],
            truth=np.full(count, UNLABELLED),
            outputs=outputs,
            kind=trained.kind,
            split=["input"] * count,
            class_names=trained.class_names,
        ),
        paths=tuple(image.path for image in images),
        pixels=pixels,
        unreadable=tuple(unreadable),
    )
