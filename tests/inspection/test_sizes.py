import pytest

from experiments.inspection.sizes import Sizes


def test_image_is_enlarged_where_its_kept_part_is_smaller_than_asked_for() -> None:
    sizes = Sizes(
        sizes=((300, 255), (256, 400), (1000, 257)),  # 223.1, 224 and 224.9 are kept
        total=3,
        delivered=(224, 224),
        crop_ratio=0.875,
    )
    assert sizes.enlarged == pytest.approx(1 / 3)
    assert sizes.describe() == (
        "256 to 1000 wide, 255 to 400 high, 300 x 257 in the middle, by the headers of "
        "3 files"
    )


def test_it_is_said_when_not_all_headers_were_read() -> None:
    sizes = Sizes(sizes=((8, 6),) * 2, total=900, delivered=(4, 4), crop_ratio=1.0)
    told = "all are 8 x 6, by the headers of 2 of 900 files, evenly apart"
    assert sizes.describe() == told
