"""Labelled images as a trained model takes them, batch by batch."""

from typing import Any

from experiments.data.labelled import Labelled
from experiments.errors import DataError
from experiments.trained.trained import Trained

_USUAL_BATCH = 64


def read_batches(
    trained: Trained, labelled: Labelled, *, batch_size: int | None = None
) -> Any:
    """Returns one pass over images in their order, the last batch included.

    Args:
        trained: The model, with its framework set up.
        labelled: The images.
        batch_size: At a time; `None` for that of the training.

    Returns:
        A `tf.data.Dataset` of uint8 images `(B, H, W, C)` and int32 labels `(B,)`.

    Raises:
        DataError: The images have other channels than the model takes.
    """
    from experiments.data.pipeline.pipeline import build_pipeline

    images, channels = labelled.images, trained.image_shape[-1]
    found = getattr(getattr(images, "images", None), "shape", (channels,))[-1]
    if found != channels:
        raise DataError(
            f"The model takes images of {channels} channels, and those of "
            f"{labelled.name} have {found}."
        )
    usual = (
        _USUAL_BATCH if trained.config is None else trained.config.trainer.batch_size
    )
    return build_pipeline(
        images,
        image_shape=trained.image_shape,
        batch_size=batch_size or usual,
        seed=0,
        shuffle=False,
        epochs=1,
        drop_remainder=False,
        cache="none",  # each image is read once
        parallelism=labelled.decode_threads,
    )
