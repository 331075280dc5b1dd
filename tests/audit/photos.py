"""Folders of real photographs, with copies that lie where they must not."""

import functools
import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
import sklearn.datasets
from PIL import Image

Pixels = npt.NDArray[np.uint8]

CLASSES = {"temple": "china.jpg", "flower": "flower.jpg"}
SIDE = 64


@functools.cache
def _read(name: str) -> Pixels:
    return np.asarray(sklearn.datasets.load_sample_image(name), np.uint8)


@functools.cache
def _find_squares(label: str, side: int) -> list[tuple[int, int]]:
    """Returns top and left of squares side by side, those of most contrast first."""
    pixels = _read(CLASSES[label])
    tops, lefts = (range(0, size - side + 1, side) for size in pixels.shape[:2])
    places = [(top, left) for top in tops for left in lefts]
    # Sky and shade are alike wherever they are.
    return sorted(places, key=lambda p: -_square(label, p, side).std())


def _square(label: str, place: tuple[int, int], side: int) -> Pixels:
    top, left = place
    return _read(CLASSES[label])[top : top + side, left : left + side]


def cut(label: str, number: int, side: int = SIDE) -> Image.Image:
    """Returns one of the squares of a photograph; none overlaps another."""
    return Image.fromarray(_square(label, _find_squares(label, side)[number], side))


def encode(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    content = io.BytesIO()
    image.save(content, kind, **({"quality": 92} if kind == "JPEG" else {}) | options)
    return content.getvalue()


def write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def write_folder(root: Path, counts: dict[str, int]) -> None:
    """Writes so many images of each class into each split, all of them different."""
    start = 0
    for split, count in counts.items():
        for label in CLASSES:
            for number in range(start, start + count):
                image = cut(label, number)
                write(root / split / label / f"{number:03}.jpg", encode(image))
        start += count
