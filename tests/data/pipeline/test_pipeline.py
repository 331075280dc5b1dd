import numpy as np
import pytest

from experiments.data.augment.flip_crop import FlipCrop
from experiments.data.pipeline.pipeline import build_pipeline, steps_per_epoch
from experiments.data.split import ArraySplit
from experiments.errors import DataError

SHAPE = (6, 5, 3)


@pytest.fixture
def split():
    """23 images, the number of each in its pixels and its label."""
    numbers = np.arange(23)
    images = np.random.RandomState(0).randint(0, 255, (23, *SHAPE)).astype(np.uint8)
    images[:, 0, 0, 0] = numbers
    return ArraySplit(images, numbers.astype(np.int32))


def build(split, **changes):
    arguments = {
        "image_shape": SHAPE,
        "batch_size": 4,
        "seed": 7,
        "shuffle": True,
        "epochs": 3,
        "drop_remainder": True,
    }
    return build_pipeline(split, **{**arguments, **changes})


def read(pipeline):
    return [(images.numpy(), labels.numpy()) for images, labels in pipeline]


def assert_same(left, right):
    assert len(left) == len(right)
    for (images, labels), (other_images, other_labels) in zip(left, right, strict=True):
        np.testing.assert_array_equal(images, other_images)
        np.testing.assert_array_equal(labels, other_labels)


def labels_by_epoch(pipeline, steps):
    batches = [labels for _, labels in read(pipeline)]
    return [
        np.concatenate(batches[i : i + steps]) for i in range(0, len(batches), steps)
    ]


def test_batches_are_uint8_images_and_int32_labels(split):
    images, labels = build(split).element_spec

    assert (images.dtype.name, images.shape) == ("uint8", (4, *SHAPE))
    assert (labels.dtype.name, labels.shape) == ("int32", (4,))


def test_images_and_labels_stay_together(split):
    for images, labels in read(build(split)):
        np.testing.assert_array_equal(images, split.images[labels])


def test_every_image_is_seen_exactly_once_an_epoch(split):
    for labels in labels_by_epoch(build(split, drop_remainder=False), steps=6):
        assert sorted(labels) == list(range(23))


def test_a_dropped_remainder_leaves_whole_batches_without_repetition(split):
    epochs = labels_by_epoch(build(split), steps=5)

    assert [len(labels) for labels in epochs] == [20, 20, 20]
    assert all(len(set(labels)) == 20 for labels in epochs)
    assert set(np.concatenate(epochs)) == set(range(23))


def test_each_epoch_has_its_own_order(split):
    orders = {tuple(labels) for labels in labels_by_epoch(build(split), steps=5)}

    assert len(orders) == 3


def test_another_seed_gives_another_order(split):
    first, second = (labels_by_epoch(build(split, seed=s), 5)[0] for s in (1, 2))

    assert first.tolist() != second.tolist()


@pytest.mark.parametrize("drop_remainder", [True, False])
@pytest.mark.parametrize("start", [1, 5, 7, 12])
def test_starting_at_a_step_continues_the_uninterrupted_run(
    split, start, drop_remainder
):
    changes = {
        "augment": [FlipCrop(pad=2, flip=True)],
        "drop_remainder": drop_remainder,
    }

    whole = read(build(split, **changes))

    assert_same(read(build(split, start_step=start, **changes)), whole[start:])


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_parallelism_changes_nothing(split, threads):
    augment = [FlipCrop(pad=2, flip=True)]

    assert_same(
        read(build(split, augment=augment, parallelism=threads)),
        read(build(split, augment=augment)),
    )


def test_the_augmentation_of_an_image_does_not_depend_on_its_batch(split):
    augment = [FlipCrop(pad=2, flip=True)]
    changes = {"augment": augment, "epochs": 1, "drop_remainder": False}

    small = read(build(split, batch_size=2, **changes))
    large = read(build(split, batch_size=23, **changes))

    np.testing.assert_array_equal(np.concatenate([i for i, _ in small]), large[0][0])


def test_the_augmentation_differs_between_epochs(split):
    one = ArraySplit(split.images[:1], split.labels[:1])
    changes = {"augment": [FlipCrop(pad=2, flip=True)], "batch_size": 1, "epochs": 8}

    images = [images.tobytes() for images, _ in read(build(one, **changes))]

    assert len(set(images)) > 4


def test_evaluation_is_one_pass_over_all_images_in_order(split):
    batches = read(build(split, shuffle=False, epochs=1, drop_remainder=False))

    assert [len(labels) for _, labels in batches] == [4, 4, 4, 4, 4, 3]
    assert np.concatenate([labels for _, labels in batches]).tolist() == list(range(23))


def test_training_without_an_end_goes_on(split):
    pipeline = build(split, epochs=None, start_step=10**12)

    assert len(read(pipeline.take(3))) == 3


@pytest.mark.parametrize("cache", ["auto", "none"])
def test_images_are_scaled_to_the_wanted_size(split, cache):
    images, _ = read(build(split, image_shape=(12, 10, 3), cache=cache))[0]

    assert images.shape == (4, 12, 10, 3)


def test_scaling_ahead_and_scaling_each_batch_are_the_same(split):
    changes = {"image_shape": (12, 10, 3), "augment": [FlipCrop(pad=1, flip=True)]}

    assert_same(
        read(build(split, cache="none", **changes)),
        read(build(split, cache="memory", **changes)),
    )


def test_a_split_smaller_than_a_batch_is_refused(split):
    with pytest.raises(DataError, match=r"23 images, fewer than one batch of 32"):
        build(split, batch_size=32)


def test_other_channels_than_the_images_have_are_refused(split):
    with pytest.raises(DataError, match="The images have 3 channels"):
        build(split, image_shape=(6, 5, 1))


def test_steps_of_an_epoch_round_up_unless_the_remainder_is_dropped(split):
    assert steps_per_epoch(split, 4, drop_remainder=True) == 5
    assert steps_per_epoch(split, 4, drop_remainder=False) == 6
    assert steps_per_epoch(split, 23, drop_remainder=False) == 1


def test_the_pipeline_has_fixed_deterministic_options(split):
    options = build(split, parallelism=3).options()

    assert options.deterministic is True
    assert options.autotune.enabled is False
    assert options.threading.private_threadpool_size == 3
