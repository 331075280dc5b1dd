"""Drawn images of circles, squares and lines, in any combination, with a table."""

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

SHAPES = ("circle", "line", "square")
SIZE = 16


def draw_shapes(there: tuple[bool, bool, bool], random: np.random.RandomState) -> Image:
    """Returns a noisy image that shows those shapes that are there."""
    pixels = random.randint(0, 60, (SIZE, SIZE, 3)).astype(np.uint8)
    rows, columns = np.mgrid[:SIZE, :SIZE]
    if there[0]:
        y, x = random.randint(4, SIZE - 4, 2)
        ring = np.hypot(rows - y, columns - x)
        pixels[(ring > 2) & (ring < 3.6)] = (230, 60, 60)
    if there[1]:
        pixels[random.randint(SIZE)] = (60, 60, 230)
    if there[2]:
        y, x = random.randint(1, SIZE - 6, 2)
        pixels[y : y + 4, x : x + 4] = (60, 230, 60)
    return Image.fromarray(pixels)


def write_shapes(folder: Path, count: int, seed: int = 0) -> Path:
    """Draws images and writes `labels.csv`: labels in one column, and a column each.

    Returns:
        The table.
    """
    random = np.random.RandomState(seed)
    folder.mkdir(parents=True, exist_ok=True)
    table = folder / "labels.csv"
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "label", *SHAPES])
        for name, there in _choose(count, random):
            draw_shapes(there, random).save(folder / name)
            labels = [s for s, is_there in zip(SHAPES, there, strict=True) if is_there]
            writer.writerow([name, ";".join(labels), *map(int, there)])
    return table


def _choose(
    count: int, random: np.random.RandomState
) -> Iterator[tuple[str, tuple[bool, bool, bool]]]:
    for number in range(count):
        first, second, third = (random.rand(3) < (0.5, 0.35, 0.2)).tolist()
        yield f"{number:04d}.png", (first, second, third)
