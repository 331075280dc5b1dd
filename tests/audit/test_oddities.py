from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from experiments.audit.oddities import find_blur_limit, find_oddities
from experiments.audit.survey import survey_dataset
from tests.audit.made import alternate, noise, survey
from tests.audit.photos import cut, encode, write, write_folder
from tests.data.datasets.test_folder import load


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_folder(tmp_path, {"train": 12, "val": 2})
    return tmp_path


def find(root: Path, **options: object) -> dict[str, str]:
    """Returns name of each odd file -> its kind."""
    found = survey_dataset(load(root, image_size=32, **options))
    return {Path(odd.sample).name: odd.kind for odd in find_oddities(found)}


def test_ordinary_photographs_are_not_odd(root: Path) -> None:
    assert find(root) == {}


def test_every_planted_oddity_is_found_and_called_what_it_is(root: Path) -> None:
    images = {
        "blank.png": Image.new("RGB", (64, 64), (200, 180, 90)),
        "blurred.png": cut("temple", 30).filter(ImageFilter.GaussianBlur(6)),
        "small.png": cut("temple", 31).resize((15, 20)),
        "long.png": cut("temple", 32, side=32).resize((200, 60)),
    }
    for name, image in images.items():
        write(root / "train" / "temple" / name, encode(image, "PNG"))
    write(root / "val" / "temple" / "damaged.jpg", encode(cut("temple", 33))[:900])
    expected = {name: name.partition(".")[0] for name in images}
    found = find(root, on_corrupt="skip")
    assert found.pop("damaged.jpg") == "unreadable"
    assert found == expected


def test_file_that_breaks_after_it_was_looked_at_is_told(root: Path) -> None:
    dataset = load(root, image_size=32)
    (root / "train" / "temple" / "000.jpg").write_bytes(b"gone")
    (odd,) = find_oddities(survey_dataset(dataset))
    assert (odd.kind, odd.sample) == ("unreadable", "train/temple/000.jpg")


def test_noise_on_one_colour_is_blank() -> None:
    level = np.full((32, 32, 1), 100, np.uint8)
    level[::2] += 3  # levels 100 and 103: a standard deviation of 1.5
    more = np.full((32, 32, 1), 100, np.uint8)
    more[::2] += 5
    pairs = [*alternate(noise(30)), (level, 0), (more, 1)]
    found = survey(pairs, alternate(noise(4, seed=1)))
    blank = [odd.row for odd in find_oddities(found) if odd.kind == "blank"]
    assert blank == [30]


def test_limit_of_blur_is_three_robust_deviations_below_the_median() -> None:
    logs = np.concatenate([np.linspace(-2, 2, 41), [0.5]])
    spread = 1.4826 * np.median(np.abs(logs - np.median(logs)))
    expected = np.exp(np.median(logs) - 3 * spread)
    assert find_blur_limit(np.exp(logs)) == pytest.approx(expected)


def test_where_all_are_alike_a_tenth_of_the_median_is_blurred() -> None:
    assert find_blur_limit(np.full(50, 30.0)) == pytest.approx(3)


def test_few_images_tell_no_limit() -> None:
    assert find_blur_limit(np.array([1.0] * 19)) is None
