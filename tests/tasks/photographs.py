"""Folders of photographs, as people have them: turned by EXIF, grey, see-through."""

from pathlib import Path

import numpy as np
from PIL import Image

_ORIENTATION = 274  # the tag of EXIF
_QUARTER_TURN = 6


def cut_photographs(folder: Path, names: dict[str, int], *, seed: int) -> None:
    """Leaves a folder of windows of scikit-learn's two photographs for each class.

    Args:
        folder: Of the class folders.
        names: Class -> how many images; classes take the photographs in turn.
        seed: Of the windows.
    """
    from sklearn.datasets import load_sample_images

    photographs = load_sample_images().images
    generator = np.random.default_rng(seed)
    for place, (name, count) in enumerate(names.items()):
        (folder / name).mkdir(parents=True)
        photograph = photographs[place % len(photographs)]
        for number in range(count):
            top, left = generator.integers(0, [427 - 90, 640 - 120])
            window = photograph[top : top + 90, left : left + 120]
            _save(Image.fromarray(window), folder / name / f"{number:02d}", number % 4)


def _save(image: Image.Image, path: Path, way: int) -> None:
    jpeg, png = path.with_suffix(".jpg"), path.with_suffix(".png")
    if way == 1:
        exif = Image.Exif()
        exif[_ORIENTATION] = _QUARTER_TURN
        image.transpose(Image.Transpose.ROTATE_90).save(jpeg, exif=exif)
    elif way == 2:
        image.convert("L").save(jpeg)
    elif way == 3:
        image.putalpha(128)
        image.save(png)
    else:
        image.save(jpeg)
