"""Files as a trained model takes them."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from experiments.data.images.image_size import MAX_PIXELS
from experiments.trained.trained import Trained

if TYPE_CHECKING:
    from experiments.data.files.asked.reading import ReadImage


def read_for(trained: Trained, paths: Iterable[str]) -> "Iterator[ReadImage]":
    """Yields files in their order, decoded as those that a model was trained on.

    Args:
        trained: The model, with its framework set up.
        paths: Files in any number; they are asked for as they are needed.
    """
    # A framework is imported once `open_trained` has set it up.
    from experiments.data.files.asked.reading import read_images

    dataset: Any = None if trained.config is None else trained.config.dataset
    return read_images(
        paths,
        image_shape=trained.image_shape,
        crop_ratio=trained.crop_ratio,
        background=trained.background,
        max_pixels=getattr(dataset, "max_pixels", MAX_PIXELS),
    )
