from collections import Counter

import numpy as np
import pytest

from experiments.data.pipeline.class_sampling import POWERS, ClassSampling
from experiments.data.pipeline.pipeline import build_pipeline
from experiments.data.split import ArraySplit

LABELS = np.random.default_rng(0).permutation(
    np.repeat(np.arange(3), [90, 9, 1]).astype("int32")
)


def draw(kind: str, epoch: int = 0, seed: int = 0, labels=LABELS):
    return ClassSampling(labels, POWERS[kind], seed).draw_epoch(epoch)


def shares(kind: str) -> list[float]:
    """How many of 100 images are of each class, by the definition."""
    weights = np.array([90, 9, 1.0]) ** POWERS[kind]
    return (100 * weights / weights.sum()).tolist()


@pytest.mark.parametrize("kind", list(POWERS))
@pytest.mark.parametrize("epoch", range(4))
def test_each_class_has_its_share_of_an_epoch(kind: str, epoch: int) -> None:
    drawn = draw(kind, epoch)

    assert len(drawn) == len(LABELS)
    found = np.bincount(LABELS[drawn], minlength=3)
    assert np.abs(found - shares(kind)).max() < 1


def test_uniform_shows_each_image_once() -> None:
    assert sorted(draw("uniform").tolist()) == list(range(100))


@pytest.mark.parametrize("kind", list(POWERS))
def test_images_of_a_class_come_as_often_as_each_other(kind: str) -> None:
    drawn = Counter(draw(kind).tolist())
    for label in range(3):
        times = [drawn[i] for i in np.flatnonzero(label == LABELS).tolist()]
        assert max(times) - min(times) <= 1


def test_places_that_are_left_over_take_turns() -> None:
    """100 images of 3 classes: 34 of one of them, now of this and now of that."""
    more = {int(np.bincount(LABELS[draw("balanced", e)]).argmax()) for e in range(30)}
    assert more == {0, 1, 2}


def test_all_images_of_a_large_class_are_seen_in_time() -> None:
    seen = {int(i) for epoch in range(20) for i in draw("balanced", epoch)}
    assert seen == set(range(100))


def test_an_epoch_is_decided_by_its_number_and_the_seed() -> None:
    once = draw("balanced", 3)
    assert once.tolist() == draw("balanced", 3).tolist()
    assert once.tolist() != draw("balanced", 4).tolist()
    assert once.tolist() != draw("balanced", 3, seed=1).tolist()


def test_a_class_without_images_has_no_places() -> None:
    labels = np.array([0, 0, 2], "int32")
    assert sorted(labels[draw("balanced", labels=labels)].tolist()) in (
        [0, 0, 2],
        [0, 2, 2],
    )


def batches(start_step: int, steps: int, *augments):
    images = np.arange(100, dtype="uint8").reshape(100, 1, 1, 1)
    sampling = ClassSampling(LABELS, 0.0, 7)
    built = build_pipeline(
        ArraySplit(images, LABELS),
        image_shape=(1, 1, 1),
        batch_size=8,
        seed=7,
        shuffle=True,
        epochs=None,
        start_step=start_step,
        drop_remainder=True,
        augment=augments,
        draw=sampling.draw_epoch,
    )
    found = list(built.take(steps).as_numpy_iterator())
    return [(images.ravel().tolist(), labels.tolist()) for images, labels in found]


def test_any_step_goes_on_as_if_there_had_been_no_stop() -> None:
    whole = batches(0, 30)  # two and a half epochs of 12 steps
    for start in (1, 12, 17):
        assert batches(start, 30 - start) == whole[start:]


def test_an_epoch_of_batches_has_its_classes_balanced() -> None:
    labels = [label for _, part in batches(0, 12) for label in part]
    assert np.abs(np.bincount(labels) - 32).max() <= 5  # 96 of the 100 drawn


def test_an_image_that_comes_again_is_augmented_anew() -> None:
    import tensorflow as tf

    def show_keys(images, keys):
        low = tf.cast(keys % tf.constant(256, tf.uint64), tf.uint8)
        return tf.reshape(low, tf.shape(images))

    plain, keyed = batches(0, 12), batches(0, 12, show_keys)
    keys: dict[int, set[int]] = {}
    for (images, _), (codes, _) in zip(plain, keyed, strict=True):
        for image, code in zip(images, codes, strict=True):
            keys.setdefault(image, set()).add(code)
    (alone,) = np.flatnonzero(LABELS == 2).tolist()
    assert len(keys[alone]) > 20  # of about 32
