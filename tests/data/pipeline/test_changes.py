"""Several augmentations after one another, mixtures and those that end early."""

import numpy as np
import pytest
from PIL import Image

from experiments.data.augment.flip_crop import FlipCrop
from experiments.data.augment.inception_crop import InceptionCrop
from experiments.data.augment.mixup_cutmix import MixupCutmix
from experiments.data.augment.randaugment import RandAugment
from experiments.data.augment.random_erasing import RandomErasing
from experiments.data.augment.until import Until
from experiments.data.pipeline.pipeline import build_pipeline
from experiments.data.split import ArraySplit, FileSplit

FLIP = FlipCrop(pad=2, flip=True)
CROP = InceptionCrop(area=[0.1, 0.5], ratio=[0.75, 1.33], flip=True)
RAND = RandAugment(num_ops=2, magnitude=9, magnitude_bins=31, fill=0)
ERASE = RandomErasing(probability=0.5, area=[0.1, 0.3], ratio=[0.5, 2], fill="noise")
MIX = MixupCutmix(
    mixup_alpha=0.8,
    cutmix_alpha=1.0,
    probability=1.0,
    switch_probability=0.5,
    per="batch",
)


def make_arrays(folder):
    images = np.random.default_rng(1).integers(0, 256, (22, 12, 12, 3), np.uint8)
    return ArraySplit(images, np.arange(22, dtype=np.int32) % 3)


def make_files(folder):
    arrays = make_arrays(folder)
    paths = tuple(str(folder / f"{number}.png") for number in range(len(arrays)))
    for path, image in zip(paths, arrays.images, strict=True):
        Image.fromarray(image).save(path)
    return FileSplit(paths, arrays.labels, tuple(paths))


@pytest.fixture(params=[make_arrays, make_files])
def split(request, tmp_path):
    return request.param(tmp_path)


def read(split, *augment, start=0, threads=1, epochs=2):
    batches = build_pipeline(
        split,
        image_shape=(12, 12, 3),
        batch_size=8,
        seed=4,
        augment=augment,
        classes=3,
        shuffle=True,
        epochs=epochs,
        start_step=start,
        drop_remainder=False,
        cache="none",
        parallelism=threads,
    )
    return [(images.numpy(), labels.numpy()) for images, labels in batches]


def equal(first, second):
    return len(first) == len(second) and all(
        np.array_equal(a, b)
        for one, other in zip(first, second, strict=True)
        for a, b in zip(one, other, strict=True)
    )


def test_list_is_continued_exactly_whatever_the_parallelism(split):
    whole = read(split, CROP, RAND, ERASE, MIX)
    assert equal(whole[2:], read(split, CROP, RAND, ERASE, MIX, start=2, threads=3))
    for images, labels in whole:
        assert images.dtype == np.uint8
        assert labels.dtype == np.float32
        assert labels.shape == (len(images), 3)
        assert np.allclose(labels.sum(axis=1), 1)


def test_order_counts_and_a_second_one_draws_anew(split):
    assert not equal(read(split, FLIP, ERASE), read(split, ERASE, FLIP))
    assert not equal(read(split, FLIP, FLIP), read(split, FLIP))
    labels = read(split, FLIP)[0][1]
    assert labels.dtype == np.int32


def test_first_of_a_list_is_what_it_is_alone(split):
    unseen = Until(ERASE, 0)
    assert equal(read(split, FLIP, unseen), read(split, FLIP))
    assert equal(read(split, CROP, unseen), read(split, CROP))


@pytest.mark.parametrize("augment", [FLIP, CROP, MIX])
def test_augmentation_that_ends_leaves_the_last_steps_as_they_are(split, augment):
    found = read(split, Until(augment, 3))  # 3 steps an epoch
    always, never = read(split, augment), read(split, Until(augment, 0))
    assert equal(found[:3], always[:3])
    assert equal(found[3:], never[3:])
    assert not equal(found[3:], always[3:])
    if augment is not MIX:
        assert equal(never, read(split))
