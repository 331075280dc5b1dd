"""Makes a folder of photographs to try things on: `python cut_photos.py photos`.

Each of scikit-image's photographs is a class, and its parts are the images: parts for
training and parts for the test lie like the fields of a chessboard, so no pixel is in
both. It needs scikit-image, which has these photographs in its package.
"""

import sys
from itertools import product
from pathlib import Path

import numpy as np
import skimage
from PIL import Image

PHOTOGRAPHS = (
    "astronaut",
    "brick",
    "camera",
    "cat",
    "coffee",
    "coins",
    "grass",
    "gravel",
    "hubble_deep_field",
    "immunohistochemistry",
    "moon",
    "page",
    "retina",
    "rocket",
)
PARTS = 4  # of each side


def cut_photos(folder: Path) -> int:
    """Writes `folder/train/<photograph>/*.jpg` and `folder/test/<photograph>/*.jpg`.

    Args:
        folder: Is made; what is in it stays.

    Returns:
        How many images were written.
    """
    for name in PHOTOGRAPHS:
        photograph = Image.fromarray(getattr(skimage.data, name)()).convert("RGB")
        across = np.linspace(0, photograph.width, PARTS + 1, dtype=int).tolist()
        down = np.linspace(0, photograph.height, PARTS + 1, dtype=int).tolist()
        for row, column in product(range(PARTS), repeat=2):
            split = "test" if (row + column) % 2 else "train"
            place = folder / split / name
            place.mkdir(parents=True, exist_ok=True)
            corners = (across[column], down[row], across[column + 1], down[row + 1])
            part = photograph.crop(corners)
            part.save(place / f"row_{row + 1}_column_{column + 1}.jpg", quality=95)
    return len(PHOTOGRAPHS) * PARTS**2


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    target = Path(sys.argv[1])
    print(f"{cut_photos(target)} images of {len(PHOTOGRAPHS)} classes in {target}")
