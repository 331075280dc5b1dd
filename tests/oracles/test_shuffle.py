"""The order of an epoch against its definition and against chance.

Definition: SplitMix64 (Steele, Lea and Flood, 2014) gives each (seed, epoch, image) a
64-bit key, and the images are sorted by key. Its outputs are those of the generator
that the paper prints, here in Python's unbounded integers. What chance gives is the
chi-squared and the hypergeometric distribution; where the cells of a table depend on
each other, their mean and deviation over 40 generators of NumPy are told.
"""

from collections.abc import Iterator

import numpy as np
import pytest
import tensorflow as tf

from experiments.data.pipeline import sample_keys, splitmix
from experiments.data.pipeline.pipeline import build_pipeline
from experiments.data.pipeline.shuffle import shuffle_epoch
from experiments.data.split import ArraySplit, FileSplit

IMAGES = 10
EPOCHS = 20_000
GAMMA = 0x9E3779B97F4A7C15


def generate_keys(seed: int) -> Iterator[int]:
    """The generator of the paper's Figure 17."""
    state = seed % 2**64
    while True:
        state = (state + GAMMA) % 2**64
        bits = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EB % 2**64
        yield bits ^ (bits >> 31)


def take_key(seed: int, number: int) -> int:
    """Output `number`; those before it have only moved the state."""
    return next(generate_keys(seed + number * GAMMA))


def sort_images(count: int, seed: int, epoch: int) -> list[int]:
    """The definition: key 1 of the seed is for orders, its key `epoch` for this one."""
    keys = generate_keys(take_key(take_key(seed, 1), epoch))
    numbered = [(next(keys), image) for image in range(count)]
    return [image for _, image in sorted(numbered)]


@pytest.fixture(scope="module", params=[0, 1, -7])
def orders(request):
    """20,000 orders of ten images."""
    return np.stack(
        [
            shuffle_epoch(count=IMAGES, seed=request.param, epoch=epoch)
            for epoch in range(EPOCHS)
        ]
    )


def measure_chi_squared(counts, expected):
    return float(np.sum((counts - expected) ** 2 / expected))


@pytest.mark.parametrize("seed", [0, 1, -1, 2**70 + 3])
@pytest.mark.parametrize("count", [1, 2, 3, 10, 57])
def test_an_order_is_that_of_the_sorted_keys(count, seed):
    for epoch in (0, 1, 40, 10**12):
        order = shuffle_epoch(count=count, seed=seed, epoch=epoch)
        assert order.tolist() == sort_images(count, seed, epoch)


@pytest.mark.parametrize("seed", [0, 5, -1, 2**64 - 1])
def test_numpy_and_tensorflow_derive_the_keys_of_the_paper(seed):
    numbers = np.arange(100)
    generator = generate_keys(seed)
    keys = [next(generator) for _ in numbers]

    in_tensorflow = sample_keys.derive_key(sample_keys.key_from_seed(seed), numbers)

    assert splitmix.derive_key(seed, numbers).tolist() == keys
    assert in_tensorflow.numpy().tolist() == keys
    assert int(splitmix.derive_key(np.uint64(keys[0]), 7)) == take_key(keys[0], 7)


def test_every_place_is_equally_likely(orders):
    counts = np.stack([np.bincount(column, minlength=IMAGES) for column in orders.T])

    # Each row and column sums to the number of epochs: 81 free cells of 100.
    chi_squared = measure_chi_squared(counts, EPOCHS / IMAGES) * (1 - 1 / IMAGES)

    assert 81 - 4 * np.sqrt(162) < chi_squared < 81 + 4 * np.sqrt(162)


def test_every_successor_is_equally_likely(orders):
    pairs = np.zeros((IMAGES, IMAGES))
    np.add.at(pairs, (orders[:, :-1], orders[:, 1:]), 1)
    counts = pairs[~np.eye(IMAGES, dtype=bool)]

    share = measure_chi_squared(counts, EPOCHS / IMAGES) / counts.size

    assert share < 1.3  # NumPy: 0.85, deviation 0.11


def test_every_distance_between_successors_is_equally_likely(orders):
    distances = np.diff(orders, axis=1) % IMAGES
    counts = np.bincount(distances.ravel(), minlength=IMAGES)[1:]

    share = measure_chi_squared(counts, EPOCHS) / (counts.size - 1)

    assert share < 3.5  # NumPy: 1.2, deviation 0.6


def test_the_classes_of_a_batch_are_as_uneven_as_chance_makes_them():
    count, batch, classes, epochs = 50_000, 128, 10, 20
    steps = count // batch
    chosen = np.stack(
        [shuffle_epoch(count=count, seed=0, epoch=epoch) for epoch in range(epochs)]
    )
    labels = chosen[:, : steps * batch] // (count // classes)  # sorted by class
    batches = labels.reshape(-1, batch)

    held = np.stack([np.sum(batches == label, axis=1) for label in range(classes)])

    share = 1 / classes
    variance = batch * share * (1 - share) * (count - batch) / (count - 1)
    measured = np.mean((held - batch * share) ** 2)
    # Over batches and classes, about 70,000 independent squares.
    assert abs(measured / variance - 1) < 4 * np.sqrt(2 / 70_000)


@pytest.mark.parametrize("start", [0, 1, 5, 6, 11, 10**9])
@pytest.mark.parametrize("drop_remainder", [True, False])
@pytest.mark.parametrize("kind", ["arrays", "files"])
def test_a_pipeline_follows_the_definition_from_any_start(
    kind, drop_remainder, start, tmp_path
):
    count, batch = 23, 4
    labels = np.arange(count, dtype=np.int32)
    split = ArraySplit(np.zeros((count, 2, 2, 3), np.uint8), labels)
    if kind == "files":
        path = tmp_path / "black.png"
        path.write_bytes(tf.io.encode_png(split.images[0]).numpy())
        split = FileSplit((str(path),) * count, labels, ("",) * count, 1.0)
    steps = 5 if drop_remainder else 6

    pipeline = build_pipeline(
        split,
        image_shape=(2, 2, 3),
        batch_size=batch,
        seed=3,
        shuffle=True,
        epochs=None,
        start_step=start,
        drop_remainder=drop_remainder,
        cache="none",
    )

    for number, (_, seen) in enumerate(pipeline.take(8), start):
        epoch, place = divmod(number, steps)
        first = place * batch
        expected = sort_images(count, 3, epoch)[first : first + batch]
        assert seen.numpy().tolist() == expected
