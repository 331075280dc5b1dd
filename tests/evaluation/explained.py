"""Explanations that no model made, for tests."""

import numpy as np

from experiments.evaluation.explaining.explanation import Explanation, View


def make(name: str, *, views: int = 1, size: int = 8) -> Explanation:
    """Returns an image of which the first class has heat, and others have none."""
    heat = np.zeros((size, size), np.float32)
    heat[0, 0] = 1
    return Explanation(
        name=name,
        pixels=np.zeros((size, size, 3), np.uint8),
        likeliest=(("cat", 0.75), ("<b>", 0.2)),
        views=tuple(
            View(class_name=f"class {n}", probability=0.5, heat=heat * (n == 0))
            for n in range(views)
        ),
        method="grad_cam",
    )
