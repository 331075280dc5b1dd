import numpy as np

from experiments.data.labelled import Labelled
from experiments.data.split import ArraySplit

IMAGES = np.arange(3 * 4, dtype=np.uint8).reshape(3, 2, 2, 1)


def describe(labels: list[int], names: tuple[str, ...]) -> Labelled:
    images = ArraySplit(IMAGES, np.array(labels, np.int32))
    return Labelled(name="a", split=None, class_names=names, images=images)


def test_content_goes_by_the_names_of_classes_and_not_by_their_order() -> None:
    one = describe([0, 1, 1], ("cat", "dog"))
    assert one.content == describe([1, 0, 0], ("dog", "cat")).content
    assert one.content != describe([1, 1, 0], ("cat", "dog")).content


def test_other_labels_leave_the_images_alone() -> None:
    one = describe([0, 1, 1], ("cat", "dog"))
    other = one.relabelled(np.array([1, 0, 0], np.int32))
    assert other.images.labels.tolist() == [1, 0, 0]
    assert one.images.labels.tolist() == [0, 1, 1]
    assert len(other.images) == 3
