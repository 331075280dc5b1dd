"""Drawn discs, squares and crosses: a data set that needs no file."""

import numpy as np
import numpy.typing as npt

from experiments.data.dataset import ArraySplit, Dataset, build_dataset

CLASSES = ("disc", "square", "cross")


def load_shapes(
    *, image_size: int, images_per_class: int, noise: float, seed: int
) -> Dataset:
    """Draws the images; the same arguments give the same ones.

    The arguments are the keys of `conf/dataset/shapes.yaml`. For images of your own
    read them here instead: `build_dataset` checks labels and splits and measures mean
    and deviation. Or use `dataset=folder`, which needs no code.

    Args:
        image_size: Height and width.
        images_per_class: Of the training split; the others have a quarter of it.
        noise: Standard deviation of what is added to each pixel, of 0..1.
        seed: Decides where shapes lie, how large they are and on the noise.
    """
    random = np.random.default_rng(seed)

    def draw_split(count: int) -> ArraySplit:
        labels = np.repeat(np.arange(len(CLASSES), dtype=np.int32), count)
        images = [draw_shape(label, image_size, noise, random) for label in labels]
        return ArraySplit(np.stack(images), labels)

    return build_dataset(
        name="shapes",
        class_names=CLASSES,
        image_shape=(image_size, image_size, 1),
        train=draw_split(images_per_class),
        validation=draw_split(max(images_per_class // 4, 1)),
        test=draw_split(max(images_per_class // 4, 1)),
    )


def draw_shape(
    label: int, size: int, noise: float, random: np.random.Generator
) -> npt.NDArray[np.uint8]:
    """Returns one image, uint8 (size, size, 1): a shape of grey 0.7 on 0.3.

    Args:
        label: Index into `CLASSES`.
        size: Height and width of the image.
        noise: Standard deviation of what is added to each pixel.
        random: Draws place, radius and noise.
    """
    radius = random.uniform(size / 6, size / 3)
    row, column = random.uniform(radius, size - radius, 2)
    rows, columns = np.indices((size, size))
    down, right = abs(rows - row), abs(columns - column)
    inside = (
        np.hypot(down, right) <= radius,
        np.maximum(down, right) <= radius,
        (np.minimum(down, right) <= radius / 3) & (np.maximum(down, right) <= radius),
    )[label]
    pixels = np.where(inside, 0.7, 0.3) + random.normal(0, noise, inside.shape)
    image: npt.NDArray[np.uint8] = np.rint(255 * pixels.clip(0, 1)).astype(np.uint8)
    return image[..., None]
