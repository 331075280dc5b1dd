import io

from matplotlib.figure import Figure
from PIL import Image

from experiments.tracking.spool.formats import draw_picture

COLUMN = 860  # pixels of a description in a window of 1400


def test_picture_of_ten_inches_fits_into_a_description() -> None:
    drawn = draw_picture(Figure(figsize=(10, 4.2)), "png")
    width, height = Image.open(io.BytesIO(drawn)).size
    assert 0.9 * COLUMN < width <= COLUMN
    assert abs(height / width - 0.42) < 0.01
