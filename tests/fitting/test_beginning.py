from types import SimpleNamespace
from typing import Any

from experiments.builders.model import Images
from experiments.fitting.beginning import TABLE, Beginning
from experiments.trained.start import Start
from experiments.weights.source import Weights
from tests.fitting.test_record import Recorder

WEIGHTS = Weights(name="resnet18.pth", sha256="c0ffee", layers={})
MEAN_AND_STD = ((0.485, 0.5), (0.25, 1 / 255))


class Table(SimpleNamespace):
    def as_dict(self) -> list[Any]:
        return [{"layer": "conv1"}]

    def describe(self) -> str:
        return "100 of 102 arrays loaded"


def begin(**known: Any) -> tuple[Beginning, Recorder]:
    tracker = Recorder()
    start = Start(weights=WEIGHTS, **known)
    object.__setattr__(start, "put_into", lambda network: Table())
    return Beginning(start, tracker), tracker  # type: ignore[arg-type]


def test_what_became_of_the_weights_is_recorded_once_and_shown() -> None:
    images = Images(
        class_names=("a",),
        image_shape=(4, 4, 2),
        mean=MEAN_AND_STD[0],
        std=MEAN_AND_STD[1],
    )
    beginning, tracker = begin(images=images)
    assert beginning.rows == {}
    beginning(None)
    beginning(None)  # after a loss that was no number
    assert tracker.files() == {TABLE: {"arrays": [{"layer": "conv1"}]}}
    tags = {"weights.name": "resnet18.pth", "weights.sha256": "c0ffee"}
    assert tracker.calls_of("set_tags") == [(tags,)]
    assert beginning.rows == {
        "weights": "resnet18.pth: 100 of 102 arrays loaded",
        "images": "of 0 to 1, less 0.485, 0.5, divided by 0.25, 0.00392, inside the "
        "model",
    }


def test_images_of_the_data_sets_preprocessing_are_told_as_such() -> None:
    beginning, _ = begin()
    beginning(None)
    told = beginning.rows["images"]
    assert told == "by the mean and deviation of the data set, as typed"
